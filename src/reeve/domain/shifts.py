"""Who is on shift, when that changes, and where nobody is. Pure: rotas, changes and `at` are given.

Shifts begin and end at local wall times, also where a day has 23 or 25 hours: one ends at the instant at which the
next begins, so clocks that are put forward or back leave no hour without anyone, and none with two shifts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from reeve.domain.facts import zone_of
from reeve.domain.rotas import NOBODY, Change, Exchange, Layer, Rota
from reeve.domain.wall_clock import DAY, MINUTES, first_instant

_INSTANT = timedelta(microseconds=1)
_BEYOND = timedelta(days=2)
"""More than a zone's offset and an extra hour: how far a local day may lie from its instants."""
_LONGEST_LOOK = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Period:
    """A time throughout which the same people are on, within the same shifts."""

    start: datetime
    """Aware UTC."""
    end: datetime
    """Exclusive."""
    people: frozenset[str]
    shifts: tuple[str, ...] = ()
    """Names of the shifts, as far as they have names."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One shift of one day, as instants."""

    start: datetime
    end: datetime
    people: frozenset[str]
    shift: str


def on_shift(rota: Rota, changes: Sequence[Change], at: datetime) -> frozenset[str] | None:
    """Who is on at that instant; nobody is an empty set. None: the rota does not speak of that time.

    It speaks from the first beginning of a layer to the last end of one.
    """
    turns = [turn for layer in rota.layers for turn in _turns(layer, rota, at, at + _INSTANT)]
    people = _changed(_together(turns, at), _exchanges(changes), at)
    return people if people or turns or _speaks_of(rota, at) else None


def periods(rota: Rota, changes: Sequence[Change], start: datetime, end: datetime) -> list[Period]:
    """The time from `start` to `end`, in order and without a gap; the first and last as long as they really are.

    A time with nobody on is a period too; at the edge of the window it is cut. Neighbours may have the same people:
    then a shift ends between them.
    """
    if end <= start:
        return []
    reach = max((layer.step for layer in rota.layers), default=1) * DAY + _BEYOND
    turns = [turn for layer in rota.layers for turn in _turns(layer, rota, start - reach, end + reach)]
    exchanges = _exchanges(changes)
    of_turns = {at for turn in turns for at in (turn.start, turn.end)}
    of_exchanges = {at for each in exchanges for at in (each.start, each.end)}
    found: list[Period] = []
    for begin, stop in pairwise(sorted({start - reach, end + reach, *of_turns, *of_exchanges})):
        here = [turn for turn in turns if turn.start <= begin < turn.end]
        people = _changed(_together(here, begin), exchanges, begin)
        names = tuple(dict.fromkeys(turn.shift for turn in here if turn.shift))
        last = found[-1] if found else None
        if last is not None and begin not in of_turns and (last.people, last.shifts) == (people, names):
            found[-1] = Period(last.start, stop, people, names)  # a change that changes nothing here
        else:
            found.append(Period(begin, stop, people, names))
    inside = [each for each in found if each.end > start and each.start < end]
    return [
        each if each.people else Period(max(each.start, start), min(each.end, end), each.people, each.shifts)
        for each in inside
    ]


def hand_overs(rota: Rota, changes: Sequence[Change], after: datetime, until: datetime) -> list[Period]:
    """The periods that begin with other people than before, from later than `after` to `until`, in order.

    Where nobody comes nobody is told: such a moment is none of them.
    """
    found: list[Period] = []
    before: frozenset[str] = NOBODY
    for period in periods(rota, changes, after - _INSTANT, until + _INSTANT):
        if after < period.start <= until and period.people and period.people != before:
            found.append(period)
        before = period.people
    return found


def shift_end(rota: Rota, changes: Sequence[Change], period: Period) -> datetime:
    """When other people come after those of `period`, or nobody; at most 35 days after it began."""
    latest = period.start + _LONGEST_LOOK
    following = (each for each in periods(rota, changes, period.start, latest) if each.start > period.start)
    return next((each.start for each in following if each.people != period.people), latest)


def uncovered(rota: Rota, changes: Sequence[Change], start: datetime, end: datetime) -> list[Period]:
    """The times from `start` to `end` with nobody on, joined, in order."""
    found: list[Period] = []
    for each in periods(rota, changes, start, end):
        if each.people:
            continue
        begin, stop = max(each.start, start), min(each.end, end)
        if found and found[-1].end == begin:
            found[-1] = Period(found[-1].start, stop, NOBODY)
        else:
            found.append(Period(begin, stop, NOBODY))
    return found


def shifts_of(rota: Rota, changes: Sequence[Change], person: str, start: datetime, end: datetime) -> list[Period]:
    """The times in which the person is on, each whole shift once; those that begin within [start, end)."""
    found: list[Period] = []
    for each in periods(rota, changes, start - DAY, end + DAY):
        if person not in each.people:
            continue
        if found and found[-1].end == each.start and found[-1].shifts == each.shifts and not _begins(rota, each):
            found[-1] = Period(found[-1].start, each.end, found[-1].people & each.people, each.shifts)
        else:
            found.append(each)
    return [each for each in found if start <= each.start < end]


def _begins(rota: Rota, period: Period) -> bool:
    """Whether a turn begins where the period does."""
    window = (period.start, period.start + _INSTANT)
    return any(turn.start == period.start for layer in rota.layers for turn in _turns(layer, rota, *window))


def _turns(layer: Layer, rota: Rota, start: datetime, end: datetime) -> Iterator[_Turn]:
    """Every turn of the layer that overlaps [start, end), as long as it really is; empty ones are left out."""
    zone = zone_of(rota.zone)
    longest = max(shift.end for shift in layer.shifts) // MINUTES + 1
    first = max(_near(start, -longest) - layer.start, timedelta()).days // layer.step
    last = _near(end, 1)
    number = first
    while (day := layer.start + number * layer.step * DAY) <= last:
        number += 1
        if layer.until is not None and day > layer.until:
            return
        turn = layer.turns[(day - layer.start).days // layer.every % len(layer.turns)]
        for shift, people in zip(layer.shifts, turn, strict=True):
            if day.weekday() not in shift.days:
                continue
            begin, stop = first_instant(day, shift.start, zone), first_instant(day, shift.end, zone)
            if begin < stop and begin < end and stop > start:
                yield _Turn(begin, stop, people, shift.name)


def _near(at: datetime, days: int) -> date:
    """A day so many days and a zone's offset away."""
    return (at + (days + (1 if days > 0 else -1)) * DAY).date()


def _speaks_of(rota: Rota, at: datetime) -> bool:
    zone = zone_of(rota.zone)
    starts = [first_instant(each.start, min(s.start for s in each.shifts), zone) for each in rota.layers]
    ends = [
        None if each.until is None else first_instant(each.until, max(s.end for s in each.shifts), zone)
        for each in rota.layers
    ]
    return bool(starts) and min(starts) <= at and any(end is None or at < end for end in ends)


def _together(turns: Collection[_Turn], at: datetime) -> frozenset[str]:
    return frozenset().union(*(turn.people for turn in turns if turn.start <= at < turn.end))


def _exchanges(changes: Sequence[Change]) -> list[Exchange]:
    """What counts of the changes, in the order in which they were made: none alters what was before it."""
    found: list[Exchange] = []
    for change in sorted(changes, key=lambda each: (each.made_at, each.id)):
        for each in change.exchanges:
            start = max(each.start, change.made_at)
            end = each.end if change.removed_at is None else min(each.end, change.removed_at)
            if start < end:
                found.append(Exchange(start, end, each.comes, each.leaves))
    return found


def _changed(people: frozenset[str], exchanges: Sequence[Exchange], at: datetime) -> frozenset[str]:
    for each in exchanges:
        if not each.start <= at < each.end:
            continue
        if each.leaves is None:
            people = each.comes
        elif not each.leaves:
            people |= each.comes
        elif people & each.leaves:
            people = (people - each.leaves) | each.comes
    return people
