"""The ways by which the reader of a message answers it: a link, a code for a reply by SMS, an address for a mail.

Given only to messages that an acknowledgement would end, and only as far as an answer can come back that way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from reeve.domain.recipients import OWNER
from reeve.ports import TimeSource
from reeve.runtime.store.ack_tokens import AckTokenStore, Asked, hash_of
from reeve.runtime.store.reply_codes import ReplyCodes, Sending
from services.notify.hand import Item


@dataclass(frozen=True, slots=True)
class Ways:
    """By which answers can come back."""

    public_url: str = ""
    """Where intake's pages are reached; empty: no links."""
    sms: bool = False
    """Whether a provider hands replies by SMS to intake."""
    reply_to: str = ""
    """`reeve+{code}@example.org`: where replies by mail go; empty: nowhere."""

    @property
    def any(self) -> bool:
        return bool(self.public_url or self.sms or self.reply_to)


class AckLinks:
    """Gives each delivery its ways."""

    def __init__(self, tokens: AckTokenStore, codes: ReplyCodes, ways: Ways, time_source: TimeSource) -> None:
        self._tokens = tokens
        self._codes = codes
        self.ways = ways
        """May be exchanged at any time."""
        self._time = time_source

    async def add(self, items: Sequence[Item]) -> None:
        """Each item that an acknowledgement would end carries its ways. Raises StoreAway."""
        wanted = [item for item in items if item.delivery.ack_ends and item.delivery.role != OWNER]
        if not wanted or not self.ways.any:
            return
        now = self._time.now()
        asked = [_asked(item) for item in wanted]
        tokens = self._tokens.tokens(asked)
        sendings: dict[str, list[tuple[Item, Sending]]] = {"sms": [], "email": []}
        for item, token in zip(wanted, tokens, strict=True):
            if self.ways.public_url:
                item.ack_url = f"{self.ways.public_url}/ack/{token}"
            channel = item.delivery.channel
            address = item.person.addresses.get(channel) if item.person else None
            if address and channel in sendings:
                sendings[channel].append((item, _sending(item, token, address)))
        short = sendings["sms"] if self.ways.sms else []
        mails = sendings["email"] if self.ways.reply_to else []
        _, short_codes, mail_codes = await asyncio.gather(
            self._tokens.issue(asked, now),
            self._codes.issue_short([sending for _, sending in short], now),
            self._codes.issue_mail([sending for _, sending in mails], now),
        )
        for (item, _), code in zip(short, short_codes, strict=True):
            item.reply_code = code
        for (item, _), code in zip(mails, mail_codes, strict=True):
            item.reply_to = self.ways.reply_to.replace("{code}", code)


def _asked(item: Item) -> Asked:
    delivery = item.delivery
    return Asked(
        notification=delivery.notification,
        recipient=delivery.recipient,
        site=delivery.case.site,
        family=item.case.family,
        subject=item.case.root or delivery.case.subject,
        step=delivery.step,
        case=str(delivery.case),
    )


def _sending(item: Item, token: str, address: str) -> Sending:
    delivery = item.delivery
    return Sending(delivery.id, delivery.notification, delivery.recipient, hash_of(token), address)
