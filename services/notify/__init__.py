"""Turns requested notifications into deliveries."""
