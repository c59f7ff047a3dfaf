"""Roles with no way up, ladders in a circle, messages without a text in a language or channel that is used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from reeve.domain.bundle import Level, Policy, SiteSettings, StepRule
from reeve.domain.expressions import Position
from reeve.domain.flood.settings import WORST_RANK
from reeve.rulelang.check_policies import circles
from reeve.rulelang.known_names import CHANNELS, ROLES
from reeve.rulelang.messages import Messages, spoken_as
from reeve.rulelang.problems import Choice, Problem, closest, problem
from reeve.rulelang.sites import SiteFile

_NO_WAY_UP_NEEDED = ("owner", "assignee")
"""Messages to owners go nowhere else; an assignee is one person."""
_BETWEEN_ROLES = re.compile(r"[\s,;，；、]+")
"""No role is called so: a list of people's roles parts them there."""
_CALENDAR_DAYS = 60
"""So long before a calendar ends it is said. Source: rule-language, Durations."""


def check_ladders(
    files: Mapping[str, SiteFile],
    defaults: SiteSettings,
    sites: Mapping[str, SiteSettings],
    policies: Mapping[str, Policy],
) -> Iterator[Problem]:
    """Ladders in a circle, ladders to a misspelt role, and sites that take a role that is told off its ladder."""
    told = {role for _, _, level in rungs(policies) for role in level.notify}
    for site, settings in {"": defaults, **sites}.items():
        file = files.get(site)
        if file is None or not (file.shape.ladder or site == ""):
            continue
        yield from _misspelt(file, {*ROLES, *defaults.ladder, *told})
        for circle in circles(settings.ladder):
            at = next((role for role in circle if role in file.shape.ladder), None)
            pos = file.doc.at_key("ladder", at) if at is not None else file.doc.at("ladder")
            yield problem(pos, "ladder_cycle", circle=" → ".join(circle))
        for role in sorted(told & set(file.shape.ladder)) if site else ():
            if role not in settings.ladder and role not in settings.ladder.values():
                yield problem(file.doc.at("ladder", role), "role_without_ladder", role=role)


def _misspelt(file: SiteFile, known: set[str]) -> Iterator[Problem]:
    """Roles above that no file and no list has, where one is much like them."""
    for role, above in file.shape.ladder.items():
        if above not in known and above != "none" and closest(above, known):
            choice = Choice(above, tuple(sorted(known)))
            yield problem(file.doc.at("ladder", role), "unknown_role", found=above, choice=choice)


def rungs(policies: Mapping[str, Policy]) -> Iterator[tuple[Policy, StepRule, Level]]:
    """Every rung of every step."""
    for _, policy in sorted(policies.items()):
        for step in policy.steps:
            for level in step.levels:
                yield policy, step, level


def check_roles(policies: Mapping[str, Policy], defaults: SiteSettings) -> Iterator[Problem]:
    """Roles that steps notify and nobody stands above, misspelt ones, and several written as one."""
    up = defaults.ladder
    known = {*ROLES, *up, *up.values()}
    said: set[str] = set()
    for _, _, level in rungs(policies):
        for role in level.notify:
            if role in said or role in up or role in up.values() or role in _NO_WAY_UP_NEEDED:
                continue
            said.add(role)
            if _BETWEEN_ROLES.search(role):
                right = ", ".join(part for part in _BETWEEN_ROLES.split(role) if part)
                yield problem(level.pos, "several_roles", found=role, right=f"[{right}]")
            elif role not in known and closest(role, known):
                yield problem(level.pos, "unknown_role", found=role, choice=Choice(role, tuple(sorted(known))))
            elif up:
                yield problem(level.pos, "role_without_ladder", role=role)


def check_site_grades(files: Mapping[str, SiteFile], policies: Mapping[str, Policy]) -> Iterator[Problem]:
    """Grades in a site file that no policy has."""
    grades = {grade for policy in policies.values() for grade in policy.grade_order}
    waiting = {grade for policy in policies.values() for grade in policy.grade_order[WORST_RANK + 1 :]}
    for file in files.values():
        for grade in file.shape.channels:
            if grade != "default" and grade not in grades:
                choice = Choice(grade, (*sorted(grades), "default"))
                yield problem(file.doc.at_key("channels", grade), "unknown_site_grade", found=grade, choice=choice)
        for index, grade in enumerate(file.shape.quiet.except_ if file.shape.quiet is not None else ()):
            if grade not in grades:
                choice = Choice(grade, tuple(sorted(grades)))
                pos = file.doc.at("quiet", "except", index)
                yield problem(pos, "unknown_site_grade", found=grade, choice=choice)
        for index, grade in enumerate(file.shape.digest.grades if file.shape.digest is not None else ()):
            pos = file.doc.at("digest", "grades", index)
            if grade not in grades:
                choice = Choice(grade, tuple(sorted(waiting)))
                yield problem(pos, "unknown_site_grade", found=grade, choice=choice)
            elif grade not in waiting:
                choice = Choice("", tuple(sorted(waiting)))
                yield problem(pos, "digest_worst_grade", found=grade, choice=choice)


def check_channels(policies: Mapping[str, Policy]) -> Iterator[Problem]:
    """Channels in steps that do not exist."""
    for _, _, level in rungs(policies):
        for channel in level.via:
            if channel not in CHANNELS:
                yield problem(level.pos, "unknown_channel", found=channel, choice=Choice(channel, CHANNELS))


def check_messages(
    messages: Messages, policies: Mapping[str, Policy], defaults: SiteSettings, sites: Mapping[str, SiteSettings]
) -> Iterator[Problem]:
    """Messages that steps send, against the languages and channels in use."""
    settings = [defaults, *sites.values()]
    languages: dict[str, str] = {}
    for one in settings:
        languages.setdefault(one.locale.partition("-")[0], one.site or "site.yaml")
    said: set[tuple[str, ...]] = set()
    for policy, step, level in rungs(policies):
        if not level.notify:
            continue
        texts = messages.templates.get(level.message)
        if texts is None:
            if messages.complete and (level.message,) not in said:
                said.add((level.message,))
                yield problem(level.pos, "message_missing", message=level.message)
            continue
        by_language = {lang.partition("-")[0]: channels for lang, channels in texts.items()}
        pos = messages.places[level.message]
        for lang, site in languages.items():
            for found in _in_language(
                level.message, lang, site, by_language.get(lang), _channels(settings, policy, step, level), pos
            ):
                if (found.code, found.message) not in said:
                    said.add((found.code, found.message))
                    yield found


def _in_language(
    message: str, lang: str, site: str, texts: Mapping[str, object] | None, channels: tuple[str, ...], pos: Position
) -> Iterator[Problem]:
    if texts is None:
        yield problem(pos, "message_language", message=message, language=lang, site=site)
        return
    for channel in channels:
        if not any(each in texts for each in spoken_as(channel)):
            yield problem(pos, "message_channel", message=message, channel=channel, language=lang)


def _channels(settings: list[SiteSettings], policy: Policy, step: StepRule, level: Level) -> tuple[str, ...]:
    if level.via:
        return tuple(channel for channel in level.via if channel in CHANNELS)
    grades = step.grades or policy.grade_order or ("default",)
    used = {c for one in settings for g in grades for c in one.channels.get(g, one.channels["default"])}
    return tuple(sorted(used & set(CHANNELS)))


def check_calendars(
    files: Mapping[str, SiteFile], settings: Mapping[str, SiteSettings], today: date
) -> Iterator[Problem]:
    """Calendars that end within 60 days of `today`, once each."""
    said: set[str] = set()
    for site, file in files.items():
        calendar = settings[site].calendar
        ends = calendar.known_until
        if ends is None or calendar.name in said or (ends - today).days > _CALENDAR_DAYS:
            continue
        said.add(calendar.name)
        yield problem(file.doc.at("calendar"), "calendar_ends", name=calendar.name, day=ends.isoformat())
