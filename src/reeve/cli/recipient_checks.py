"""`reeve recipients check`: whether somebody stands behind every role that the active rules tell, now and later."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from reeve.cli.exit_codes import BAD
from reeve.cli.output import print_json, print_line
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.domain.bundle import Bundle
from reeve.domain.recipients import ASSIGNEE, CHANNELS, OWNER, UNREACHABLE, Recipient, resolve
from reeve.runtime.bundles import Bundles
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.time_source import SystemTime


def check_recipients(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """For every site and every role the active rules tell: who is reached, or who up the ladder is told instead.

    Exit code 1 if somewhere nobody at all would be told.

    Example: reeve recipients check
    """
    if asyncio.run(_check(find_targets(), as_json)):
        raise typer.Exit(BAD)


async def _check(targets: Targets, as_json: bool) -> bool:
    async with open_record(targets, "recipients") as database:
        bundle = await Bundles(BundleStore(database), SystemTime()).load_active()
        people = await RecipientStore(database).all()
    nobody = False
    parents = {site.parent for site in (bundle.defaults, *bundle.sites.values()) if site.parent}
    places = sorted(({person.place for person in people} | set(bundle.sites)) - parents)
    for place in places:
        for role in sorted(_roles_told(bundle)):
            row = _reach(bundle, people, place, role)
            nobody = nobody or row["told"] is None
            if as_json:
                print_json(row)
            elif row["told"] is None:
                print_line((f"{place}: nobody at all would be told for {role}", "bold red"))
            elif row["told"] != role:
                print_line((f"{place}: nobody is {role}; {row['told']} is told instead", "yellow"))
    if not as_json and not places:
        print_line(("There are no recipients yet; start with: reeve recipients import FILE", "yellow"))
    elif not as_json and not nobody:
        print_line(("Every role the rules tell ends with somebody who can be reached.", "green"))
    return nobody or not places


def _roles_told(bundle: Bundle) -> set[str]:
    levels = [level for policy in bundle.policies.values() for step in policy.steps for level in step.levels]
    return {role for level in levels for role in level.notify}


def _reach(bundle: Bundle, people: list[Recipient], place: str, role: str) -> dict[str, Any]:
    """Who is told for a role at a site; owners and assignees differ by case, so their ladder is checked."""
    site = bundle.site(place)
    resolution = resolve([role], {}, people, site, place, "", CHANNELS, at=SystemTime().now())
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
