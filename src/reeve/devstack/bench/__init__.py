"""Measures what Reeve does against plainer loops kept beside it, in one run on the same machine."""
