"""The messages integrators see."""
