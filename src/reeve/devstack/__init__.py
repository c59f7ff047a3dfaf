"""Embedded servers and the three services as local processes."""
