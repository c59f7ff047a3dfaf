"""What a provider's file says about how it is used beside the others of its channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal as OneOf

UnknownPolicy = OneOf["resend", "wait", "give_up"]
"""What becomes of a message that may have gone out: sent once more after a pause; a receipt is awaited first, and
then it is sent once more; not sent again, another way is looked for."""


WORST_RANKS = 1
"""Ranks up to this are the two worst grades: what has to be found out is found out with milder messages."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How one provider is used."""

    name: str
    """As its file has it; unique within the channel."""
    order: int = 0
    """The lowest that is well is used; those of the same order share the messages."""
    share: float = 1.0
    """Its part beside others of the same order: 3 and 1 are three quarters and one quarter."""
    per_second: float = 0.0
    """Messages a second at most, over time; 0: no limit."""
    burst: float = 0.0
    """Messages at once after a pause; 0: as many as a second's, and one at least."""
    connections: int = 1
    """Messages that are being sent at a time."""
    unknown: UnknownPolicy = "resend"
    receipts: bool = False
    """Whether it tells later what became of a message."""
    receipt_within: timedelta | None = None
    """How long a receipt may take; None: the default, where it gives any."""

    @property
    def awaits(self) -> timedelta:
        """How long a receipt is awaited; zero where none comes."""
        if not self.receipts:
            return timedelta(0)
        return self.receipt_within if self.receipt_within is not None else RECEIPT_WITHIN


RECEIPT_WITHIN = timedelta(minutes=5)
"""Most receipts of an SMS come within seconds; after this the phone is off, or none will come."""
