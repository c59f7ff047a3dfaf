"""Owns cases: grades them, runs their clocks, finds what is breached and which step is next."""
