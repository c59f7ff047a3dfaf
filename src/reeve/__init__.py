"""Reeve: grades what a site reports, runs its clocks, tells the right people in time."""

__version__ = "0.1.0"
