"""Deliveries that go out as one message: which of them are still wanted, and what the message says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.flood.settings import DIGEST
from reeve.domain.flood.tempering import PAYMENT
from reeve.domain.recipients import OWNER
from reeve.runtime.combined_text import Part, combined_text
from reeve.runtime.rendering import MessageRenderer, Rendered
from reeve.runtime.store.deliveries import Delivery
from services.notify.channels.base import Reason
from services.notify.hand import Item

__all__ = ["DIGEST", "combined", "moot_when_held"]


def moot_when_held(delivery: Delivery, case: Case) -> Reason | None:
    """Why one that waited is dropped though it is no reminder by its rule: a bill that is closed is not dunned."""
    waited = delivery.hold != ""
    if waited and delivery.role == OWNER and case.family == PAYMENT and not case.open:
        return Reason.CASE_CLOSED
    return None


def combined(
    renderer: MessageRenderer,
    bundle: Bundle,
    items: Sequence[Item],
    now: datetime,
    more: Mapping[str, Mapping[str, Any]] | None = None,
) -> Rendered:
    """One text for two or more deliveries to one person on one channel, the leading one first. Never fails.

    `more`: delivery id → values for its message that are not in the case itself. The message's name is DIGEST.
    """
    first = items[0]
    words = more or {}
    parts = [
        Part(
            item.case,
            item.delivery.message,
            item.delivery.step,
            item.delivery.role,
            item.delivery.at,
            item.ack_url,
            words.get(item.delivery.id, {}),
        )
        for item in items
    ]
    language = first.person.language if first.person is not None else ""
    return combined_text(renderer, bundle, parts, first.delivery.channel, language, now)
