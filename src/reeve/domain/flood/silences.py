"""Silences: for a time nobody is told what they match. Always with an end, an author and a reason."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Protocol

from reeve.domain.flood.settings import UPKEEP, WORST_RANK

LONGEST = timedelta(days=90)
_WARNED_BEFORE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Matchers:
    """What a silence hides: all that are set must hold. Empty texts hold always."""

    site: str = ""
    policy: str = ""
    grade: str = ""
    subject: str = ""
    """What the case's subject begins with."""
    role: str = ""
    recipient: str = ""
    message: str = ""

    @property
    def given(self) -> dict[str, str]:
        """Those that are set, by name."""
        values = {each.name: str(getattr(self, each.name)) for each in fields(self)}
        return {name: value for name, value in values.items() if value}


class Told(Protocol):
    """A delivery as silences see it."""

    @property
    def site(self) -> str: ...
    @property
    def policy(self) -> str: ...
    @property
    def grade(self) -> str | None: ...
    @property
    def subject(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def recipient(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def rank(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Silence:
    """From `since` until `until`, aware UTC, the end excluded."""

    id: str
    matchers: Matchers
    since: datetime
    until: datetime
    author: str
    """A recipient id: is warned before it ends."""
    reason: str
    """In the author's words; stays in the record (PRIVACY-01)."""
    include_worst: bool = False
    """Hides the two worst grades, too."""

    def active(self, now: datetime) -> bool:
        """Whether it hides anything at that moment."""
        return self.since <= now < self.until

    def hides(self, told: Told, now: datetime) -> bool:
        """Whether this is not sent, asked for at `now`. The warning that a silence ends always is."""
        return (
            self.active(now)
            and told.policy != UPKEEP
            and (self.include_worst or told.rank > WORST_RANK)
            and matches(self.matchers, told)
        )

    @property
    def warn_at(self) -> datetime:
        """An hour before its end; where it is shorter than ten hours, a tenth of it before."""
        return self.until - min(_WARNED_BEFORE, (self.until - self.since) / 10)


def matches(matchers: Matchers, told: Told) -> bool:
    """Whether everything that is set holds."""
    return (
        matchers.site in ("", told.site)
        and matchers.policy in ("", told.policy)
        and matchers.grade in ("", told.grade)
        and told.subject.startswith(matchers.subject)
        and matchers.role in ("", told.role)
        and matchers.recipient in ("", told.recipient)
        and matchers.message in ("", told.message)
    )


REFUSALS = {
    "no_matcher": "it would hide everything: name a site, policy, grade, subject, role or the like",
    "no_author": "it has no author: give the id of the recipient who is warned before it ends",
    "no_reason": "it has no reason: say in a few words why nobody is to be told",
    "ends_first": "it ends before it begins: give a later end",
    "past": "its end is past: give a later one",
    "too_long": f"it is longer than {LONGEST.days} days: give an earlier end, and extend it when it is due",
}
"""Code → why a silence can't be, and what to give instead."""


class SilenceRefused(ValueError):
    """A silence that can't be."""

    def __init__(self, code: str) -> None:
        super().__init__(REFUSALS[code])
        self.code = code
        """One of REFUSALS."""


def check_silence(silence: Silence, now: datetime) -> None:
    """Raises SilenceRefused for one without matchers, author, reason or a usable end."""
    if not silence.matchers.given:
        raise SilenceRefused("no_matcher")
    if not silence.author.strip():
        raise SilenceRefused("no_author")
    if not silence.reason.strip():
        raise SilenceRefused("no_reason")
    check_end(silence.since, silence.until, now)


def check_end(since: datetime, until: datetime, now: datetime) -> None:
    """Raises SilenceRefused for an end that is past, before the beginning, or too far away."""
    if until <= since:
        raise SilenceRefused("ends_first")
    if until <= now:
        raise SilenceRefused("past")
    if until - since > LONGEST:
        raise SilenceRefused("too_long")
