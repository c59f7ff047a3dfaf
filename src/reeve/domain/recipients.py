"""Who is told: recipients hold roles at a place, and roles become people only when something is sent.

Rule-language §3, Roles: the case's site, then its parent organisation; nobody reachable, and the next role in
the site's `ladder` gets the message `unreachable`, and the timeline says so. Pure: the caller loads people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reeve.domain.bundle import SiteSettings
from reeve.domain.effects import Because, Effect

ROLES = (
    "front_desk",
    "first_contact",
    "steward",
    "head_steward",
    "service_assistant",
    "service_supervisor",
    "centre_director",
    "property_manager",
    "general_manager",
    "company_leader",
    "spokesperson",
    "department_head",
    "engineering_supervisor",
    "technician",
    "security_supervisor",
    "guard",
    "environment_supervisor",
    "lobby_assistant",
    "lobby_lead",
    "finance",
    "admin_office",
    "owner",
    "warranty_contractor",
    "developer_company",
    "courier",
)
"""Roles that recipients hold. Source: domain.md §1, Roles."""

OWNER = "owner"
"""Found by the case's fact `customer`, never by holding the role: a site has many owners."""

ASSIGNEE = "assignee"
"""Found by the case's fact `assignee`, a recipient id; nobody holds it as a role."""

CHANNELS = ("sms", "email")
"""Channels Reeve can send on, in the order tried where a rule leaves the choice open."""

UNREACHABLE = "unreachable"
"""The message that goes to the next role up, in place of the original text."""

_HIGHEST_LADDER = 20
"""Rungs climbed at most; a ladder that goes round in a circle ends earlier, where it meets itself."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person or system that can be told. Addresses and name: never logged or published."""

    id: str
    """Unique within its place; stands in messages on the bus, so it must hold no personal data."""
    place: str
    """Id of the site, or of the organisation above it (`parent` in site.yaml)."""
    roles: frozenset[str] = frozenset()
    language: str = ""
    """Language code of the texts it gets; empty: the site's locale."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Channel → address: `sms` +4407700900001, `email` a@example.org."""
    customers: frozenset[str] = frozenset()
    """Customer ids (`data.customer`) whose owner this is."""
    name: str = ""


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


def usable_channels(
    recipient: Recipient,
    via: Iterable[str],
    configured: Iterable[str],
    available: Collection[str],
    failed: Collection[tuple[str, str]] = (),
) -> tuple[str, ...]:
    """The channels a person is told on; empty: can't be reached.

    All channels asked for that it has an address on. Where that is none: the first other channel that the
    site uses (`configured`) on which it has one. `available` are the channels this process can send on;
    `failed` are (recipient id, channel) pairs that turned out dead for this notification.
    """

    def reaches(channel: str) -> bool:
        return (
            channel in available
            and bool(recipient.addresses.get(channel))
            and (recipient.id, channel) not in failed
        )

    asked = tuple(dict.fromkeys(channel for channel in via if reaches(channel)))
    if asked:
        return asked
    return tuple(channel for channel in dict.fromkeys(configured) if reaches(channel))[:1]


def site_channels(site: SiteSettings, grade: str | None) -> tuple[str, ...]:
    """The channels of that grade at the site; where the site names none, every channel there is."""
    return site.channels.get(grade or "", site.channels.get("default", CHANNELS))


def configured_channels(site: SiteSettings) -> tuple[str, ...]:
    """Every channel the site uses for some grade, in the order of CHANNELS."""
    used = {channel for channels in site.channels.values() for channel in channels}
    ordered = [channel for channel in CHANNELS if channel in used] + sorted(used - set(CHANNELS))
    return tuple(ordered) or CHANNELS


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
) -> Resolution:
    """Who is told what, for a case with these facts at site `place`.

    `people` are the recipients of the site and of its parent organisation that may matter; others are
    ignored. Called again with more `failed` pairs it gives the next channel, the next person, the role above.
    """
    asked = tuple(via)
    configured = configured_channels(site)
    places = (place,) if site.parent is None else (place, site.parent)
    targets: list[Target] = []
    climbs: list[Climb] = []
    for role in dict.fromkeys(roles):
        ladder = (role, *_up(role, site.ladder))
        for rung, step in enumerate(ladder):
            reached = _reached(step, facts, people, places, asked, configured, available, failed)
            targets += [
                Target(person, channels, UNREACHABLE if rung else message, role, rung)
                for person, channels in reached
            ]
            if reached:
                break
            following = ladder[rung + 1] if rung + 1 < len(ladder) else None
            climbs.append(Climb(role, step, following, rung + 1))
    return Resolution(tuple(targets), tuple(climbs))


def climb_effects(climbs: Iterable[Climb], asked: Effect, at: datetime) -> tuple[Effect, ...]:
    """What the timeline says of roles that nobody could be reached of; `asked` is the notify effect.

    `undeliverable` for each such role; where the ladder goes on, `escalated` and `notify` of the next role.
    """
    wanted = asked.notification
    if wanted is None:
        return ()
    effects: list[Effect] = []

    def add(climb: Climb, what: Any, details: Mapping[str, Any]) -> None:
        key = f"{unreachable_key(asked.key, climb.role, climb.rung)}:{what}"
        because = Because(asked.because.rule, asked.because.event, asked.because.clock)
        effects.append(Effect(what, asked.case, at, key, because, details))

    for climb in climbs:
        add(climb, "undeliverable", {"to": [climb.unreached], "step": wanted.step})
        if climb.next is not None:
            add(climb, "escalated", {"step": wanted.step, "level": wanted.level + climb.rung})
            details = {"to": [climb.next], "via": list(wanted.via), "message": UNREACHABLE}
            add(climb, "notify", details | {"step": wanted.step})
    return tuple(effects)


def unreachable_key(effect_key: str, role: str, rung: int) -> str:
    """Key of what goes up the ladder for a role of a notification; rung 0 is the notification itself."""
    return f"{effect_key}~{role}{rung}" if rung else effect_key


def delivery_id(effect_key: str, target: Target, channel: str) -> str:
    """Identifies a delivery for ever, whoever plans it: one per effect, person and channel."""
    key = unreachable_key(effect_key, target.role, target.rung)
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


def _reached(
    role: str,
    facts: Mapping[str, Any],
    people: Collection[Recipient],
    places: tuple[str, ...],
    via: tuple[str, ...],
    configured: tuple[str, ...],
    available: Collection[str],
    failed: Collection[tuple[str, str]],
) -> list[tuple[Recipient, tuple[str, ...]]]:
    """The holders of the role that can be reached, of the first place that has one; ordered by id."""
    for place in places:
        found = [
            (person, channels)
            for person in sorted(people, key=lambda one: one.id)
            if person.place == place
            and _holds(person, role, facts)
            and (channels := usable_channels(person, via, configured, available, failed))
        ]
        if found:
            return found
    return []


def _holds(person: Recipient, role: str, facts: Mapping[str, Any]) -> bool:
    if role == OWNER:
        return facts.get("customer") is not None and str(facts["customer"]) in person.customers
    if role == ASSIGNEE:
        return facts.get("assignee") is not None and str(facts["assignee"]) == person.id
    return role in person.roles
