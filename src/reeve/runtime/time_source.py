"""The only module that reads the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemTime:
    """The machine's own time."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)
