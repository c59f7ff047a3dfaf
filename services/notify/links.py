"""The link in a message by which its reader takes the case: issued only where a link leads somewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from reeve.domain.recipients import OWNER
from reeve.ports import TimeSource
from reeve.runtime.store.ack_tokens import AckTokenStore
from services.notify.hand import Item


class AckLinks:
    """Gives each delivery its link. Without a public address or a secret there are no links."""

    def __init__(self, tokens: AckTokenStore | None, public_url: str, time_source: TimeSource) -> None:
        self._tokens = tokens if public_url else None
        self._public_url = public_url
        self._time = time_source

    async def add(self, items: Sequence[Item]) -> None:
        """Each item that an acknowledgement would end carries its link. Raises StoreAway."""
        tokens = self._tokens
        if tokens is None:
            return
        now = self._time.now()

        async def issue(item: Item) -> None:
            delivery = item.delivery
            token = await tokens.issue(
                notification=delivery.notification,
                recipient=delivery.recipient,
                site=delivery.case.site,
                family=item.case.family,
                subject=item.case.root or delivery.case.subject,
                step=delivery.step,
                now=now,
            )
            item.ack_url = f"{self._public_url}/ack/{token}"

        wanted = [item for item in items if item.delivery.ack_ends and item.delivery.role != OWNER]
        await asyncio.gather(*(issue(item) for item in wanted))
