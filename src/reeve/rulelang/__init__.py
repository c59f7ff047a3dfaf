"""Turns operators' YAML into an immutable bundle, or into a list of located problems."""
