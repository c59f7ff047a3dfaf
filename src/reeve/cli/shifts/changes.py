"""`reeve shifts override|swap|remove`: what people change about a rota, with who did it and why."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from typing import Literal as OneOf
from zoneinfo import ZoneInfo

import typer

from reeve.cli.exit_codes import BAD
from reeve.cli.options import AsJson, DryRun, Lang
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.shifts.checks import known_people
from reeve.cli.shifts.moments import local_iso, read_length, read_moment, shown_moment, the_one
from reeve.cli.shifts.texts import say
from reeve.cli.speaking import spoken_language
from reeve.cli.targets import Targets, find_targets, open_record
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

Which = Annotated[str, typer.Argument(metavar="PLACE/ROLE", help="Whose rota.", show_default=False)]
Note = Annotated[str, typer.Option(help="Why; shown to everybody who lists changes, so no personal data.")]
Author = Annotated[str | None, typer.Option(help="Who enters this.", show_default="your login name")]


def override(
    which: Which,
    person: Annotated[
        list[str] | None, typer.Option("--person", help="Recipient id of who comes; repeatable.")
    ] = None,
    start: Annotated[str, typer.Option("--from", help="2026-11-22T08:00 (local), or now.")] = "now",
    until: Annotated[str | None, typer.Option("--until", help="2026-11-22T16:00 (local).")] = None,
    length: Annotated[str | None, typer.Option("--for", help="Instead of --until: 8h, 90m, 2d.")] = None,
    instead_of: Annotated[
        list[str] | None, typer.Option("--instead-of", help="Only in this person's stead; repeatable.")
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="In addition to whoever is on.")] = False,
    note: Note = "",
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Puts somebody on shift for some time: instead of all who are on, of one of them, or in addition.

    What was before now stays as it was. Who comes is told at the hand-over, and who comes back, too.

    Examples:

    reeve shifts override sunshine-garden/guard --person lobby-01 --instead-of guard-01 --from 2026-11-24T08:00
    --for 24h

    reeve shifts override sunshine-garden/front_desk --person steward-01 --add --until 2026-11-24T18:00
    --note "open day"
    """
    spoken = spoken_language(lang)
    if (until is None) == (length is None):
        raise typer.BadParameter(say("one_end", spoken), param_hint="--until")
    if add and instead_of:
        raise typer.BadParameter(say("one_way", spoken), param_hint="--add")
    if not person and not instead_of:
        raise typer.BadParameter(say("who_comes", spoken), param_hint="--person")
    leaves = frozenset(instead_of) if instead_of else frozenset() if add else None
    wish = _Wish(which, note, author, dry_run, as_json, spoken)
    asyncio.run(wish.override(frozenset(person or ()), leaves, start, until, length))


def swap(
    which: Which,
    one: Annotated[str, typer.Argument(metavar="ID@DAY", help="A person and the day on which the shift begins.")],
    other: Annotated[str, typer.Argument(metavar="ID@DAY", help="The other person, and the other shift.")],
    note: Note = "",
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Two people exchange two shifts. Where a person begins twice on a day, name a moment of the shift.

    Examples:

    reeve shifts swap sunshine-garden/guard guard-01@2026-11-24 security-lead@2026-11-25

    reeve shifts swap sunshine-garden/front_desk desk-01@2026-11-24T09:00 desk-02@2026-11-26 --note "exam"
    """
    wish = _Wish(which, note, author, dry_run, as_json, spoken_language(lang))
    asyncio.run(wish.swap(one, other))


def remove(
    what: Annotated[str, typer.Argument(metavar="ID|PLACE/ROLE", help="A change's id, or with --rota a rota.")],
    rota: Annotated[bool, typer.Option("--rota", help="The whole rota, with its changes.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Takes back an override or swap from now on, or removes a whole rota.

    Without a rota everybody who holds the role is told again.

    Examples:

    reeve shifts remove 3f9a01c2

    reeve shifts remove sunshine-garden/guard --rota
    """
    asyncio.run(_remove(find_targets(), what, rota, as_json, spoken_language(lang)))


class _Wish:
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
            people = await known_people(RecipientStore(database), [rota])
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


async def _remove(targets: Targets, what: str, rota: bool, as_json: bool, lang: str) -> None:
    async with open_record(targets, "shifts") as database:
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
