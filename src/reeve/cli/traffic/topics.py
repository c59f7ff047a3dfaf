"""Topics on the bus, followed and printed: as one-liners, or as they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from nats.aio.msg import Msg

from reeve.cli.following import follow
from reeve.cli.output import errors, moment, print_json, print_line
from reeve.cli.targets import Targets, find_targets, open_bus
from reeve.cli.wording import STYLES, because, phrase
from reeve.domain.errors import ReeveError
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.bus.streams import STREAMS
from reeve.runtime.process import stop_requested

_CLOSE_SECONDS = 2.0


class NothingToFollow(ReeveError):
    """No stream carries the subject."""

    def __init__(self, subject: str) -> None:
        topics = ", ".join(sorted(name for stream in STREAMS for name in stream.get("subjects", ())))
        super().__init__(f"Nothing is published on {subject!r}; there are {topics}.")


def streams_for(subject: str) -> list[str]:
    """Names of the streams that carry some subject matching this pattern."""
    return [
        str(stream["name"])
        for stream in STREAMS
        if any(_overlap(subject.split("."), own.split(".")) for own in stream.get("subjects", ()))
    ]


def _overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether some subject matches both patterns."""
    if not one or not other:
        return not one and not other
    if one[0] == ">" or other[0] == ">":
        return True
    return (one[0] == other[0] or "*" in (one[0], other[0])) and _overlap(one[1:], other[1:])


async def follow_until_stopped(subjects: Sequence[str], start: datetime | None, lang: str | None) -> None:
    """Prints what is published, and was since `start`, until Ctrl-C. Raises BusAway or NothingToFollow."""
    targets = find_targets()
    stopped = asyncio.create_task(stop_requested().wait())
    following = asyncio.create_task(_follow(targets, subjects, start, lang))
    await asyncio.wait({stopped, following}, return_when=asyncio.FIRST_COMPLETED)
    if following.done():
        following.result()
    # The client library can swallow a cancellation; asyncio.run cancels once more what is left then.
    following.cancel()
    await asyncio.wait({following}, timeout=_CLOSE_SECONDS)


async def _follow(targets: Targets, subjects: Sequence[str], start: datetime | None, lang: str | None) -> None:
    async with open_bus(targets, "tail") as bus:
        for subject in subjects:
            await _subscribe(bus, subject, start, lang)
        if lang is not None:
            said = "正在跟踪 {}；按 Ctrl-C 结束。" if lang == "zh" else "Following {}; Ctrl-C ends."
            errors().print(said.format(("、" if lang == "zh" else " and ").join(subjects)), style="dim")
        # The connection comes back by itself after an outage, and the consumers with it.
        await asyncio.Event().wait()


async def _subscribe(bus: BusConnection, subject: str, start: datetime | None, lang: str | None) -> None:
    streams = streams_for(subject)
    if not streams:
        raise NothingToFollow(subject)
    for stream in streams:

        async def take(message: Msg) -> None:
            show_message(message.subject, message.data, lang)

        await follow(bus, stream, subject, take, start)


def show_message(subject: str, body: bytes, lang: str | None) -> None:
    """Prints one message, `lang` None: as JSON. What is no JSON object is told by its subject and size alone."""
    try:
        message = json.loads(body)
    except ValueError:
        message = None
    if lang is None:
        print_json(message if isinstance(message, dict) else {"subject": subject, "bytes": len(body)})
    elif isinstance(message, dict):
        print_line(*one_liner(subject, message, lang))
    else:
        print_line(f"{subject}  {len(body)} bytes")


def one_liner(subject: str, message: dict[str, Any], lang: str = "en") -> list[str | tuple[str, str]]:
    """A CloudEvent as one readable line. Of what site systems posted it shows no data."""
    at = moment(str(message.get("time", ""))) if message.get("time") else " " * 19
    family, _, what = str(message.get("type", "")).partition(".")
    if family not in ("cases", "notifications"):
        where = "/".join(str(message[key]) for key in ("site", "subject") if message.get(key))
        return [(at, "dim"), f"  {where or subject}  {message.get('type', '')} {message.get('id', '')}"]
    data = message.get("data")
    keys = data if isinstance(data, dict) else {}
    case = str(message.get("correlationid", subject))
    reason = because(keys, lang)
    return [
        (at, "dim"),
        f"  {case}  ",
        (phrase(what, keys, lang), STYLES.get(what, "")),
        (f"  ← {reason}" if reason else "", "dim"),
    ]
