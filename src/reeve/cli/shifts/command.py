"""`reeve shifts`: who is on shift for a role, brought in from a file, shown, changed, exported, checked."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from reeve.cli.exit_codes import BAD
from reeve.cli.options import AsJson, Lang
from reeve.cli.output import print_json, print_line
from reeve.cli.shifts.changes import override, remove, swap
from reeve.cli.shifts.checks import Finding, check_rota, known_people, load_rules, tell
from reeve.cli.shifts.importing import import_shifts
from reeve.cli.shifts.moments import chosen, local_iso, read_day, read_moment, shown_moment
from reeve.cli.shifts.texts import say
from reeve.cli.speaking import spoken_language
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.domain.facts import UTC, zone_of
from reeve.domain.rotas import Change, Rota
from reeve.domain.shifts import Period, on_shift, periods
from reeve.domain.wall_clock import first_instant
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.store.shifts import Rotas, ShiftStore
from reeve.runtime.time_source import SystemTime

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Rotas: import, show, override, swap, export and check them."
)
app.command("import")(import_shifts)
app.command("override")(override)
app.command("swap")(swap)
app.command("remove")(remove)

Which = Annotated[str | None, typer.Argument(metavar="[WHICH]", help="place, or place/role; all without it.")]
Days = Annotated[int, typer.Option("--days", min=1, max=400, help="How many days.")]
From = Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day.", show_default="today")]


@app.command("list")
def list_rotas(which: Which = None, as_json: AsJson = False, lang: Lang = None) -> None:
    """Lists the rotas, and the overrides and swaps that have not ended, with their ids.

    Examples:

    reeve shifts list

    reeve shifts list sunshine-garden/guard --json
    """
    asyncio.run(_list(find_targets(), which, as_json, spoken_language(lang)))


@app.command("show")
def show(
    which: Which = None,
    start: From = None,
    days: Days = 7,
    person: Annotated[str | None, typer.Option(help="Only the shifts of this recipient id.")] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Shows who is on when, in local time, with everything that was changed.

    Examples:

    reeve shifts show sunshine-garden/front_desk

    reeve shifts show --from 2026-12-21 --days 14 --person guard-01
    """
    asyncio.run(_show(find_targets(), which, start, days, person, as_json, spoken_language(lang)))


@app.command("now")
def now(
    which: Which = None,
    at: Annotated[str, typer.Option(help="Another moment: 2026-11-22T08:00, local.")] = "now",
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Says who is on shift now, or at another moment.

    Examples:

    reeve shifts now

    reeve shifts now sunshine-garden --at 2026-11-22T03:00 --lang zh
    """
    asyncio.run(_now(find_targets(), which, at, as_json, spoken_language(lang)))


@app.command("export")
def export(
    ical: Annotated[str, typer.Option("--ical", metavar="FILE", help="Where to write; - is standard output.")],
    which: Which = None,
    start: From = None,
    days: Days = 90,
    person: Annotated[str | None, typer.Option(help="Only the shifts of this recipient id.")] = None,
    names: Annotated[bool, typer.Option("--names", help="Names instead of ids; this is personal data.")] = False,
    lang: Lang = None,
) -> None:
    """Writes an iCalendar file. Exported again, shifts keep their identity, so calendars update them.

    Examples:

    reeve shifts export --ical guards.ics sunshine-garden/guard

    reeve shifts export --ical - --person desk-01 --days 30
    """
    spoken = spoken_language(lang)
    content, count = asyncio.run(_export(find_targets(), which, start, days, person, names, spoken))
    if ical == "-":
        typer.echo(content, nl=False)
        return
    Path(ical).write_bytes(content)
    print_line(say("written", spoken, n=count, file=ical))


@app.command("check")
def check(
    which: Which = None,
    days: Days = 14,
    gaps: Annotated[bool, typer.Option("--gaps", help="Hours with nobody on are bad, too.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Looks for hours with nobody on, and for people on a rota who are unknown or can't be reached.

    While nobody is on, everybody who holds the role is told, so a gap alone is no mistake unless you say --gaps.
    Exit code 1 if something is bad.

    Examples:

    reeve shifts check

    reeve shifts check sunshine-garden/guard --days 60 --gaps
    """
    if asyncio.run(_check(find_targets(), which, days, gaps, as_json, spoken_language(lang))):
        raise typer.Exit(BAD)


async def _list(targets: Targets, which: str | None, as_json: bool, lang: str) -> None:
    time = SystemTime().now()
    rotas = await _load(targets)
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


async def _show(
    targets: Targets,
    which: str | None,
    start: str | None,
    days: int,
    person: str | None,
    as_json: bool,
    lang: str,
) -> None:
    rotas, count = await _load(targets), 0
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


async def _now(targets: Targets, which: str | None, at: str, as_json: bool, lang: str) -> None:
    rotas = await _load(targets)
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


async def _export(
    targets: Targets,
    which: str | None,
    start: str | None,
    days: int,
    person: str | None,
    names: bool,
    lang: str,
) -> tuple[bytes, int]:
    async with open_record(targets, "shifts") as database:
        rotas = await ShiftStore(database).load()
        people = await known_people(RecipientStore(database), rotas.rotas.values()) if names else {}
    found: list[tuple[Rota, Period]] = []
    for rota in chosen(rotas, which, lang):
        begin, end = _window(rota, start, days, lang)
        of_rota = _of(periods(rota, rotas.of(rota.place, rota.role)[1], begin, end), person)
        found += [(rota, each) for each in of_rota if each.people]
    from reeve.cli.shifts.calendar_file import calendar_of

    called = {key: one.name for key, one in people.items() if one.name} if names else None
    content = calendar_of(found, SystemTime().now(), called, which or "Reeve shifts")
    return content, len(found)


async def _check(targets: Targets, which: str | None, days: int, gaps: bool, as_json: bool, lang: str) -> bool:
    async with open_record(targets, "shifts") as database:
        rotas = await ShiftStore(database).load()
        rules = await load_rules(database)
        people = await known_people(RecipientStore(database), rotas.rotas.values())
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


async def _load(targets: Targets) -> Rotas:
    async with open_record(targets, "shifts") as database:
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
