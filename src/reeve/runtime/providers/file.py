"""What every provider's file has, whatever its kind."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any
from typing import Literal as OneOf

from pydantic import Field, field_validator, model_validator

from reeve.runtime.providers.fields import EnvironmentName, Length, Strict
from reeve.runtime.providers.webhooks import Inbound, Receipts, Webhooks

ProviderChannel = OneOf["sms", "email", "chat", "webhook"]
LONGEST_TIMEOUT = timedelta(minutes=2)
LONGEST_WAIT = timedelta(days=3)


class ProviderFile(Strict):
    """The common keys."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
    """Unique among the providers; label of metrics, part of webhook addresses."""
    channel: ProviderChannel
    order: Annotated[int, Field(ge=1, le=100)] = 1
    """The lowest is tried first; the next when that does not take a message."""
    share: Annotated[float, Field(ge=0, le=1000)] = 1.0
    """Providers of one order share the messages as these numbers say; 0: only if no other can."""
    per_second: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    """Messages a second at most, over time; 0: no limit."""
    burst: Annotated[int | None, Field(ge=1, le=100_000)] = None
    """So many at once before `per_second` holds; none: what a second allows."""
    connections: Annotated[int, Field(ge=1, le=64)] = 8
    """Messages under way at a time."""
    timeout: Length = timedelta(seconds=10)
    """How long an answer is waited for; after that nobody knows whether the message went out."""
    unknown: OneOf["resend", "wait", "give_up"] = "resend"
    """What is done when nobody knows whether it went out. resend: it is sent once more after a pause of seconds, by
    the same provider while a receipt may still come; wait: a receipt is awaited for `receipt_within`, then it is
    sent once more, and without a receipt for that it has failed; give_up: it has failed, another way is looked
    for."""
    receipt_within: Length | None = None
    """How long a receipt may take; none: 5 minutes. Without `receipts` nothing is awaited."""
    price_per_segment: Annotated[Decimal | None, Field(ge=0, le=1000)] = None
    """Yuan for one SMS segment, for the forecast of the budget; none: unknown."""
    secrets: dict[str, EnvironmentName] = Field(default_factory=dict)
    """Name in templates → environment variable that holds it."""
    webhooks: Webhooks | None = None
    receipts: Receipts | None = None
    inbound: Inbound | None = None

    @model_validator(mode="before")
    @classmethod
    def _spellings_of_before(cls, data: Any) -> Any:
        """`timeout_seconds` is how `timeout` was written at first."""
        if isinstance(data, dict) and "timeout_seconds" in data and "timeout" not in data:
            return {("timeout" if key == "timeout_seconds" else key): value for key, value in data.items()}
        return data

    @field_validator("timeout")
    @classmethod
    def _answers_come_soon(cls, value: timedelta) -> timedelta:
        if not timedelta(0) < value <= LONGEST_TIMEOUT:
            raise ValueError("this is more than 0 and at most 2m")
        return value

    @field_validator("receipt_within")
    @classmethod
    def _receipts_come(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value > LONGEST_WAIT:
            raise ValueError("this is at most 3d")
        return value

    @model_validator(mode="after")
    def _posts_are_known(self) -> ProviderFile:
        for key in ("receipts", "inbound"):
            if getattr(self, key) is not None and self.webhooks is None:
                raise ValueError(f"{key} is given, but not by what a post is known to be the provider's: webhooks")
        if self.webhooks is not None and self.receipts is None and self.inbound is None:
            raise ValueError("webhooks is given, but neither receipts nor inbound: what is in the posts?")
        if self.unknown == "wait" and self.receipts is None:
            raise ValueError("unknown: wait waits for a receipt, and receipts is not given")
        return self

    @abstractmethod
    def texts(self) -> list[tuple[tuple[str, ...], str]]:
        """Every template that is filled for a message or connection, with its place in the file."""
