"""Pure types and decisions: no I/O, no clock of its own, no randomness, no logging."""
