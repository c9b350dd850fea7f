"""The teaching models that come with ctkit: where they are, how they were trained, what they show."""
