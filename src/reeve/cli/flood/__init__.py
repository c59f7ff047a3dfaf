"""`reeve silences` and `reeve budget`: what keeps people from being flooded."""
