"""What the shell needs from the outside, as few protocols as possible. `reeve.runtime` stands behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class TimeSource(Protocol):
    """The only thing that tells `now`; read once per batch or tick and passed down."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...
