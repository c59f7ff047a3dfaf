"""What the commands of `reeve silences` share: what they look up, read and print."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NoReturn

from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.flood.silence_checks import read_when
from reeve.cli.lengths import length_of
from reeve.cli.output import left, print_line
from reeve.domain.bundle import Bundle
from reeve.domain.facts import zone_of
from reeve.domain.flood.silences import Matchers
from reeve.rulelang.problems import closest
from reeve.runtime.store.mongo import Database
from reeve.runtime.store.silences import Kept, SilenceStore


async def found_silence(store: SilenceStore, name: str, words: dict[str, str]) -> Kept:
    """The silence of that id; ends the command where there is none."""
    kept = await store.find(name)
    if kept is None:
        fail(words["not_found"].format(id=name), BAD)
    return kept


async def matching_cases(database: Database, matchers: Matchers) -> int:
    """Open cases that a silence may be about; role, recipient and message are not asked."""
    query: dict[str, Any] = {"open": True}
    for name in ("site", "policy", "grade"):
        if value := getattr(matchers, name):
            query[name] = value
    if matchers.subject:
        query["subject"] = {"$regex": "^" + re.escape(matchers.subject)}
    return await database["cases"].count_documents(query)


def places_of(bundle: Bundle, site: str) -> set[str]:
    """Where a recipient of the site may be; empty: anywhere."""
    parent = bundle.site(site).parent
    return {place for place in (site, parent) if place} if site else set()


def end_asked(until: str | None, length: str | None, since: datetime, zone: str, words: dict[str, str]) -> datetime:
    """The end that was asked for, by --until or --for; ends the command where it is none."""
    if (until is None) == (length is None):
        fail(words["one_end"], USAGE)
    if until is not None:
        return moment_asked("until", until, zone, words)
    lasting = length_of(str(length))
    if lasting is None:
        fail(words["bad_length"].format(found=length), USAGE)
    return since + lasting


def moment_asked(option: str, text: str, zone: str, words: dict[str, str]) -> datetime:
    """The moment that was asked for; ends the command where it is none."""
    at = read_when(text, zone)
    if at is None:
        fail(words["bad_moment"].format(option=option, found=text), USAGE)
    return at


def unknown(
    option: str, found: str, best: str | None, words: dict[str, str], known: frozenset[str] = frozenset()
) -> NoReturn:
    """Ends the command: the option names nothing that there is."""
    best = best or closest(found, known)
    hint = words["mean"].format(best=best) if best else words["nothing_like"].format(option=option)
    fail(words["unknown"].format(option=option, found=found, hint=hint), USAGE)


def span_of(kept: Kept, bundle: Bundle) -> dict[str, str]:
    """From and until, at the site."""
    zone = zone_of(bundle.site(kept.silence.matchers.site).zone)
    return {
        "since": f"{kept.silence.since.astimezone(zone):%Y-%m-%d %H:%M}",
        "until": f"{kept.silence.until.astimezone(zone):%Y-%m-%d %H:%M}",
    }


def what_of(matchers: Matchers) -> str:
    """The matchers as one reads them."""
    return ", ".join(f"{name} {value}{'…' if name == 'subject' else ''}" for name, value in matchers.given.items())


def print_silence(kept: Kept, now: datetime, bundle: Bundle, words: dict[str, str]) -> None:
    """A silence, for people."""
    silence, state = kept.silence, kept.state(now)
    shown = words["ended_state" if state == "ended" else state]
    span = span_of(kept, bundle)
    print_line(
        (f"{silence.id}  ", "bold"),
        (f"{shown:<8}", {"active": "yellow", "to come": "cyan", "ended": "dim"}[state]),
        f"  {span['since']} – {span['until']} ",
        (f"({left(silence.until, now, words['language'])})  ", "dim"),
        what_of(silence.matchers),
    )
    print_line((f"         {words['by'].format(author=silence.author, reason=silence.reason)}", "dim"))
    if kept.warned and state == "active":
        print_line((f"         {words['warned']}", "dim"))


def row_of(kept: Kept, now: datetime, bundle: Bundle) -> dict[str, Any]:
    """A silence, for programs."""
    silence = kept.silence
    return {
        "id": silence.id,
        "state": kept.state(now),
        "matchers": silence.matchers.given,
        "from": silence.since.isoformat(),
        "until": silence.until.isoformat(),
        "author": silence.author,
        "reason": silence.reason,
        "include_worst": silence.include_worst,
        "warned": kept.warned,
    }
