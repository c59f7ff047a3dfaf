"""Dead letters in their stream: listed, shown, put back where they came from."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import nats.errors
import nats.js.errors

from reeve.cli.output import errors, moment, print_json, print_line
from reeve.cli.speaking import say
from reeve.cli.targets import find_targets, open_bus
from reeve.cli.traffic.dead_texts import WORDS
from reeve.contracts.notices import DeadLetter, read_dead_letter
from reeve.domain.errors import ReeveError
from reeve.ports import BusAway
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.bus.publisher import BusPublisher

STREAM = "DEAD"
_INTERNAL = re.compile(r"work\.\d+\.(.+)")
"""WORK is filled by the bus from EVENTS and takes no messages: what died there goes back by EVENTS."""


class NoSuchLetter(ReeveError):
    """No dead letter has this number."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A dead letter as it stands in its stream."""

    number: int
    """Its sequence in the stream: never used twice."""
    letter: DeadLetter
    body: bytes
    """The original bytes."""

    def row(self) -> dict[str, Any]:
        """What `--json` prints; the body itself only with `show`."""
        data = self.letter.data
        return {
            "number": self.number,
            "time": self.letter.time,
            "service": data.service,
            "site": data.site,
            "subject": data.subject,
            "reason": data.reason,
            "attempts": data.attempts,
            "bytes": len(self.body),
        }


async def list_letters(subject: str, as_json: bool, lang: str) -> None:
    """Prints those that died on these subjects, oldest first."""
    count = 0
    async with open_bus(find_targets(), "dead") as bus:
        async for kept in _letters(bus, subject):
            count += 1
            print_json(kept.row()) if as_json else _print_row(kept, lang)
    if not as_json:
        errors().print(say(WORDS, "one" if count == 1 else "count", lang, n=count), style="dim")


def _print_row(kept: Kept, lang: str) -> None:
    data = kept.letter.data
    print_line(
        (f"{kept.number:>6}", "bold"),
        (f"  {moment(kept.letter.time)}  ", "dim"),
        f"{data.service} {data.site}  {data.subject}  ",
        (data.reason, "red"),
        say(WORDS, "attempt" if data.attempts == 1 else "attempts", lang, n=data.attempts),
    )


async def show_letter(number: int, as_json: bool, lang: str) -> None:
    """Prints one with its body. Raises NoSuchLetter."""
    async with open_bus(find_targets(), "dead") as bus:
        kept = await _letter(bus, number, lang)
    text = kept.body.decode("utf-8", "backslashreplace")
    if as_json:
        print_json({**kept.row(), "headers": kept.letter.data.headers, "body": text})
        return
    _print_row(kept, lang)
    for name, value in sorted(kept.letter.data.headers.items()):
        print_line((f"  {name}: ", "dim"), value)
    print_line(text)


async def replay_letters(numbers: list[int] | None, as_json: bool, lang: str) -> None:
    """They are published again and gone from here; None: all of them. Raises NoSuchLetter and BusAway."""
    async with open_bus(find_targets(), "dead") as bus:
        publisher = BusPublisher(bus)
        await publisher.start()
        if numbers is None:
            letters = [kept async for kept in _letters(bus, "dead.>")]
        else:
            letters = [await _letter(bus, number, lang) for number in numbers]
        for kept in letters:
            subject = replay_subject(kept.letter.data.subject)
            headers = {
                name: value
                for name, value in kept.letter.data.headers.items()
                if not name.lower().startswith("nats-")
            }
            # An id of its own: the original's may still be within the bus's duplicate window.
            await publisher.publish(subject, f"replay-{kept.letter.id}-{kept.number}", kept.body, headers)
            await _remove(bus, kept.number)
            if as_json:
                print_json({**kept.row(), "replayed_to": subject})
            else:
                print_line((f"{kept.number:>6}", "bold"), say(WORDS, "again", lang, subject=subject))


def replay_subject(subject: str) -> str:
    """Where a message that came on `subject` is put back."""
    match = _INTERNAL.fullmatch(subject)
    return f"events.{match[1]}" if match else subject


async def _letters(bus: BusConnection, subject: str) -> AsyncIterator[Kept]:
    """Every letter that is there when this starts, oldest first."""
    number = 0
    while True:
        try:
            message = await bus.jetstream.get_msg(STREAM, seq=number + 1, subject=subject, next=True)
        except nats.js.errors.NotFoundError:
            return
        except (nats.errors.Error, TimeoutError) as error:
            raise BusAway("it did not answer") from error
        number = message.seq or number + 1
        kept = _read(number, message.data or b"")
        if kept is not None:
            yield kept


async def _letter(bus: BusConnection, number: int, lang: str) -> Kept:
    try:
        message = await bus.jetstream.get_msg(STREAM, seq=number)
    except nats.js.errors.NotFoundError:
        message = None
    except (nats.errors.Error, TimeoutError) as error:
        raise BusAway("it did not answer") from error
    kept = None if message is None else _read(number, message.data or b"")
    if kept is None:
        raise NoSuchLetter(say(WORDS, "no_such", lang, number=number))
    return kept


async def _remove(bus: BusConnection, number: int) -> None:
    try:
        await bus.jetstream.delete_msg(STREAM, number)
    except nats.js.errors.NotFoundError:
        return  # somebody else was faster
    except (nats.errors.Error, TimeoutError) as error:
        raise BusAway("it did not answer") from error


def _read(number: int, data: bytes) -> Kept | None:
    try:
        letter, body = read_dead_letter(data)
        datetime.fromisoformat(letter.time)
    except ValueError:
        return None  # not one of ours: somebody published on dead.> by hand
    return Kept(number, letter, body)
