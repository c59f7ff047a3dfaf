"""Lanes: the partitions of WORK and TIMERS. Everything about one subject of one site runs in one lane."""

from __future__ import annotations

from reeve.contracts.subjects import token
from reeve.domain.case import Case
from reeve.domain.events import Event

LANES = 4
"""Fixed once WORK exists: its subjects carry the number."""


def lane_of(site: str, subject: str) -> int:
    """The lane in which the bus puts `events.<site>.*.*.<token of subject>`.

    The server's own function: FNV-1a (32 bit) over the two tokens one after the other, modulo the lanes.
    """
    value = 0x811C9DC5
    for byte in (site + token(subject)).encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value % LANES


def lane_of_event(event: Event) -> int:
    """The lane its message comes in."""
    return lane_of(event.site, event.subject)


def lane_of_case(case: Case) -> int:
    """The lane of the events it receives: a child runs where its parent does."""
    return lane_of(case.key.site, case.root or case.key.subject)


def routes_of(case: Case) -> tuple[str, ...]:
    """The subjects whose events the case receives, as `domain.workset.subject_key`: its root's and its own."""
    root = case.root or case.key.subject
    return tuple(dict.fromkeys(f"{case.key.site}/{case.family}/{subject}" for subject in (root, case.key.subject)))
