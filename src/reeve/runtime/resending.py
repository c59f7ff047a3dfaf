"""A message sent again because a person said so: a delivery of its own, marked, beside the one it repeats."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from reeve.domain.errors import ReeveError
from reeve.domain.recipients import Recipient
from reeve.runtime.delivery_life import for_nobody
from reeve.runtime.store.deliveries import Delivery, DeliveryStore
from reeve.runtime.store.delivery_search import of_one_notification
from reeve.runtime.store.mongo import Database

_STILL_WAITS = ("queued", "claimed", "unknown")


_REFUSALS = {
    "waits": (
        "{delivery} is still {state}: it goes out by itself. "
        "Another person or channel can be told beside it: --to RECIPIENT, --channel CHANNEL."
    ),
    "delivered": "{delivery} was delivered already; say --again to send it a second time.",
    "for_nobody": "{delivery} was for nobody; say who should have it: --to RECIPIENT.",
    "not_on_channel": "{recipient} has no address for {channel}; there is: {known}.",
    "no_address": "{recipient} has no address at all; add one with `reeve recipients import`.",
    "just_now": "Somebody had it sent again a moment ago: {delivery}. Look at that one first.",
}


class NotResent(ReeveError):
    """It can't be sent again so; the text says why, and what would work."""

    def __init__(self, why: str, **words: str) -> None:
        super().__init__(_REFUSALS[why].format(**words))
        self.why = why
        """Stable, for those who say it in another language."""
        self.words = words
        """What such a sentence names: ids, states and channels."""


def again(
    delivery: Delivery,
    others: Collection[Delivery],
    person: Recipient,
    channel: str,
    by: str,
    note: str,
    now: datetime,
) -> Delivery:
    """The delivery that says the same once more, to this person on this channel, at once.

    `others` are all of the same notification. Two people who ask for the same at the same time make the same
    delivery, so that it goes out once. An acknowledgement before `now` does not stop it.
    """
    number = 1 + sum(each.resend_of is not None for each in others)
    return replace(
        fresh(delivery, f"{delivery.notification}~again{number}#{person.id}#{channel}", now),
        recipient=person.id,
        place=person.place,
        channel=channel,
        resend_of=delivery.id,
        by=by,
        note=note,
    )


def fresh(delivery: Delivery, id: str, now: datetime) -> Delivery:
    """A delivery of that id to the same person on the same channel, due now, of which nothing has happened yet."""
    return replace(
        delivery,
        id=id,
        reminds=False,
        at=now,
        requested_at=now,
        state="queued",
        due_at=now,
        claim=None,
        attempts=[],
        next_role=None,
        hold="",
        group="",
        into=None,
        merged=0,
        silence=None,
        segments=0,
        answers=[],
        resend_of=None,
        by="",
        note="",
    )


def refuse_if_pointless(delivery: Delivery, *, elsewhere: bool, insist: bool) -> None:
    """Raises NotResent where it goes out by itself anyway, or has arrived already and nobody insists.

    `elsewhere`: another person or channel than the delivery's own is asked for.
    """
    if delivery.state in _STILL_WAITS and not elsewhere:
        raise NotResent("waits", delivery=delivery.short, state=delivery.state)
    if delivery.state == "delivered" and not elsewhere and not insist:
        raise NotResent("delivered", delivery=delivery.short)
    if for_nobody(delivery) and not elsewhere:
        raise NotResent("for_nobody", delivery=delivery.short)


def channel_for(delivery: Delivery, person: Recipient, asked: str | None) -> str:
    """The channel asked for, else the delivery's own, else the person's first. Raises NotResent."""
    known = sorted(channel for channel, address in person.addresses.items() if address)
    if not known:
        raise NotResent("no_address", recipient=person.id)
    wanted = asked or delivery.channel
    if wanted in known:
        return wanted
    if asked is not None:
        raise NotResent("not_on_channel", recipient=person.id, channel=asked, known=", ".join(known))
    return known[0]


async def send_again(
    database: Database, delivery: Delivery, person: Recipient, channel: str, by: str, note: str, now: datetime
) -> Delivery:
    """It waits in the record, due now, and notify sends it. Raises NotResent, StoreAway."""
    others = await of_one_notification(database, delivery.notification)
    made = again(delivery, others, person, channel, by, note, now)
    if made.id not in await DeliveryStore(database).insert([made]):
        raise NotResent("just_now", delivery=made.short)
    return made
