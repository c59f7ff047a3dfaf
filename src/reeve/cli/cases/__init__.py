"""`reeve cases` and `reeve scores`: what became of cases and why, and the points they cost."""
