"""What goes wrong in real life, found before it happens: everything that can be said without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from reeve.domain.bundle import Policy
from reeve.domain.expressions import Position
from reeve.rulelang.check_grades import check_grades
from reeve.rulelang.check_names import check_names, check_unknown
from reeve.rulelang.check_policies import check_policies, check_policy
from reeve.rulelang.check_sites import (
    check_calendars,
    check_channels,
    check_ladders,
    check_messages,
    check_roles,
    check_site_grades,
    rungs,
)
from reeve.rulelang.check_templates import check_templates
from reeve.rulelang.parts import Parts
from reeve.rulelang.problems import Choice, Problem, problem


def check(parts: Parts, today: date | None = None) -> list[Problem]:
    """Every finding about what was read. `today` None: nothing is said about calendars that end."""
    return list(_findings(parts, today))


def _findings(parts: Parts, today: date | None) -> Iterator[Problem]:
    for policy in parts.policies.values():
        words = parts.words.get(policy.name, {})
        yield from check_grades(policy, words)
        yield from check_names(policy, words)
        yield from check_policy(policy)
    vocabulary = parts.defaults.vocabulary if parts.defaults is not None else {}
    yield from check_unknown(parts.policies, _names_elsewhere(parts), vocabulary)
    yield from check_policies(parts.policies, parts.policy_names)
    yield from check_channels(parts.policies)
    yield from _scenario_policies(parts)
    if parts.defaults is None:
        return
    yield from check_ladders(parts.site_files, parts.defaults, parts.sites, parts.policies)
    yield from check_roles(parts.policies, parts.defaults)
    all_read = set(parts.policies) == parts.policy_names
    if all_read:
        yield from check_site_grades(parts.site_files, parts.policies)
    if parts.messages is not None:
        yield from check_messages(parts.messages, parts.policies, parts.defaults, parts.sites)
        if all_read:
            yield from check_templates(parts.messages, parts.policies, parts.defaults, parts.sites)
    if today is not None:
        yield from check_calendars(parts.site_files, {"": parts.defaults, **parts.sites}, today)


def _names_elsewhere(parts: Parts) -> Counter[str]:
    names: Counter[str] = Counter()
    for file in parts.scenarios:
        for scenario in file.scenarios:
            for event in scenario.events:
                names.update(event.data.keys())
    if parts.defaults is not None:
        names.update(parts.defaults.vocabulary.values())
    return names


def _scenario_policies(parts: Parts) -> Iterator[Problem]:
    names = tuple(sorted(parts.policy_names))
    for file in parts.scenarios:
        for scenario in file.scenarios:
            if scenario.policy is not None and scenario.policy not in names:
                found = scenario.policy
                yield problem(scenario.pos, "unknown_policy", found=found, choice=Choice(found, names))


def roles_in_use(policies: dict[str, Policy]) -> dict[str, Position]:
    """Every role that a step tells something, and the first place where it does: for recipients to be checked."""
    roles: dict[str, Position] = {}
    for _, _, level in rungs(policies):
        for role in level.notify:
            roles.setdefault(role, level.pos)
    return roles
