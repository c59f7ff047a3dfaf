"""Who is told: recipients hold roles at a place, and roles become people only when something is sent.

Rule-language §3, Roles: the case's site, then its parent organisation; nobody reachable, and the next role in
the site's `ladder` gets the message `unreachable`, and the timeline says so. Pure: the caller loads people.
What is known of a person, who holds a role at a moment, and on which channels: `reeve.domain.people`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from reeve.domain.bundle import SiteSettings
from reeve.domain.calendar import local_day
from reeve.domain.effects import Because, Effect
from reeve.domain.facts import zone_of
from reeve.domain.people.channels import (
    CHANNELS,
    configured_channels,
    named_channels,
    site_channels,
    usable_channels,
)
from reeve.domain.people.holders import Holder, OnShift, Present, rota_ids
from reeve.domain.people.recipient import Absence, Area, QuietHours, Recipient, Term
from reeve.domain.people.roles import ASSIGNEE, OWNER, ROLES, UNREACHABLE

__all__ = [
    "ASSIGNEE",
    "CHANNELS",
    "OWNER",
    "ROLES",
    "UNREACHABLE",
    "Absence",
    "Area",
    "Climb",
    "OnShift",
    "QuietHours",
    "Recipient",
    "Resolution",
    "Target",
    "Term",
    "climb_effects",
    "configured_channels",
    "delivery_id",
    "resolve",
    "roles_above",
    "roles_to_load",
    "rota_ids",
    "said_once",
    "site_channels",
    "unreachable_key",
    "usable_channels",
]

_HIGHEST_LADDER = 20
"""Rungs climbed at most; a ladder that goes round in a circle ends earlier, where it meets itself."""


@dataclass(frozen=True, slots=True)
class Target:
    """One person to be told one message on these channels, for the sake of one role."""

    recipient: Recipient
    channels: tuple[str, ...]
    message: str
    role: str
    """The role the rule named, also where the message went up the ladder for it."""
    rung: int = 0
    """0: holds the role itself; 1, 2, …: so many roles up its ladder."""
    not_before: datetime | None = None
    """End of the person's quiet hours, if they are on and count for this message; later than the moment asked."""
    instead_of: str | None = None
    """Id of the holder of the role who is away, if this person stands in."""
    on_shift: bool | None = None
    """On the rota of the role at that moment; False: not on it, but told all the same; None: no rota speaks."""


@dataclass(frozen=True, slots=True)
class Climb:
    """A role of which nobody can be reached, and who is tried instead."""

    role: str
    """The role the rule named."""
    unreached: str
    """The role nobody of which can be reached: `role` itself, or one up its ladder."""
    next: str | None
    """The next role in the ladder; None: the ladder ends here."""
    rung: int
    """1 for the first step up."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Everybody to be told, and every role that nobody stands behind."""

    targets: tuple[Target, ...]
    climbs: tuple[Climb, ...] = ()

    @property
    def undeliverable(self) -> tuple[str, ...]:
        """Roles of the rule for which nobody at all can be told, the whole ladder up."""
        return tuple(climb.role for climb in self.climbs if climb.next is None)


def roles_to_load(roles: Iterable[str], ladder: Mapping[str, str]) -> frozenset[str]:
    """The roles and all roles up their ladders: whose holders the resolution may ask for."""
    wanted: set[str] = set()
    for role in roles:
        for step in (role, *_up(role, ladder)):
            wanted.add(step)
    return frozenset(wanted)


def resolve(
    roles: Iterable[str],
    facts: Mapping[str, Any],
    people: Collection[Recipient],
    site: SiteSettings,
    place: str,
    message: str,
    via: Iterable[str],
    available: Collection[str] = CHANNELS,
    failed: Collection[tuple[str, str]] = (),
    *,
    at: datetime,
    on_shift: OnShift | None = None,
    grade: str | None = None,
    any_hour: bool = False,
) -> Resolution:
    """Who is told what at `at` (aware UTC), for a case with these facts at site `place`.

    `people` are the recipients of the site and of its parent organisation that may matter, their stand-ins and
    those on shift included; others are ignored. Nearest first: those on shift before others, the case's unit,
    building, the whole site, then the parent organisation; the first group of which anybody can be reached is
    told, all of it. `via` are the rule's channels; empty: the site's for the grade, and where it names none,
    each person's own choice. `any_hour`: personal quiet hours don't count (the two worst grades).
    Called again with more `failed` pairs it gives the next channel, the next person, the role above.
    """
    asked = tuple(via) or named_channels(site, grade)
    configured = configured_channels(site)
    places = (place,) if site.parent is None else (place, site.parent)
    zone = zone_of(site.zone)
    known = sorted((one for one in people if one.place in places), key=lambda one: one.id)
    # Most people have neither dates nor absences, and then it makes no difference what day it is.
    day = local_day(at, zone) if any(one.terms or one.away for one in known) else date.min
    present = Present(known, places, facts, at, day, on_shift)

    def reached(role: str) -> list[tuple[Holder, tuple[str, ...]]]:
        for group in present.groups(role):
            found = [
                (holder, channels)
                for holder in group
                if (channels := usable_channels(holder.person, asked, configured, available, failed, grade))
            ]
            if found:
                return found
        return []

    def hour(holder: Holder) -> datetime | None:
        quiet = holder.person.quiet
        return quiet.end_after(at, zone) if quiet and not any_hour and not holder.on_shift else None

    targets: list[Target] = []
    climbs: list[Climb] = []
    for role in dict.fromkeys(roles):
        ladder = (role, *_up(role, site.ladder))
        for rung, step in enumerate(ladder):
            found = reached(step)
            text = UNREACHABLE if rung else message
            targets += [
                Target(holder.person, channels, text, role, rung, hour(holder), holder.instead_of, holder.on_shift)
                for holder, channels in found
            ]
            if found:
                break
            following = ladder[rung + 1] if rung + 1 < len(ladder) else None
            climbs.append(Climb(role, step, following, rung + 1))
    return Resolution(tuple(targets), tuple(climbs))


def said_once(
    climbs: Iterable[Climb], said: Collection[Climb] = (), *, owner_apart: bool = False
) -> Iterator[tuple[Climb, bool]]:
    """The climbs that say something new, each with whether it is the one for which its next role is told.

    A role above is told once, however many of the rule's roles end at it, and a role is said to be unreachable
    once. `said` were in the timeline before: they come first, and as they are. `owner_apart`: see `delivery_id`.
    """
    told: set[tuple[bool, str]] = set()
    unreached: set[tuple[bool, str, str | None]] = set()
    for climb in sorted(climbs, key=lambda each: each not in said):
        apart = owner_apart and climb.role == OWNER
        if (apart, climb.unreached, climb.next) in unreached:
            continue
        unreached.add((apart, climb.unreached, climb.next))
        tells = climb.next is not None and (apart, climb.next) not in told
        if climb.next is not None:
            told.add((apart, climb.next))
        yield climb, tells


def climb_effects(climb: Climb, asked: Effect, at: datetime, *, tells: bool = True) -> tuple[Effect, ...]:
    """What the timeline says of a role that nobody could be reached of; `asked` is the notify effect.

    `undeliverable`; where the ladder goes on, `escalated` and `notify` of the next role, unless that was told for
    another role (`tells` False, see `said_once`).
    """
    wanted = asked.notification
    if wanted is None:
        return ()
    effects: list[Effect] = []

    def add(what: Any, details: Mapping[str, Any]) -> None:
        key = f"{unreachable_key(asked.key, climb.role, climb.rung)}:{what}"
        because = Because(asked.because.rule, asked.because.event, asked.because.clock)
        effects.append(Effect(what, asked.case, at, key, because, details))

    add("undeliverable", {"to": [climb.unreached], "step": wanted.step})
    if climb.next is not None and tells:
        add("escalated", {"step": wanted.step, "level": wanted.level + climb.rung})
        details = {"to": [climb.next], "via": list(wanted.via), "message": UNREACHABLE}
        add("notify", details | {"step": wanted.step})
    return tuple(effects)


def unreachable_key(effect_key: str, role: str, rung: int) -> str:
    """Key of what the timeline says of a role of a notification; rung 0 is the notification itself."""
    return f"{effect_key}~{role}{rung}" if rung else effect_key


def delivery_id(effect_key: str, target: Target, channel: str, *, owner_apart: bool = False) -> str:
    """Identifies a delivery for ever, whoever plans it: one per effect, person and channel.

    Up the ladder a person gets one more, once, for whichever roles turn out to be unreachable and whenever each
    does. `owner_apart`: the owner is told at an hour of their own, and so is who hears that they can't be reached.
    """
    if not target.rung:
        key = effect_key
    elif owner_apart and target.role == OWNER:
        key = f"{effect_key}~{OWNER}~{UNREACHABLE}"
    else:
        key = f"{effect_key}~{UNREACHABLE}"
    return f"{key}#{target.recipient.id}#{channel}"


def roles_above(roles: Iterable[str], ladder: Mapping[str, str], rungs: int) -> tuple[str, ...]:
    """The roles so many rungs above these; of a shorter ladder its top, unless that is one of the roles itself."""
    told = tuple(roles)
    above = (_up(role, ladder)[:rungs] for role in told)
    return tuple(dict.fromkeys(up[-1] for up in above if up and up[-1] not in told))


def _up(role: str, ladder: Mapping[str, str]) -> tuple[str, ...]:
    """The roles above, nearest first; ends where the ladder ends or meets itself."""
    seen = [role]
    while (above := ladder.get(seen[-1])) is not None and above not in seen and len(seen) < _HIGHEST_LADDER:
        seen.append(above)
    return tuple(seen[1:])
