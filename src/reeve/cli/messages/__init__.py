"""`reeve messages`: the texts people get, looked at and tried."""
