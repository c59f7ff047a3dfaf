"""What a person asks to silence, against the active rules and the record: names, moments, the worst grades."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from reeve.domain.bundle import Bundle, Policy
from reeve.domain.facts import zone_of
from reeve.domain.flood.settings import WORST_RANK
from reeve.domain.flood.silences import Matchers
from reeve.domain.recipients import ROLES, Recipient
from reeve.rulelang.problems import closest


def known_names(bundle: Bundle, recipients: Iterable[str]) -> dict[str, frozenset[str]]:
    """Matcher → what it may be, of those that have a closed list."""
    levels = [level for policy in bundle.policies.values() for step in policy.steps for level in step.levels]
    return {
        "policy": frozenset(bundle.policies),
        "grade": frozenset(grade for policy in bundle.policies.values() for grade in policy.grade_order),
        "role": frozenset(ROLES) | {role for level in levels for role in level.notify},
        "message": frozenset(bundle.messages) | {level.message for level in levels},
        "recipient": frozenset(recipients),
    }


def misspelt(matchers: Matchers, known: dict[str, frozenset[str]]) -> Iterator[tuple[str, str, str | None]]:
    """(matcher, what stands there, what was meant if that can be guessed) of each that names nothing."""
    for name, found in matchers.given.items():
        if name in known and found not in known[name]:
            yield name, found, closest(found, known[name])


def worst_of(matchers: Matchers, bundle: Bundle) -> tuple[str, ...]:
    """The grades it matches that are one of the two worst of their policy, in order of the policies."""
    return tuple(dict.fromkeys(grade for found in worst_by_policy(matchers, bundle).values() for grade in found))


def worst_by_policy(matchers: Matchers, bundle: Bundle) -> dict[str, tuple[str, ...]]:
    """Policy → the grades of `worst_of`: what is one of the two worst in one policy may be mild in another."""
    found = {
        policy.name: tuple(grade for grade in policy.grade_order[: WORST_RANK + 1] if matchers.grade in ("", grade))
        for policy in _matched(matchers, bundle)
    }
    return {policy: grades for policy, grades in found.items() if grades}


def site_meant(site: str, bundle: Bundle, recipients: Iterable[Recipient]) -> str | None:
    """None: rules or people know the site. Else the place that was perhaps meant, or nothing."""
    places = {one.place for one in recipients}
    parent = bundle.site(site).parent
    known = site in bundle.sites or site in places or (parent is not None and parent in places)
    return None if known else closest(site, places | set(bundle.sites)) or ""


def hides_anything(matchers: Matchers, bundle: Bundle) -> bool:
    """Whether it matches anything but the two worst grades."""
    if not matchers.grade:
        return True
    return any(matchers.grade in policy.grade_order[WORST_RANK + 1 :] for policy in _matched(matchers, bundle))


def _matched(matchers: Matchers, bundle: Bundle) -> list[Policy]:
    return [policy for name, policy in sorted(bundle.policies.items()) if matchers.policy in ("", name)]


def read_when(text: str, zone: str) -> datetime | None:
    """The moment, a wall time without an offset being the site's; None: it is none."""
    if not re.match(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}", text, re.ASCII):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone_of(zone))
