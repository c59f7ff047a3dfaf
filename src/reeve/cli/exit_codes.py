"""What every command's exit code says (contracts.md §4); 0 is done."""

from __future__ import annotations

BAD = 1
"""The thing asked about is bad."""
USAGE = 2
"""Wrong usage."""
UNREACHABLE = 3
"""A server can't be reached."""
INTERRUPTED = 130
"""What a shell expects after Ctrl-C."""
