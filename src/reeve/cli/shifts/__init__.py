"""`reeve shifts`: who is on shift when."""
