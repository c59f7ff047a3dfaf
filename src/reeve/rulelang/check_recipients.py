"""Whether somebody stands behind every role that the rules tell, at every site: for people known from elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from reeve.domain.bundle import Bundle, Level
from reeve.domain.recipients import ASSIGNEE, OWNER, Climb, Recipient, resolve
from reeve.rulelang.check_sites import rungs
from reeve.rulelang.problems import Problem, in_order, problem

_BY_THE_CASE = (OWNER, ASSIGNEE)
"""Found by what a case says, so nothing can be told beforehand."""
_MOST_NAMED = 5


def check_recipients(bundle: Bundle, recipients: Collection[Recipient], at: datetime) -> tuple[Problem, ...]:
    """Roles of which nobody can be reached at `at` at some site: warnings, where the first step tells the role.

    Sites are those named by a file and those that recipients belong to. Pure; no name or address is quoted.
    """
    return in_order(_findings(bundle, recipients, at))


def _findings(bundle: Bundle, recipients: Collection[Recipient], at: datetime) -> Iterator[Problem]:
    parents = {settings.parent for settings in (bundle.defaults, *bundle.sites.values())}
    sites = sorted({*bundle.sites, *(person.place for person in recipients)} - parents - {""})
    by_place: dict[str, list[Recipient]] = {}
    for person in recipients:
        by_place.setdefault(person.place, []).append(person)
    for role, level in _roles_told(bundle).items():
        nobody: list[str] = []
        instead: dict[str, list[str]] = {}
        for site in sites:
            settings = bundle.site(site)
            people = [*by_place.get(site, ()), *by_place.get(settings.parent or "", ())]
            found = resolve((role,), {}, people, settings, site, level.message, level.via, at=at)
            if found.undeliverable:
                nobody.append(site)
            elif found.climbs:
                instead.setdefault(_told(found.climbs), []).append(site)
        if nobody:
            yield problem(level.pos, "role_nobody", role=role, sites=_named(nobody))
        for other, places in instead.items():
            yield problem(level.pos, "role_unmanned", role=role, sites=_named(places), instead=other)


def _roles_told(bundle: Bundle) -> dict[str, Level]:
    """Each role, and the first rung that tells it."""
    told: dict[str, Level] = {}
    for _, _, level in rungs(bundle.policies):
        for role in level.notify:
            if role not in _BY_THE_CASE:
                told.setdefault(role, level)
    return told


def _told(climbs: tuple[Climb, ...]) -> str:
    return climbs[-1].next or ""


def _named(sites: list[str]) -> str:
    shown = ", ".join(sites[:_MOST_NAMED])
    more = len(sites) - _MOST_NAMED
    return f"{shown} (+{more})" if more > 0 else shown
