"""Recorded events under two sets of rules at once, and what the difference between them comes to."""
