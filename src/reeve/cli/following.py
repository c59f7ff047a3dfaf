"""Follows subjects on the bus, for commands that show what passes: `reeve tail` and `reeve demo`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from reeve.ports import BusAway
from reeve.runtime.bus.connection import BusConnection


async def follow(
    bus: BusConnection,
    stream: str,
    subject: str,
    take: Callable[[Msg], Awaitable[None]],
    since: datetime | None = None,
) -> None:
    """Every message of the stream on that subject is handed to `take`, in order, from now on or from `since`.

    Returns at once. Raises BusAway where nothing answers, or no such stream was ever declared.
    """
    # One configuration for each: the client writes the consumer's own address into it.
    begin = (
        ConsumerConfig(deliver_policy=DeliverPolicy.NEW)
        if since is None
        else ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_TIME, opt_start_time=since)
    )
    try:
        await bus.jetstream.subscribe(subject, stream=stream, ordered_consumer=True, cb=take, config=begin)
    except nats.js.errors.NotFoundError as error:
        raise BusAway("it has no streams yet: none of Reeve's services has run on it") from error
    except (nats.errors.Error, TimeoutError) as error:
        raise BusAway("it did not answer") from error
