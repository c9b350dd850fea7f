"""ctkit beside its peers: the same job, the same numbers, the time as a ratio. `make bench`"""
