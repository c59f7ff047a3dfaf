"""`reeve send`, `reeve tail` and `reeve dead`: what goes in, what passes, and what could not be handled."""
