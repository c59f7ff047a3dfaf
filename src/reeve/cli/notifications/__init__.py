"""`reeve notifications`: which messages went to whom, and what became of each."""
