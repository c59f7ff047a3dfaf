"""Receipts: what providers say, after they took a message, about whether it arrived.

They come as posts that intake has put into the record, whenever the provider likes: before our own note that the
message was sent, twice, in any order, for messages of others. Nothing of that does harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from reeve.ports import StoreAway, TimeSource
from reeve.runtime.crash import reach
from reeve.runtime.providers.load import Configured
from reeve.runtime.providers.posts import Post, Receipt, receipts_in
from reeve.runtime.store.deliveries import Attempt, Delivery, State
from reeve.runtime.store.delivery_receipts import Change, DeliveryReceipts, by_our_id, by_their_id
from reeve.runtime.store.provider_posts import ProviderPost, ProviderPostStore
from reeve.runtime.telemetry import get_log
from services.notify.channels.base import Reason
from services.notify.metrics import RECEIPTS
from services.notify.planner import Planner
from services.notify.pool.choice import ProviderPool

_POLL_SECONDS = 0.5
_LONGEST_LEASE = timedelta(seconds=10)
"""A receipt that waits because we died may come too late to keep a message from being sent again."""
_AWAITED = timedelta(minutes=10)
"""A receipt may be so much earlier than our own note of what was sent; after that it is of somebody else."""
_LOOK_AGAIN = timedelta(seconds=1)

log = get_log(__name__)


def judged(delivery: Delivery, provider: str, receipt: Receipt, another: bool, now: datetime) -> Change | None:
    """What the receipt makes of the delivery; None: nothing, it was said before or is no news any more.

    That it arrived stands against everything. That it did not counts only for the last time it was sent: then
    another provider has it, where there is one (`another`) and the address is not at fault, else it has failed.
    """
    if delivery.state == "delivered" or receipt.status == "pending":
        return None
    sent = [each for each in delivery.attempts if each.result in ("sent", "resent") or _silent(each)]
    meant = _meant(sent, provider, receipt)
    reference = meant.reference if meant is not None else receipt.reference
    result = "delivered" if receipt.status == "delivered" else "not_delivered"
    said = {(each.provider, each.reference, each.result) for each in delivery.attempts}
    if (provider, reference, result) in said:
        return None
    if result == "delivered":
        return Change(delivery, Attempt(now, result, Reason.ACCEPTED.value, reference, provider), "delivered", now)
    reason = Reason.BAD_ADDRESS if receipt.bad_address else Reason.NOT_DELIVERED
    state: State | None = None
    if delivery.state in ("sent", "unknown") and meant is sent[-1]:
        state = "queued" if another and not receipt.bad_address else "failed"
    return Change(delivery, Attempt(now, result, reason.value, reference, provider), state, now)


class ReceiptKeeper:
    """`run` once, until cancelled."""

    def __init__(
        self,
        posts: ProviderPostStore,
        deliveries: DeliveryReceipts,
        providers: Mapping[str, Configured],
        pools: Mapping[str, ProviderPool],
        planner: Planner,
        news: asyncio.Event,
        time_source: TimeSource,
        claim: str,
        lease: timedelta,
    ) -> None:
        """`news` is set whenever there is something the bus should hear of."""
        self._posts = posts
        self._deliveries = deliveries
        self._providers = providers
        self._pools = pools
        self._planner = planner
        self._news = news
        self._time = time_source
        self._claim = claim
        self._lease = min(lease, _LONGEST_LEASE)

    async def run(self) -> None:
        """Works through what comes in."""
        while True:
            found = 0
            try:
                found = await self.work_through()
            except StoreAway:
                log.debug("The record is away; receipts wait.", action="receipts_wait")
            if not found:
                await asyncio.sleep(_POLL_SECONDS)

    async def work_through(self) -> int:
        """One round of it; how many posts. Raises StoreAway."""
        now = self._time.now()
        posts = await self._posts.claim("receipts", now, self._lease, self._claim)
        failed: set[str] = set()
        for post in posts:
            strange = await self._apply(post, failed)
            age = now - post.received_at
            if not strange or age > _AWAITED:
                await self._posts.settle(post.id)
                if strange:
                    RECEIPTS.labels(post.provider, "unknown").inc(strange)
                    _say("A post has receipts of messages that we do not know.", "receipts_unknown", post)
            else:
                await self._posts.settle(post.id, look_at=now + max(_LOOK_AGAIN, age / 2))
        if failed:
            await self._planner.find_another_way(failed)
        return len(posts)

    async def _apply(self, post: ProviderPost, failed: set[str]) -> int:
        """How many receipts in it are of messages that are not known (yet); all others have been applied."""
        configured = self._providers.get(post.provider)
        if configured is None:
            return 1  # intake knows its file already, and we will in a moment
        found = receipts_in(configured, _as_sent(post))
        if not found:
            RECEIPTS.labels(post.provider, "unreadable").inc()
            _say("A post of a provider has no receipt in it that can be read.", "receipts_unreadable", post)
        receipts = [(each, _names(post.provider, each)) for each in found]
        wanted = {name for _, names in receipts for name in names}
        known = await self._deliveries.find(wanted)
        strange = 0
        # A post with one that is not known yet is looked at again and again: the others are counted once.
        first = post.claims <= 1
        for receipt, names in receipts:
            name = next((each for each in names if each in known), None)
            if receipt.status == "pending":
                RECEIPTS.labels(post.provider, "pending").inc(first)
            elif name is None:
                strange += 1
            elif not await self._settle(known[name], name, post.provider, receipt, failed):
                RECEIPTS.labels(post.provider, "repeated").inc(first)
        return strange

    async def _settle(
        self, delivery: Delivery, name: str, provider: str, receipt: Receipt, failed: set[str]
    ) -> bool:
        """The delivery says what the receipt says, whoever else changes it meanwhile; whether that was news."""
        while True:
            now = self._time.now()
            change = judged(delivery, provider, receipt, self._another(delivery, provider), now)
            if change is None:
                return False
            reach("notify.receipt")
            if await self._deliveries.apply(change):
                break
            again = await self._deliveries.find([name])
            if name not in again:
                return True
            delivery = again[name]
        came_to = "noted" if change.state is None else change.attempt.result
        RECEIPTS.labels(provider, came_to).inc()
        if change.state == "failed":
            failed.add(delivery.notification)
        if change.state is not None:
            self._news.set()
            log.info(
                "A receipt has come.",
                action="receipt",
                case=str(delivery.case),
                channel=delivery.channel,
                recipient=delivery.recipient,
                provider=provider,
                reason=change.attempt.reason,
                state=change.state,
            )
        return True

    def _another(self, delivery: Delivery, provider: str) -> bool:
        """Whether a provider is left that has not had it."""
        pool = self._pools.get(delivery.channel)
        had = {each.provider for each in delivery.attempts if each.result != "transient"} | {provider}
        return pool is not None and pool.another(had, asyncio.get_running_loop().time())


def _say(sentence: str, action: str, post: ProviderPost) -> None:
    """By its id: who posts may have put anything into it."""
    log.warning(sentence, action=action, provider=post.provider, post=post.id[:12])


def _names(provider: str, receipt: Receipt) -> list[str]:
    names = []
    if receipt.reference is not None:
        names.append(by_their_id(provider, receipt.reference))
    if receipt.id is not None:
        names.append(by_our_id(provider, receipt.id))
    return names


def _silent(attempt: Attempt) -> bool:
    return attempt.result == "unknown" and attempt.reason != Reason.INTERRUPTED


def _meant(sent: list[Attempt], provider: str, receipt: Receipt) -> Attempt | None:
    """The try it is about: that of the provider's id, else the last one this provider had."""
    his = [each for each in sent if each.provider == provider]
    same = [each for each in his if receipt.reference is not None and each.reference == receipt.reference]
    return next(reversed(same or his), None)


def _as_sent(post: ProviderPost) -> Post:
    headers = {"content-type": post.content_type}
    return Post(post.method, "", post.query, headers, post.body)
