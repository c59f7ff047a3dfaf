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

from reeve.domain.bundle import Policy
from reeve.domain.case import Account, Case
from reeve.domain.events import Event

COMPUTED = frozenset({"grade", "grade_was", "site", "owed_cny", "open_for", "today"})
"""Names that Reeve computes: events must not use them. Counts of the bundle are reserved as well."""

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
    policy: Policy,
    case: Case | None,
    event: Event | None,
    at: datetime,
    zone: str,
    count: Callable[[str], int],
) -> dict[str, Any]:
    """What the policy's conditions see at the logical moment `at`; only names the policy reads.

    `case` None: an event that may open a case, whose facts are the event's data. `count` gives a count's value.
    """
    facts: Mapping[str, Any] = case.facts if case is not None else (event.data if event else {})
    scope: dict[str, Any] = {}
    for name in policy.reads:
        value: Any
        if name.startswith("event"):
            value = _of_event(name, event)
        elif name in COMPUTED:
            value = _computed(name, case, event, at, zone)
        else:
            value = typed(name, facts.get(name))
        if value is not None:
            scope[name] = value
    for rule in policy.counts:
        if rule.name in policy.reads:
            scope[rule.name] = count(rule.name)
    return scope


def _of_event(name: str, event: Event | None) -> Any:
    if event is None:
        return None
    if name == "event":
        return event.type
    field = name.removeprefix("event.")
    return typed(field, event.data.get(field))


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
