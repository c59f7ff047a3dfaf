"""The people who are told, out of the record: one a line, or all of them in a file that imports to the same."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Literal

from rapidfuzz import process

from reeve.cli.ending import fail
from reeve.cli.exit_codes import USAGE
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.recipients.cells import write_away, write_quiet, write_roles
from reeve.cli.recipients.changes import masked
from reeve.cli.recipients.export import exported, object_of
from reeve.cli.recipients.texts import say
from reeve.cli.targets import find_targets, open_record
from reeve.domain.recipients import ROLES, Recipient
from reeve.runtime.store.recipients import RecipientStore


def list_people(place: str | None, role: str | None, show_addresses: bool, as_json: bool, lang: str) -> None:
    """Prints them. Ends the command where there is no such role."""
    if role is not None and role not in ROLES:
        close = process.extractOne(role, ROLES, score_cutoff=60)
        fail(
            say("no_role_like", lang, role=role, best=close[0]) if close else say("no_role", lang, role=role), USAGE
        )
    people = asyncio.run(_all(place))
    shown = [person for person in people if role is None or role in person.all_roles]
    for person in shown:
        _show(person, show_addresses, as_json, lang)
    if not shown and not as_json:
        held = say("as_role", lang, role=role) if role else ""
        errors().print(say("none", lang, role=held, place=say("at_place", lang, place=place) if place else ""))


def export_people(
    file: Path | None, place: str | None, kind: Literal["csv", "xlsx", "json"], encoding: str, lang: str
) -> None:
    """All of them are in the file, or on standard output."""
    people = asyncio.run(_all(place))
    content = exported(people, kind, encoding)
    if file is None:
        sys.stdout.buffer.write(content)
        return
    _write_privately(file, content)
    errors().print(say("written", lang, count=len(people), file=file))


async def _all(place: str | None) -> list[Recipient]:
    async with open_record(find_targets(), "recipients") as database:
        return await RecipientStore(database).all(place)


def _show(person: Recipient, show_addresses: bool, as_json: bool, lang: str) -> None:
    addresses = {
        channel: address if show_addresses else masked(address)
        for channel, address in sorted(person.addresses.items())
    }
    if as_json:
        print_json(object_of(person, addresses, name=show_addresses))
        return
    name = f" {person.name}" if show_addresses and person.name else ""
    held = write_roles(person.roles, person.terms) or "-"
    spoken = f" [{person.language}]" if person.language else ""
    reached = say("comma", lang).join(
        f"{channel} {address}" + (say("unverified", lang) if channel in person.unverified else "")
        for channel, address in addresses.items()
    )
    more = [say("quiet", lang, hours=write_quiet(person.quiet))] if person.quiet else []
    more += [say("away", lang, days=write_away(person.away))] if person.away else []
    print_line((f"{person.place}/{person.id}", "bold"), "  ".join([f"{name}{spoken}", held, reached, *more]))


def _write_privately(file: Path, content: bytes) -> None:
    """A new file is for its owner alone; nothing is left of an old one."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:  # noqa: PTH123
        opened.write(content)
