"""Which roles have somebody who can be reached, from a file of recipients as `reeve recipients import` takes it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reeve.domain.bundle import Bundle
from reeve.domain.errors import ReeveError
from reeve.domain.recipients import ASSIGNEE, CHANNELS, OWNER
from reeve.domain.simulate import Reachable


class BadRecipients(ReeveError):
    """The file can't be read as recipients; permanent."""


@dataclass(frozen=True, slots=True)
class _Person:
    place: str
    roles: frozenset[str]
    owns: bool


def reachable_from(file: Path, bundle: Bundle) -> Reachable:
    """Whether a role has somebody with an address at a site, or at the organisation above it.

    `owner` is taken to be reachable where any owner is, `assignee` where anybody is. Raises BadRecipients, and
    OSError if the file can't be read.
    """
    people = [person for row in _rows(file) if (person := _person(row, file)) is not None]

    def reachable(site: str, role: str) -> bool:
        places = {site, bundle.site(site).parent}
        here = [person for person in people if person.place in places]
        if role == OWNER:
            return any(person.owns or OWNER in person.roles for person in here)
        if role == ASSIGNEE:
            return bool(here)
        return any(role in person.roles for person in here)

    return reachable


def _rows(file: Path) -> list[Mapping[str, Any]]:
    text = file.read_bytes().decode("utf-8-sig", "replace")
    if text.lstrip()[:1] not in ("[", "{"):
        return list(csv.DictReader(io.StringIO(text)))
    try:
        found = json.loads(text)
    except ValueError:
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise BadRecipients(f"{file} is neither CSV nor JSON.") from error
    rows = found if isinstance(found, list) else found.get("recipients", [found])
    if not all(isinstance(row, dict) for row in rows):
        raise BadRecipients(f"{file}: each recipient must be a JSON object.")
    return list(rows)


def _person(row: Mapping[str, Any], file: Path) -> _Person | None:
    """The recipient of a row; None for one without any address, who can't be reached."""
    place = row.get("place") or row.get("site")
    if not place:
        raise BadRecipients(f"{file}: a recipient without a `site`.")
    addresses = row.get("addresses")
    reached = addresses if isinstance(addresses, Mapping) else row
    if not any(reached.get(channel) for channel in CHANNELS):
        return None
    return _Person(str(place), frozenset(_words(row.get("roles") or row.get("role"))), bool(row.get("customers")))


def _words(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return str(value or "").replace(";", " ").replace(",", " ").replace("|", " ").split()
