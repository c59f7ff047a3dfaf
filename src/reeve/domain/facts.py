"""Facts of a case as conditions see them: JSON values given their kinds, and the names Reeve computes.

The end of a name says its kind: `*_cny` is exact money, `*_at` a moment, `*_on` a date. What does not read as
its kind stays text and compares as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from reeve.domain.bundle import COMPUTED, CountRule, ScopeReads
from reeve.domain.case import Account, Case
from reeve.domain.events import Event

REGRADING_FIELDS = frozenset({"grade", "by", "reason"})
"""What `ticket.regraded` says about itself; never facts of the case."""

UTC = ZoneInfo("UTC")


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name; the loader has checked that it exists."""
    return ZoneInfo(name)


@lru_cache(maxsize=65536)
def _typed_text(name: str, text: str) -> Any:
    if name.endswith("_cny"):
        try:
            return Decimal(text)
        except InvalidOperation:
            return text
    try:
        if name.endswith("_at"):
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo is not None else text
        if name.endswith("_on"):
            return date.fromisoformat(text)
    except ValueError:
        return text
    return text


def typed(name: str, raw: Any) -> Any:
    """A JSON value with the kind its name promises; None stays None (absent)."""
    if isinstance(raw, str):
        return _typed_text(name, raw)
    if isinstance(raw, int) and not isinstance(raw, bool) and name.endswith("_cny"):
        return Decimal(raw)
    return raw


def merge(case: Case, event: Event) -> set[str]:
    """Put the event's fields into the case's facts in order of event time; the names that changed.

    A field keeps the value of the latest event that named it, whatever order they came in; null removes it.
    """
    changed: set[str] = set()
    skip = REGRADING_FIELDS if event.verb == "regraded" else COMPUTED
    for name, value in event.data.items():
        if name in skip:
            continue
        known_at = case.fact_times.get(name)
        if known_at is not None and known_at > event.at:
            continue
        case.fact_times[name] = event.at
        if value is None:
            if case.facts.pop(name, None) is not None:
                changed.add(name)
        elif case.facts.get(name, None) != value or name not in case.facts:
            case.facts[name] = value
            changed.add(name)
    return changed


def book(case: Case, event: Event) -> bool:
    """Enter a payment event into the case's account; whether what is owed changed. Source: FEE.

    A second `billed` replaces the first, by the events' own times; reductions and payments add up.
    """
    if event.family != "payment" or event.verb not in ("billed", "reduced", "paid"):
        return False
    account = case.account = case.account or Account()
    before = account.owed
    amount = typed("amount_cny", event.data.get("amount_cny"))
    if event.verb == "billed" and isinstance(amount, Decimal):
        if account.billed_at is None or account.billed_at <= event.at:
            account.billed, account.billed_at = amount, event.at
    elif event.verb == "reduced" and isinstance(amount, Decimal):
        account.reduced += amount
    elif event.verb == "paid":
        paid = typed("paid_cny", event.data.get("paid_cny"))
        if isinstance(paid, Decimal):
            account.paid += paid
    return account.owed != before


def scope_of(
    reads: ScopeReads,
    case: Case | None,
    event: Event | None,
    at: datetime,
    zone: str,
    count: Callable[[CountRule], int],
) -> dict[str, Any]:
    """What conditions see at the logical moment `at`; only the names they read.

    `case` None: an event that may open a case, whose facts are the event's data. `count` gives a count's value.
    """
    scope: dict[str, Any] = {}
    facts: Mapping[str, Any] = case.facts if case is not None else (event.data if event else {})
    for name in reads.facts:
        value = facts.get(name)
        if value is not None:
            scope[name] = typed(name, value)
    if event is not None:
        if reads.event_type:
            scope["event"] = event.type
        for name, field in reads.event_fields:
            value = event.data.get(field)
            if value is not None:
                scope[name] = typed(field, value)
    for name in reads.computed:
        value = _computed(name, case, event, at, zone)
        if value is not None:
            scope[name] = value
    for rule in reads.counts:
        scope[rule.name] = count(rule)
    return scope


def _computed(name: str, case: Case | None, event: Event | None, at: datetime, zone: str) -> Any:
    if name == "today":
        return at.astimezone(zone_of(zone)).date()
    if name == "site":
        return case.key.site if case is not None else (event.site if event else None)
    if case is None:
        return None
    if name == "grade":
        return case.grade
    if name == "grade_was":
        return case.grade_was
    if name == "owed_cny":
        return case.account.owed if case.account else None
    return at - case.opened_at
