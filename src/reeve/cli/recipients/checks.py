"""`reeve recipients check`: whether somebody stands behind every role that the active rules tell, now and later."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import typer

from reeve.cli.exit_codes import USAGE
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.recipients.coverage import find_gaps, progress, show_gaps
from reeve.cli.recipients.notes import notes_about, tell_notes
from reeve.cli.rules.versions import active_rules
from reeve.cli.shifts.moments import read_length
from reeve.cli.targets import find_targets, open_record
from reeve.domain.bundle import Bundle
from reeve.domain.recipients import ASSIGNEE, OWNER, UNREACHABLE, OnShift, Recipient, resolve
from reeve.domain.telling import People
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.store.shifts import Rotas, ShiftStore
from reeve.runtime.time_source import SystemTime

LONGEST = timedelta(days=366)
"""No coverage looks further ahead."""

_WORDS = {
    "en": {
        "nobody": "{place}: nobody at all would be told for {role}",
        "instead": "{place}: nobody is {role}; {told} is told instead",
        "by_case": "{place}: where the {role} of a case can't be reached, {told} is told instead",
        "none": "There are no recipients yet; start with: reeve recipients import FILE",
        "good": "Every role the rules tell ends with somebody who can be reached.",
    },
    "zh": {
        "nobody": "{place}：{role} 完全没有人能收到通知",
        "instead": "{place}：没有 {role}，改为通知 {told}",
        "by_case": "{place}：工单的 {role} 联系不到时，改为通知 {told}",
        "none": "还没有人员；请先运行 reeve recipients import 文件",
        "good": "规则要通知的每个角色最终都有人能联系到。",
    },
}


async def check_people(coverage: str | None, site: str | None, as_json: bool, language: str) -> bool:
    """Whether somewhere nobody would be told, or has hours without anybody in that time ahead (`14d`); printed."""
    ahead = read_length(coverage, "--coverage") if coverage is not None else None
    if ahead is not None and not timedelta() < ahead <= LONGEST:
        errors().print("--coverage looks ahead between 1m and 366d, like 14d.")
        raise typer.Exit(USAGE)
    now = SystemTime().now()
    async with open_record(find_targets(), "recipients") as database:
        bundle = await active_rules(database)
        people = await RecipientStore(database).all()
        rotas = await ShiftStore(database).load(now)
    places = [place for place in _sites(bundle, people) if site in (None, place)]
    if site is not None and not places:
        errors().print(f"{site}: neither the rules nor the recipients know this site.")
        raise typer.Exit(USAGE)
    tell_notes(notes_about(people, people, bundle), language, as_json=as_json)
    roles = _roles_told(bundle)
    if ahead is not None and places:
        start = now.replace(second=0, microsecond=0)
        wanted = roles - {OWNER, ASSIGNEE}
        with progress(len(places) * len(wanted), language) as looked:
            gaps = list(find_gaps(bundle, people, places, wanted, rotas, start, start + ahead, looked))
        return show_gaps(gaps, bundle, start, start + ahead, language, as_json=as_json)
    return _show_reached(bundle, People(people), places, roles, rotas, now, as_json, language)


def _sites(bundle: Bundle, people: list[Recipient]) -> list[str]:
    parents = {site.parent for site in (bundle.defaults, *bundle.sites.values()) if site.parent}
    return sorted(({person.place for person in people} | set(bundle.sites)) - parents)


def _show_reached(
    bundle: Bundle,
    people: People,
    places: list[str],
    roles: set[str],
    rotas: Rotas,
    now: datetime,
    as_json: bool,
    language: str,
) -> bool:
    """Prints who is told now; whether somewhere it is nobody."""
    words, nobody = _WORDS[language], False
    on_shift = rotas.on_shift if rotas.rotas else None
    for place in places:
        for role in sorted(roles):
            row = _reach(bundle, people, place, role, now, on_shift)
            nobody = nobody or row["told"] is None
            if as_json:
                print_json(row)
            elif row["told"] is None:
                print_line((words["nobody"].format(**row), "bold red"))
            elif row["told"] != role:
                by_case = bool(row["depends_on_case"])
                said = words["by_case" if by_case else "instead"].format(**row)
                print_line((said, "" if by_case else "yellow"))
    if not as_json and not places:
        print_line((words["none"], "yellow"))
    elif not as_json and not nobody:
        print_line((words["good"], "green"))
    return nobody or not places


def _roles_told(bundle: Bundle) -> set[str]:
    levels = [level for policy in bundle.policies.values() for step in policy.steps for level in step.levels]
    return {role for level in levels for role in level.notify}


def _reach(
    bundle: Bundle, people: People, place: str, role: str, now: datetime, on_shift: OnShift | None
) -> dict[str, Any]:
    """Who is told for a role at a site; owners and assignees differ by case, so their ladder is checked."""
    site = bundle.site(place)
    those = people.who_matter([role], {}, site, place, now, on_shift)
    resolution = resolve([role], {}, those, site, place, "", (), at=now, on_shift=on_shift)
    told: str | None = role
    if resolution.climbs:
        last = resolution.climbs[-1]
        told = last.next
    by_case = role in (OWNER, ASSIGNEE)
    return {
        "place": place,
        "role": role,
        "told": told,
        "instead": [climb.unreached for climb in resolution.climbs],
        "recipients": [target.recipient.id for target in resolution.targets],
        "depends_on_case": by_case,
        "message": UNREACHABLE if resolution.climbs and not by_case else None,
    }
