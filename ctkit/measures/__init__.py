"""Numbers from runs, one file a measure."""
