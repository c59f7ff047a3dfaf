"""Rotas and shifts read from the record and shown, as lines, JSON or a calendar; and what is amiss with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from reeve.cli.output import print_json, print_line
from reeve.cli.rules.versions import rules_if_any
from reeve.cli.shifts.calendar_file import calendar_of
from reeve.cli.shifts.checks import Finding, check_rota, known_people, tell
from reeve.cli.shifts.moments import chosen, local_iso, read_day, read_moment, shown_moment
from reeve.cli.shifts.texts import say
from reeve.cli.targets import find_targets, open_record
from reeve.domain.facts import UTC, zone_of
from reeve.domain.rotas import Change, Rota
from reeve.domain.shifts import Period, on_shift, periods
from reeve.domain.wall_clock import first_instant
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.store.shifts import Rotas, ShiftStore
from reeve.runtime.time_source import SystemTime


async def list_rotas(which: str | None, as_json: bool, lang: str) -> None:
    """Prints the rotas, each with the changes that have not ended."""
    time = SystemTime().now()
    rotas = await _load()
    for rota in chosen(rotas, which, lang):
        changes = [
            each for each in rotas.of(rota.place, rota.role)[1] if each.removed_at is None and each.end > time
        ]
        if as_json:
            row = {"place": rota.place, "role": rota.role, "zone": rota.zone, "people": sorted(rota.people)}
            layers = [{"start": each.start, "until": each.until, "every_days": each.every} for each in rota.layers]
            print_json(row | {"hand_over": rota.hands_over, "layers": layers, "since": rota.since})
            for change in changes:
                print_json(change_row(change, rota))
            continue
        print_line((f"{rota.place}/{rota.role}", "bold"), f"  {rota.zone}  {' '.join(sorted(rota.people))}")
        for change in changes:
            print_line(*_change_line(change, rota, lang))
    if not as_json:
        _say_if_none(rotas, lang)


def change_row(change: Change, rota: Rota) -> dict[str, Any]:
    """A change for `--json`."""
    exchanges = [
        {
            "from": local_iso(each.start, rota),
            "until": local_iso(each.end, rota),
            "comes": sorted(each.comes),
            "leaves": None if each.leaves is None else sorted(each.leaves),
        }
        for each in change.exchanges
    ]
    row = {"id": change.id, "kind": change.kind, "place": change.place, "role": change.role}
    return row | {"exchanges": exchanges, "by": change.author, "note": change.note or None, "at": change.made_at}


def _change_line(change: Change, rota: Rota, lang: str) -> list[str | tuple[str, str]]:
    parts = []
    for each in change.exchanges:
        stead = say("instead_of", lang, who=" ".join(sorted(each.leaves))) if each.leaves else ""
        stead = say("as_well", lang) if each.leaves == frozenset() else stead
        start, end = (shown_moment(at, rota, lang) for at in (each.start, each.end))
        who = " ".join(sorted(each.comes)) or say("nobody", lang)
        parts.append(say("part", lang, who=who, stead=stead, start=start, end=end))
    kind, those = say(change.kind, lang), say("part_semicolon", lang).join(parts)
    note = f"  “{change.note}”" if change.note else ""
    said = say("change", lang, kind=kind, parts=those, author=change.author)
    return [("  " + change.id, "cyan"), f"  {said}{note}"]


def _say_if_none(rotas: Rotas, lang: str) -> None:
    if not rotas.rotas:
        print_line((say("none", lang), "yellow"))


async def show_shifts(
    which: str | None,
    start: str | None,
    days: int,
    person: str | None,
    as_json: bool,
    lang: str,
) -> None:
    """Prints who is on when from that day on, in local time."""
    rotas, count = await _load(), 0
    for rota in chosen(rotas, which, lang):
        begin, end = _window(rota, start, days, lang)
        found = _of(periods(rota, rotas.of(rota.place, rota.role)[1], begin, end), person)
        count += len(found)
        if not as_json and found:
            print_line((f"{rota.place}/{rota.role}", "bold"), f"  {rota.zone}")
        for each in found:
            if as_json:
                print_json(_period_row(rota, each))
                continue
            who: str | tuple[str, str] = " ".join(sorted(each.people)) or (say("nobody", lang), "yellow")
            shifts = say("name_comma", lang).join(each.shifts)
            names = say("names", lang, names=shifts) if shifts else ""
            first, last = (shown_moment(at, rota, lang) for at in (each.start, each.end))
            print_line(f"  {first} – {last}  ", who, names)
    if not as_json and not count:
        print_line((say("no_shifts" if rotas.rotas else "none", lang), "yellow"))


async def show_now(which: str | None, at: str, as_json: bool, lang: str) -> None:
    """Prints who is on shift at that moment."""
    rotas = await _load()
    time = SystemTime().now()
    for rota in chosen(rotas, which, lang):
        # `now` to the very instant: what was taken back within this second counts no longer.
        moment = time if at == "now" else read_moment(at, zone_of(rota.zone), time, "--at", lang)
        changes = rotas.of(rota.place, rota.role)[1]
        people = on_shift(rota, changes, moment)
        here = next((p for p in periods(rota, changes, moment, moment + timedelta(microseconds=1))), None)
        until = here.end if here is not None and people else None
        if as_json:
            row = {"place": rota.place, "role": rota.role, "at": local_iso(moment, rota)}
            on = None if people is None else sorted(people)
            print_json(row | {"people": on, "until": local_iso(until, rota) if until else None})
        elif people:
            ends = say("until", lang, at=shown_moment(until, rota, lang)) if until else ""
            print_line((f"{rota.place}/{rota.role}", "bold"), f"  {' '.join(sorted(people))}", ends)
        else:
            why = say("no_rota_then" if people is None else "off", lang)
            print_line((f"{rota.place}/{rota.role}", "bold"), "  ", (why, "yellow"))
    if not as_json:
        _say_if_none(rotas, lang)


async def calendar(
    which: str | None,
    start: str | None,
    days: int,
    person: str | None,
    names: bool,
    lang: str,
) -> tuple[bytes, int]:
    """The iCalendar file, and how many shifts are in it."""
    async with open_record(find_targets(), "shifts") as database:
        rotas = await ShiftStore(database).load()
        rules = await rules_if_any(database) if names else None
        people = await known_people(RecipientStore(database), rotas.rotas.values(), rules) if names else {}
    found: list[tuple[Rota, Period]] = []
    for rota in chosen(rotas, which, lang):
        begin, end = _window(rota, start, days, lang)
        of_rota = _of(periods(rota, rotas.of(rota.place, rota.role)[1], begin, end), person)
        found += [(rota, each) for each in of_rota if each.people]
    called = {key: one.name for key, one in people.items() if one.name} if names else None
    content = calendar_of(found, SystemTime().now(), called, which or "Reeve shifts")
    return content, len(found)


async def check_rotas(which: str | None, days: int, gaps: bool, as_json: bool, lang: str) -> bool:
    """Whether something is bad; every finding is printed."""
    async with open_record(find_targets(), "shifts") as database:
        rotas = await ShiftStore(database).load()
        rules = await rules_if_any(database)
        people = await known_people(RecipientStore(database), rotas.rotas.values(), rules)
    time = SystemTime().now()
    found: list[Finding] = []
    for rota in chosen(rotas, which, lang):
        changes = rotas.of(rota.place, rota.role)[1]
        found += check_rota(rota, people, rules, changes, (time, time + timedelta(days=days)), gaps, lang)
    tell(found, as_json, lang)
    if not rotas.rotas and not as_json:
        _say_if_none(rotas, lang)
    elif not found and not as_json:
        print_line((say("good", lang, rotas=len(rotas.rotas), days=days), "green"))
    return any(each.bad for each in found)


async def _load() -> Rotas:
    async with open_record(find_targets(), "shifts") as database:
        return await ShiftStore(database).load()


def _window(rota: Rota, start: str | None, days: int, lang: str) -> tuple[datetime, datetime]:
    zone = zone_of(rota.zone)
    day = read_day(start, "--from", lang) if start else SystemTime().now().astimezone(zone).date()
    return first_instant(day, 0, zone), first_instant(day + timedelta(days=days), 0, zone)


def _of(found: list[Period], person: str | None) -> list[Period]:
    return found if person is None else [each for each in found if person in each.people]


def _period_row(rota: Rota, each: Period) -> dict[str, Any]:
    row = {"place": rota.place, "role": rota.role, "from": local_iso(each.start, rota)}
    people = {"people": sorted(each.people), "shifts": list(each.shifts)}
    return row | {"until": local_iso(each.end, rota)} | people | {"from_utc": each.start.astimezone(UTC)}
