"""What one would write first so that no message is lost: a queue in the record, and a connection for each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

from pymongo import ReturnDocument

from reeve.devstack.bench.fan_out import MAIL_PLACES, TEXT_PLACES, PlainSender, Takers
from reeve.devstack.bench.posting import together
from reeve.devstack.bench.rig import Rig
from reeve.runtime.time_source import SystemTime

_COLLECTION = "plain_queue"


async def plain_queue(rig: Rig, both: Takers, mails: int, texts: int) -> float:
    """Messages a second when each is claimed in the record, sent on a connection of its own, and noted as sent.

    As many are under way at once on each channel as notify has by default; they are queued beforehand.
    """
    queue = rig.database[_COLLECTION]
    await queue.create_index([("channel", 1), ("state", 1), ("rank", 1)])
    now = SystemTime().now()
    counts = (("email", mails), ("sms", texts))
    await queue.insert_many(
        [
            {"_id": f"{channel}-{number}", "channel": channel, "state": "queued", "rank": 1, "due_at": now}
            for channel, count in counts
            for number in range(count)
        ]
    )

    async def work(channel: str, send: Callable[[str], Awaitable[None]]) -> None:
        claimed = {"$set": {"state": "claimed", "claimed_at": now}}
        while each := await queue.find_one_and_update(
            {"channel": channel, "state": "queued"},
            claimed,
            sort=[("rank", 1)],
            return_document=ReturnDocument.AFTER,
        ):
            await send(each["_id"])
            await queue.update_one(
                {"_id": each["_id"]},
                {"$set": {"state": "sent", "sent_at": now}, "$push": {"attempts": {"at": now}}},
            )

    async with PlainSender(both) as sender:
        begun = perf_counter()
        await together(
            [
                *(asyncio.create_task(work("email", sender.mail)) for _ in range(MAIL_PLACES)),
                *(asyncio.create_task(work("sms", sender.text)) for _ in range(TEXT_PLACES)),
            ]
        )
        seconds = perf_counter() - begun
    await queue.drop()
    return (mails + texts) / seconds
