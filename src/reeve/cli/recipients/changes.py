"""What an import would change, person by person and field by field; addresses are masked, names are not shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from reeve.cli.recipients.export import row_of
from reeve.domain.recipients import CHANNELS, Recipient

_ALIKE = 85
"""Of 100: places so alike are taken for one and the same, once written wrongly."""
_SHORT = 7
"""An address of so many characters would be shown by its first and last ones."""

Key = tuple[str, str]
"""(place, id)"""


@dataclass(frozen=True, slots=True)
class Field:
    """One field that is different afterwards; empty: there is nothing in it."""

    name: str
    was: str
    now: str

    def __str__(self) -> str:
        if self.name == "name" or self.was == self.now:
            return f"{self.name}: changed" + (f" ({self.now})" if self.name != "name" else "")
        return f"{self.name}: {self.was or '(none)'} → {self.now or '(none)'}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import does to the record."""

    new: tuple[Recipient, ...]
    changed: tuple[tuple[Recipient, Recipient], ...]
    """(as it was, as it will be)"""
    unchanged: int
    missing: tuple[Recipient, ...]
    """In the record, at a place that the file speaks of, and not in the file. Only `--replace` removes them."""

    @property
    def saved(self) -> list[Recipient]:
        """Everybody to be written."""
        return [*self.new, *(now for _, now in self.changed)]


def changes_between(known: Iterable[Recipient], wanted: Iterable[Recipient]) -> Changes:
    """What makes the record say what the file says. Ordered by place and id."""
    before: Mapping[Key, Recipient] = {(one.place, one.id): one for one in known}
    after: Mapping[Key, Recipient] = {(one.place, one.id): one for one in wanted}
    places = {place for place, _ in after}
    both = [(before[key], after[key]) for key in sorted(before.keys() & after.keys())]
    return Changes(
        tuple(after[key] for key in sorted(after.keys() - before.keys())),
        tuple((was, now) for was, now in both if was != now),
        sum(was == now for was, now in both),
        tuple(before[key] for key in sorted(before.keys() - after.keys()) if key[0] in places),
    )


def places_misspelt(known: Iterable[Recipient], wanted: Iterable[Recipient]) -> Iterator[tuple[str, str]]:
    """New places that look like another at which there are more people: (place, the other).

    Places that differ by their numbers alone are meant so.
    """
    wanted = list(wanted)
    people = {(one.place, one.id) for one in (*known, *wanted)}
    size = Counter(place for place, _ in people)
    before = {one.place for one in known}
    for place in sorted({one.place for one in wanted} - before):
        others = [each for each in size if size[each] > size[place] and _letters(each) != _letters(place)]
        close = max(others, key=lambda each: fuzz.ratio(each, place), default=None)
        if close is not None and fuzz.ratio(close, place) >= _ALIKE:
            yield place, close


def _letters(place: str) -> str:
    return re.sub(r"[0-9]+", "", place)


def fields_changed(was: Recipient, now: Recipient) -> Iterator[Field]:
    """The fields that differ, in the order of the columns."""
    old, new = row_of(was), row_of(now)
    for column, text in new.items():
        if text == old[column]:
            continue
        if column in CHANNELS:
            yield Field(column, masked(old[column]), masked(text))
        elif column == "name":
            yield Field(column, *("…" if each else "" for each in (old[column], text)))
        else:
            yield Field(column, old[column], text)


def lines_of(changes: Changes, *, removing: bool) -> Iterator[tuple[str, str]]:
    """The changes as lines for people: (text, style)."""
    for person in changes.new:
        reached = ", ".join(f"{name} {masked(address)}" for name, address in sorted(person.addresses.items()))
        yield f"+ {person.place}/{person.id}  {row_of(person)['roles'] or '-'}  {reached}", "green"
    for was, now in changes.changed:
        yield f"~ {now.place}/{now.id}", "yellow"
        for each in fields_changed(was, now):
            yield f"    {each}", ""
    if removing:
        for person in changes.missing:
            yield f"- {person.place}/{person.id}  {row_of(person)['roles'] or '-'}", "red"


def rows_of(changes: Changes, *, removing: bool) -> Iterator[dict[str, Any]]:
    """The changes as JSON objects."""
    for person in changes.new:
        yield {"change": "new", "place": person.place, "id": person.id}
    for was, now in changes.changed:
        fields = [{"field": each.name, "was": each.was, "now": each.now} for each in fields_changed(was, now)]
        yield {"change": "changed", "place": now.place, "id": now.id, "fields": fields}
    if removing:
        for person in changes.missing:
            yield {"change": "removed", "place": person.place, "id": person.id}


def masked(address: str) -> str:
    """Enough to recognise an address one knows, too little to use one: `+44…01`, `m…@example.org`."""
    scheme, secret, _ = address.partition("://")
    if secret:
        return f"{scheme}://…{address[-2:]}"
    name, at, domain = address.partition("@")
    if at and name:
        return f"{name[0]}…@{domain}"
    return f"{address[:3]}…{address[-2:]}" if len(address) > _SHORT else "…" * bool(address)
