"""`reeve shifts override|swap|remove`: what people change about a rota, with who did it and why."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal as OneOf
from zoneinfo import ZoneInfo

import typer

from reeve.cli.exit_codes import BAD
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.rules.versions import rules_if_any
from reeve.cli.shifts.checks import known_people
from reeve.cli.shifts.moments import local_iso, read_length, read_moment, shown_moment, the_one
from reeve.cli.shifts.texts import say
from reeve.cli.targets import find_targets, open_record
from reeve.domain.facts import zone_of
from reeve.domain.rotas import Change, Exchange, Rota
from reeve.domain.shifts import Period, periods, shifts_of
from reeve.rulelang.problems import Choice
from reeve.runtime.author import login_name
from reeve.runtime.store import shifts as collection
from reeve.runtime.store.mongo import ensure_indexes
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.store.shifts import ShiftStore
from reeve.runtime.time_source import SystemTime

_INSTANT = timedelta(microseconds=1)
_LOOK = timedelta(days=60)


class Wish:
    """One change of one rota, and how its author wants to be dealt with."""

    def __init__(self, which: str, note: str, author: str | None, dry_run: bool, as_json: bool, lang: str) -> None:
        self._which = which
        self._note = note
        self._author = author or login_name()
        self._dry_run = dry_run
        self._as_json = as_json
        self._lang = lang
        self._now = SystemTime().now()

    async def override(
        self,
        comes: frozenset[str],
        leaves: frozenset[str] | None,
        start: str,
        until: str | None,
        length: str | None,
    ) -> None:
        """The override is in the record. Ends the command where it can't be meant so."""
        async with open_record(find_targets(), "shifts") as database:
            store = ShiftStore(database)
            rota, changes = the_one(await store.load(), self._which, self._lang)
            zone = zone_of(rota.zone)
            begin = self._moment(start, zone, "--from")
            end = self._moment(until, zone, "--until") if until else begin
            end = begin + read_length(length, "--for", self._lang) if length else end
            if end <= max(begin, self._now):
                raise self._refused("past")
            people = await known_people(RecipientStore(database), [rota], await rules_if_any(database))
            for one in sorted(comes):
                self._check_known(one, rota, [known for place, known in people if place == rota.place])
            on = frozenset().union(*(each.people for each in periods(rota, changes, begin, end)))
            if leaves and not leaves <= on:
                there = ", ".join(sorted(on)) or say("none_on", self._lang)
                raise self._refused("not_on", who=", ".join(sorted(leaves - on)), on=there)
            change = self._change(rota, "override", Exchange(begin, end, comes, leaves))
            await self._put(store, rota, changes, change)

    async def swap(self, one: str, other: str) -> None:
        """The swap is in the record. Ends the command where it can't be meant so."""
        async with open_record(find_targets(), "shifts") as database:
            store = ShiftStore(database)
            rota, changes = the_one(await store.load(), self._which, self._lang)
            (a, of_a), (b, of_b) = (self._shift(rota, changes, each) for each in (one, other))
            if a == b:
                raise self._refused("one_person")
            for each, person in ((of_a, b), (of_b, a)):
                if person in each.people:
                    raise self._refused("on_already", person=person)
                if each.end <= self._now:
                    raise self._refused("over", at=shown_moment(each.end, rota, self._lang))
            exchanges = (
                Exchange(of_a.start, of_a.end, frozenset({b}), frozenset({a})),
                Exchange(of_b.start, of_b.end, frozenset({a}), frozenset({b})),
            )
            await self._put(store, rota, changes, self._change(rota, "swap", *exchanges))

    def _shift(self, rota: Rota, changes: Sequence[Change], text: str) -> tuple[str, Period]:
        person, at, when = text.partition("@")
        if not at or not person or not when:
            raise typer.BadParameter(say("id_day", self._lang, text=text), param_hint="ID@DAY")
        zone = zone_of(rota.zone)
        begin = self._moment(when, zone, "ID@DAY")
        if len(when) == len("2026-11-24"):
            end = self._moment(f"{when}T24:00", zone, "ID@DAY")
            end = end if end > begin else begin + timedelta(days=1)
            found = shifts_of(rota, changes, person, begin, end)
        else:
            around = shifts_of(rota, changes, person, begin - _LOOK, begin + _INSTANT)
            found = [each for each in around if each.start <= begin < each.end]
        if len(found) == 1:
            return person, found[0]
        if found:
            starts = ", ".join(f"{each.start.astimezone(zone):%Y-%m-%dT%H:%M}" for each in found)
            raise self._refused("several", person=person, starts=starts)
        coming = shifts_of(rota, changes, person, self._now, self._now + _LOOK)[:3]
        when = ", ".join(shown_moment(each.start, rota, self._lang) for each in coming)
        raise self._refused("no_shift_next" if when else "no_shift", person=person, when=when)

    def _change(self, rota: Rota, kind: OneOf["override", "swap"], *exchanges: Exchange) -> Change:
        made = uuid.uuid4().hex[:8]
        return Change(made, rota.place, rota.role, kind, exchanges, self._author, self._note, self._now)

    async def _put(self, store: ShiftStore, rota: Rota, changes: Sequence[Change], change: Change) -> None:
        if not self._dry_run:
            await store.add(change)
        for each in change.exchanges:
            begin = max(each.start, self._now)
            for period in periods(rota, [*changes, change], begin, each.end):
                if period.end <= begin or period.start >= each.end:
                    continue
                self._say(rota, change, period, max(period.start, begin))
        if not self._as_json:
            print_line((say("unchanged" if self._dry_run else "way_back", self._lang, id=change.id), "dim"))

    def _say(self, rota: Rota, change: Change, period: Period, begin: datetime) -> None:
        if self._as_json:
            row = {"id": change.id, "kind": change.kind, "place": rota.place, "role": rota.role}
            moments = {"from": local_iso(begin, rota), "until": local_iso(period.end, rota)}
            print_json(row | moments | {"people": sorted(period.people), "dry_run": self._dry_run})
            return
        who = " ".join(sorted(period.people)) or say("nobody", self._lang)
        start, end = (shown_moment(at, rota, self._lang) for at in (begin, period.end))
        print_line(f"{start} – {end}  {who}")

    def _moment(self, text: str, zone: ZoneInfo, hint: str) -> datetime:
        return read_moment(text, zone, self._now, hint, self._lang)

    def _check_known(self, one: str, rota: Rota, ids: list[str]) -> None:
        if one not in ids:
            best = Choice(one, tuple(sorted(ids))).best
            raise self._refused("stranger_like" if best else "stranger", one=one, place=rota.place, best=best)

    def _refused(self, name: str, **values: object) -> typer.Exit:
        return refused(say(name, self._lang, **values))


def refused(sentence: str) -> typer.Exit:
    """To be raised: the sentence is told already."""
    errors().print(sentence, style="red")
    return typer.Exit(BAD)


async def take_back(what: str, rota: bool, as_json: bool, lang: str) -> None:
    """The change counts no longer, or the whole rota is gone. Ends the command where there is none."""
    async with open_record(find_targets(), "shifts") as database:
        await ensure_indexes(database, collection.INDEXES)
        store = ShiftStore(database)
        place, _, role = what.partition("/")
        if rota or role:
            the_one(await store.load(), what, lang)
            if not rota:
                raise refused(say("whole_rota", lang, what=what))
            await store.remove(place, role)
            found = True
        else:
            found = await store.take_back(what, SystemTime().now()) is not None
    if not found:
        raise refused(say("no_change", lang, what=what))
    if as_json:
        print_json({"removed": what, "rota": rota})
    else:
        print_line(say("removed" if rota else "taken_back", lang, what=what))
