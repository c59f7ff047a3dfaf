"""The three services; they meet only in `reeve.contracts`."""
