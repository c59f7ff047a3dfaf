"""`reeve recipients check --coverage`: the hours in which nobody of a role can be reached at once, as a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from reeve.cli.output import errors, print_json, print_line, span
from reeve.domain.bundle import Bundle
from reeve.domain.facts import zone_of
from reeve.domain.people.coverage import Coverage, Gap, Pieces, Shifts
from reeve.domain.people.recipient import Area
from reeve.domain.recipients import Recipient
from reeve.domain.shifts import periods
from reeve.domain.wall_clock import first_instant
from reeve.runtime.store.shifts import Rotas

DAY = timedelta(days=1)

_WORDS = {
    "en": {
        "nobody": "nobody in the record holds it",
        "no_term": "nobody holds it on these days",
        "away": "everybody is away, and nobody stands in",
        "no_address": "nobody has an address that is used",
        "off_shift": "nobody is on shift",
        "quiet": "quiet hours of everybody; only the two worst grades come at once",
        "later": "told afterwards",
        "others": "those off shift are told",
        "instead": "{role} is told instead",
        "none": "NOBODY is told",
        "daily": "daily until {last} ({count} ×)",
        "building": "building {area}",
        "days": "Mon Tue Wed Thu Fri Sat Sun",
        "title": "{site} ({zone})",
        "good": "From {start} to {end} every role that the rules tell has somebody to be reached at once.",
        "looking": "roles of sites",
        "sum": "{gaps} gaps in {roles} roles, {hours} altogether.",
    },
    "zh": {
        "nobody": "没有登记任何人担任",
        "no_term": "这些天无人任职",
        "away": "全部休假且无人代班",
        "no_address": "无人有可用的联系方式",
        "off_shift": "无人当班",
        "quiet": "全部处于个人免打扰时段，只有最重的两级立即送达",
        "later": "之后再通知",
        "others": "改为通知不当班的人",
        "instead": "改为通知 {role}",
        "none": "无人会收到通知",
        "daily": "每天，至 {last}（{count} 次）",
        "building": "楼栋 {area}",
        "days": "周一 周二 周三 周四 周五 周六 周日",
        "title": "{site}（{zone}）",
        "good": "{start} 至 {end}：规则要通知的每个角色都随时有人能联系到。",
        "looking": "各站点的角色",
        "sum": "{roles} 个角色共 {gaps} 处空档，合计 {hours}。",
    },
}


@dataclass(frozen=True, slots=True)
class Run:
    """Gaps of one kind at the same local hours of days that follow each other."""

    start: datetime
    """Local, as the end is."""
    end: datetime
    count: int
    last: date
    """On which the last of them begins."""
    area: Area | None
    why: str
    told: str | None
    """Empty: the role itself, later or off shift; None: nobody."""


def is_bad(gap: Gap) -> bool:
    """Whether a gap must be mended. A role that a site has never had, and whose ladder goes on, is meant so."""
    return gap.why != "nobody" or gap.told is None


def shifts_between(rotas: Rotas, start: datetime, end: datetime) -> Shifts:
    """Who is on shift from `start` to `end`, as coverage asks for it."""

    def pieces(place: str, role: str) -> Pieces:
        rota, changes = rotas.of(place, role)
        if rota is None:
            return ()
        zone = zone_of(rota.zone)
        moments = {start, *(max(period.start, start) for period in periods(rota, changes, start, end))}
        for layer in rota.layers:  # where the rota begins and ends to speak, though nobody comes or goes
            moments.add(first_instant(layer.start, min(shift.start for shift in layer.shifts), zone))
            if layer.until is not None:
                moments.add(first_instant(layer.until, max(shift.end for shift in layer.shifts), zone))
        return [(at, rotas.on_shift(place, role, at)) for at in sorted(moments) if start <= at < end]

    return pieces


def find_gaps(
    bundle: Bundle,
    people: Iterable[Recipient],
    places: Iterable[str],
    roles: Collection[str],
    rotas: Rotas,
    start: datetime,
    end: datetime,
    looked: Callable[[], None],
) -> Iterator[Gap]:
    """The gaps of these roles at these sites, by site and role; `looked` is called after each of them."""
    coverage = Coverage(people, start, end, shifts_between(rotas, start, end) if rotas.rotas else None)
    for place in places:
        site = bundle.site(place)
        for role in sorted(roles):
            yield from coverage.gaps(role, site, place)
            looked()


@contextmanager
def progress(total: int, language: str) -> Iterator[Callable[[], None]]:
    """What to call after each of so many roles: a terminal shows on stderr how many are left."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(_WORDS[language]["looking"]), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors(), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def show_gaps(
    gaps: Sequence[Gap], bundle: Bundle, start: datetime, end: datetime, language: str, *, as_json: bool
) -> bool:
    """Prints them; whether one must be mended."""
    bad = [gap for gap in gaps if is_bad(gap)]
    if as_json:
        for gap in gaps:
            print_json(_row(gap, zone_of(bundle.site(gap.place).zone)))
        return bool(bad)
    words = _WORDS[language]
    for place in dict.fromkeys(gap.place for gap in gaps):
        site = bundle.site(place)
        print_line((words["title"].format(site=place, zone=site.zone), "bold"))
        for roles, runs in _by_role([gap for gap in gaps if gap.place == place], site.zone):
            print_line(f"  {', '.join(roles)}")
            for run in runs:
                severe = "bold red" if run.told is None else "dim" if run.why == "nobody" else "yellow"
                print_line((f"    {_line(run, words)}", severe))
    if bad:
        hours = span(sum((gap.end - gap.start for gap in bad), timedelta()), language)
        those = len({(gap.place, gap.role) for gap in bad})
        print_line((words["sum"].format(gaps=len(bad), roles=those, hours=hours), "yellow"))
    else:
        zone = zone_of(bundle.defaults.zone)
        first, last = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (start, end))
        print_line((words["good"].format(start=first, end=last), "green"))
    return bool(bad)


def _by_role(gaps: Sequence[Gap], zone: str) -> list[tuple[list[str], tuple[Run, ...]]]:
    """Roles with the same gaps together, in the order of the first of each."""
    found: dict[tuple[Run, ...], list[str]] = {}
    for role in dict.fromkeys(gap.role for gap in gaps):
        runs = tuple(
            sorted(
                _runs([gap for gap in gaps if gap.role == role], zone),
                key=lambda run: (str(run.area or ""), run.start),
            )
        )
        found.setdefault(runs, []).append(role)
    return [(roles, runs) for runs, roles in found.items()]


def _runs(gaps: Iterable[Gap], zone: str) -> Iterator[Run]:
    runs: dict[tuple[Any, ...], Run] = {}
    local = zone_of(zone)
    for gap in gaps:
        start, end = gap.start.astimezone(local), gap.end.astimezone(local)
        told = "" if gap.told == gap.role else gap.told
        key = (gap.area, gap.why, told, start.time(), end.time(), (end.date() - start.date()).days)
        run = runs.get(key)
        if run is not None and run.last + DAY == start.date():
            runs[key] = Run(run.start, run.end, run.count + 1, start.date(), gap.area, gap.why, told)
            continue
        if run is not None:
            yield runs.pop(key)
        runs[key] = Run(start, end, 1, start.date(), gap.area, gap.why, told)
    yield from runs.values()


def _line(run: Run, words: dict[str, str]) -> str:
    ends = f"{run.end:%H:%M}" if run.end - run.start < DAY else _moment(run.end, words)
    parts = [f"{_moment(run.start, words)} – {ends}"]
    if run.count > 1:
        parts.append(words["daily"].format(last=run.last, count=run.count))
    if run.area is not None:
        parts.append(words["building"].format(area=run.area))
    parts.append(words[run.why])
    if run.told is None:
        parts.append(words["none"])
    elif run.told:
        parts.append(words["instead"].format(role=run.told))
    else:
        parts.append(words["later" if run.why == "quiet" else "others"])
    return "  ".join(parts)


def _moment(at: datetime, words: dict[str, str]) -> str:
    return f"{words['days'].split()[at.weekday()]} {at:%Y-%m-%d %H:%M}"


def _row(gap: Gap, zone: Any) -> dict[str, Any]:
    return {
        "place": gap.place,
        "role": gap.role,
        "area": str(gap.area) if gap.area is not None else None,
        "from": gap.start.astimezone(zone).isoformat(),
        "until": gap.end.astimezone(zone).isoformat(),
        "hours": round((gap.end - gap.start) / timedelta(hours=1), 2),
        "why": gap.why,
        "told": gap.told,
        "bad": is_bad(gap),
    }
