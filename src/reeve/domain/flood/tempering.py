"""What becomes of a message that would go now: it goes, waits, goes another way, or is hidden. One at a time, in
the order planned; what one does to windows and days the next one sees.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal as OneOf
from urllib.parse import quote, unquote

from reeve.domain.bundle import SiteSettings
from reeve.domain.facts import zone_of
from reeve.domain.flood.days import Days, reminded
from reeve.domain.flood.digests import STAND_IN, next_digest
from reeve.domain.flood.settings import WORST_RANK
from reeve.domain.flood.silences import Silence
from reeve.domain.flood.windows import Window, through_window
from reeve.domain.people.roles import OWNER

SMS, EMAIL = "sms", "email"

PAYMENT = "payment"
"""The event family whose messages to owners are payment reminders. Source: FEE-04 to FEE-07."""

_HELD = "held"

Hold = OneOf["", "quiet", "merge", "daily", "digest", "budget"]


@dataclass(frozen=True, slots=True)
class Planned:
    """One message to one person on one channel, about to go."""

    id: str
    notification: str
    """Key of what was asked for: the same on all its channels."""
    site: str
    family: str
    policy: str
    subject: str
    root: str
    """The matter: the subject whose events the case receives."""
    grade: str | None
    rank: int
    """0 is the worst grade."""
    place: str
    recipient: str
    channel: str
    role: str
    message: str
    not_before: datetime | None = None
    """The end of the person's quiet hours."""
    email: OneOf["none", "planned", "possible"] = "none"
    """Whether the person gets the same by email anyway, or could."""
    instead: bool = False
    """Another way was tried first and came to nothing: no window of its matter holds it up any longer."""

    @property
    def reminds_of_payment(self) -> bool:
        """Whether it is a payment reminder to an owner."""
        return self.family == PAYMENT and self.role == OWNER

    def window_key(self, channel: str) -> str:
        """Names the window of this matter, person and channel."""
        return _key("merge", self.place, self.recipient, channel, self.site, self.family, self.root)

    @property
    def days_key(self) -> str:
        """Names the person whose days are taken by payment reminders."""
        return days_key(self.place, self.recipient)


@dataclass(slots=True)
class Ledger:
    """What earlier messages left behind, and this round's ones; `changed` are the keys that are to be saved."""

    windows: dict[str, Window] = field(default_factory=dict)
    days: dict[str, Days] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of it. Neither hidden nor over budget: it goes at `due_at` on `channel`."""

    due_at: datetime
    channel: str
    hold: Hold = ""
    """Why it waits; empty: it goes now."""
    group: str = ""
    """Goes out as one message with everything of this name that is due."""
    silence: str | None = None
    """Hidden by this silence."""
    over_budget: bool = False
    """Does not go on the channel planned. With another `channel` it goes there, else the person's email says it."""


def temper(
    planned: Planned,
    site: SiteSettings,
    ledger: Ledger,
    silences: Iterable[Silence],
    degraded: bool,
    now: datetime,
) -> Verdict:
    """The verdict on one of them; `ledger` then knows of it. `degraded`: the site's SMS budget does not last."""
    for silence in silences:
        if silence.hides(planned, now):
            return Verdict(now, planned.channel, silence=silence.id)
    if planned.rank <= WORST_RANK:
        return Verdict(now, planned.channel)
    over = degraded and planned.channel == SMS
    if over and planned.email == "planned":
        return Verdict(now, planned.channel, over_budget=True)
    rerouted = over and planned.email == "possible"
    channel = EMAIL if rerouted else planned.channel
    moment, hold = _held(planned, site, ledger, over and not rerouted, now)
    if moment > now:
        group = held_group(planned.place, planned.recipient, channel, moment)
        return Verdict(moment, channel, hold, group, over_budget=rerouted)
    if site.flood.merge is not None and not planned.instead:
        key = planned.window_key(channel)
        window, until = through_window(ledger.windows.get(key), planned.id, now, site.flood.merge)
        if window != ledger.windows.get(key):
            ledger.windows[key] = window
            ledger.changed.add(key)
        if until is not None:
            return Verdict(until, channel, "merge", f"{key}@{until.isoformat()}", over_budget=rerouted)
    return Verdict(now, channel, over_budget=rerouted)


def _held(
    planned: Planned, site: SiteSettings, ledger: Ledger, over_budget: bool, now: datetime
) -> tuple[datetime, Hold]:
    """Until when it waits for the person, a digest or another day, and for which of them; `now`: it does not."""
    rules, zone = site.flood, zone_of(site.zone)
    moment = now
    hold: Hold = ""
    if planned.not_before is not None and planned.not_before > now:
        moment, hold = planned.not_before, "quiet"
    if over_budget:
        moment, hold = next_digest(rules.digest or STAND_IN, moment, zone), "budget"
    elif rules.digest is not None and planned.grade in rules.digest.grades:
        moment, hold = next_digest(rules.digest, moment, zone), "digest"
    if rules.payment_reminders and planned.reminds_of_payment:
        due = _on_a_day_of_its_own(planned, moment, site, ledger, now)
        moment, hold = (due, "daily") if due > moment else (moment, hold)
    return moment, hold


def _on_a_day_of_its_own(
    planned: Planned, moment: datetime, site: SiteSettings, ledger: Ledger, now: datetime
) -> datetime:
    key = planned.days_key
    was = ledger.days.get(key, {})
    days, due = reminded(was, planned.notification, moment, now, site)
    if days != was:
        ledger.days[key] = days
        ledger.changed.add(key)
    return due


def days_key(place: str, recipient: str) -> str:
    """Names the person whose days are taken by payment reminders."""
    return _key("daily", place, recipient)


def held_group(place: str, recipient: str, channel: str, due: datetime) -> str:
    """Names what a person is told on a channel at that moment, whatever it waited for."""
    return _key(_HELD, place, recipient, channel, due.isoformat())


def held_until(group: str) -> datetime | None:
    """The moment in a name that `held_group` made; None: it made it not."""
    kind, _, rest = group.partition("|")
    return datetime.fromisoformat(unquote(rest.rpartition("|")[2])) if kind == _HELD else None


def _key(*parts: str) -> str:
    """Ids hold any character: each is written so that none can look like two."""
    return "|".join(quote(part, safe="") for part in parts)
