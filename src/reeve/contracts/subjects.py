"""Every NATS subject (contracts.md §2), built and read in this one place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from reeve.domain.case import CaseKey
from reeve.domain.events import Event

UNUSABLE = "_"
"""Stands for a site that can't be read or can't be a token."""

_KEPT = "!\"#$&'()+,/:;<=?@[\\]^`{|}~"
"""Printable ASCII that a token can hold besides letters, digits, - and _. No % (it escapes), no . * >."""
_TOKEN = re.compile(r"(?:[A-Za-z0-9_\-!\"#$&'()+,/:;<=?@\[\\\]^`{|}~]|%[0-9A-F]{2})+")
_SITE = re.compile(r"[a-z0-9-]{1,64}")


@lru_cache(maxsize=65536)
def token(text: str) -> str:
    """The text as one NATS token of printable ASCII: everything a token can't hold is percent-encoded UTF-8.

    Empty text has no token: ValueError. Lone surrogates can't be encoded: UnicodeEncodeError, a ValueError.
    """
    if not text:
        raise ValueError("an empty text is no token")
    return quote(text, safe=_KEPT).replace(".", "%2E")


def text_of(token: str) -> str:
    """The text that `token` was made of. Raises ValueError if it is no token of ours."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("not a token")
    return unquote(token, errors="strict")


def intake_subject(site: str, type: str) -> str:
    """Where a site system that speaks NATS posts its events of a type."""
    return f"intake.{site}.{type}"


def events_subject(site: str, type: str, subject: str) -> str:
    """Where an accepted event goes: events.<site>.<family>.<verb>.<key>."""
    return f"events.{site}.{type}.{token(subject)}"


def cases_subject(case: CaseKey, what: str) -> str:
    """cases.<site>.<policy>.<what>.<key>"""
    return f"cases.{case.site}.{token(case.policy)}.{what}.{token(case.subject)}"


def cases_filter(what: str) -> str:
    """What whoever listens for one thing that happens to cases takes, of all sites and policies."""
    return f"cases.*.*.{what}.*"


def notifications_subject(site: str, what: str, key: str) -> str:
    """notifications.<site>.<what>.<key>; `key` is the subject of the case."""
    return f"notifications.{site}.{what}.{token(key)}"


def dead_subject(service: str, site: str | None) -> str:
    """dead.<service>.<site>, with `_` for a site that can't be a token."""
    return f"dead.{service}.{site if site and _SITE.fullmatch(site) else UNUSABLE}"


def rejected_subject(site: str | None) -> str:
    """rejected.<site>: where a sender listens for what was refused."""
    return f"rejected.{site if site and _SITE.fullmatch(site) else UNUSABLE}"


RULES_ACTIVATED = "rules.activated"
RULES_REJECTED = "rules.rejected"


def work_subject(partition: int, event: Event) -> str:
    """work.<partition>.<site>.<family>.<verb>.<key>: the stream WORK makes it from events.>."""
    return f"work.{partition}.{event.site}.{event.type}.{token(event.subject)}"


def work_filter(partition: int) -> str:
    """What the consumer of one partition takes."""
    return f"work.{partition}.>"


def timer_subject(case: CaseKey) -> str:
    """The subject that a case's one schedule stands on: a new message there replaces it."""
    return f"timers.at.{token(str(case))}"


def timer_due_subject(partition: int, case: CaseKey) -> str:
    """Where a case's schedule fires."""
    return f"timers.due.{partition}.{token(str(case))}"


def timer_due_filter(partition: int) -> str:
    """What the ticks of one partition come on."""
    return f"timers.due.{partition}.*"


@dataclass(frozen=True, slots=True)
class Posted:
    """An intake.> subject, read."""

    site: str
    type: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """An events.> or work.> subject, read."""

    site: str
    type: str
    key: str


@dataclass(frozen=True, slots=True)
class Told:
    """A cases.> subject, read."""

    case: CaseKey
    what: str


@dataclass(frozen=True, slots=True)
class Notified:
    """A notifications.> subject, read."""

    site: str
    what: str
    key: str


def parse_intake(subject: str) -> Posted:
    """Raises ValueError if it is no intake.<site>.<family>.<verb>."""
    match subject.split("."):
        case ["intake", site, family, verb] if _SITE.fullmatch(site) and family and verb:
            return Posted(site, f"{family}.{verb}")
        case _:
            raise ValueError("expected intake.<site>.<family>.<verb>")


def parse_events(subject: str) -> Accepted:
    """Raises ValueError if it is no events.<site>.<family>.<verb>.<key>."""
    match subject.split("."):
        case ["events", site, family, verb, key] if site and family and verb:
            return Accepted(site, f"{family}.{verb}", text_of(key))
        case _:
            raise ValueError("expected events.<site>.<family>.<verb>.<key>")


def parse_work(subject: str) -> Accepted:
    """Raises ValueError if it is no work.<partition>.<site>.<family>.<verb>.<key>."""
    match subject.split("."):
        case ["work", partition, *rest] if partition.isascii() and partition.isdigit():
            return parse_events(".".join(["events", *rest]))
        case _:
            raise ValueError("expected work.<partition>.<site>.<family>.<verb>.<key>")


def parse_cases(subject: str) -> Told:
    """Raises ValueError if it is no cases.<site>.<policy>.<what>.<key>."""
    match subject.split("."):
        case ["cases", site, policy, what, key] if site and what:
            return Told(CaseKey(site, text_of(policy), text_of(key)), what)
        case _:
            raise ValueError("expected cases.<site>.<policy>.<what>.<key>")


def parse_notifications(subject: str) -> Notified:
    """Raises ValueError if it is no notifications.<site>.<what>.<key>."""
    match subject.split("."):
        case ["notifications", site, what, key] if site and what:
            return Notified(site, what, text_of(key))
        case _:
            raise ValueError("expected notifications.<site>.<what>.<key>")


def parse_timer(subject: str) -> CaseKey:
    """The case of a timers.at.<case> or timers.due.<partition>.<case>. Raises ValueError otherwise."""
    match subject.split("."):
        case ["timers", "at", case] | ["timers", "due", _, case]:
            site, _, rest = text_of(case).partition("/")
            policy, _, key = rest.partition("/")
            if site and policy and key:
                return CaseKey(site, policy, key)
            raise ValueError("expected a case as <site>/<policy>/<subject>")
        case _:
            raise ValueError("expected timers.at.<case> or timers.due.<partition>.<case>")
