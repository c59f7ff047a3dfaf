"""`reeve channels`: the providers messages go through."""
