"""The names that a message's template sees, built from the case as it is now, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reeve.contracts.mail import MailData
from reeve.contracts.payment import PaymentBilled, PaymentData, PaymentPaid
from reeve.contracts.ticket import TicketData
from reeve.domain.bundle import Bundle, Policy, SiteSettings
from reeve.domain.case import Case
from reeve.domain.facts import typed, zone_of
from services.notify.texts import DEFAULT_LANGUAGE, ROLE_TITLES, title_in

_KNOWN_FACTS: Mapping[str, frozenset[str]] = {
    "ticket": frozenset(TicketData.model_fields),
    "mail": frozenset(MailData.model_fields),
    "payment": frozenset(PaymentData.model_fields)
    | frozenset(PaymentBilled.model_fields)
    | frozenset(PaymentPaid.model_fields),
}
"""Facts that print as nothing while a case lacks them; any other unknown name is a mistake in the template."""


def languages_for(preferred: str, site: SiteSettings) -> tuple[str, ...]:
    """Language codes in the order to try: the recipient's, the site's, English; each without its region too."""
    wanted: list[str] = []
    for code in (preferred, site.locale, DEFAULT_LANGUAGE):
        wanted += [code, code.replace("_", "-").partition("-")[0]] if code else []
    return tuple(dict.fromkeys(wanted))


def policy_of(bundle: Bundle, case: Case) -> Policy | None:
    """The policy file the case runs on; the current one where nobody has that file any more."""
    return bundle.archive.get(case.digest) or bundle.policies.get(case.key.policy)


def rank_of(bundle: Bundle, case: Case, grade: str | None) -> int:
    """0 for the worst grade of the case's policy, more for milder ones; cases without grades come last."""
    policy = policy_of(bundle, case)
    if policy is None or grade not in policy.grade_order:
        return 99
    return policy.grade_order.index(grade)


def message_context(
    case: Case,
    bundle: Bundle,
    site: SiteSettings,
    languages: tuple[str, ...],
    *,
    message: str,
    role: str,
    ack_url: str,
    now: datetime,
) -> dict[str, Any]:
    """Variable → value. Moments are in the site's zone; a name that is known but empty is None."""
    zone = zone_of(site.zone)
    policy = policy_of(bundle, case)
    context: dict[str, Any] = dict.fromkeys(_KNOWN_FACTS.get(case.family, frozenset()))
    if policy is not None:
        context |= dict.fromkeys(name for name in policy.reads if "." not in name and name != "event")
        context |= {f"{clock}_due": None for clock in policy.clocks}
    for name, raw in case.facts.items():
        value = typed(name, raw)
        context[name] = value.astimezone(zone) if isinstance(value, datetime) else value
    for name, clock in case.clocks.items():
        context[f"{name}_due"] = clock.due.at.astimezone(zone) if clock.due is not None else None
    context |= {
        "site": case.key.site,
        "site_title": title_in(site.title, languages, case.key.site),
        "policy": case.key.policy,
        "policy_title": title_in(policy.title if policy else {}, languages, case.key.policy),
        "case": case.key.subject,
        "grade": case.grade,
        "grade_was": case.grade_was,
        "grade_title": grade_title(policy, case.grade, languages),
        "owed_cny": case.account.owed if case.account else None,
        "today": now.astimezone(zone).date(),
        "message": message,
        "role": role,
        "role_title": title_in(ROLE_TITLES.get(role, {}), languages, role),
        "ack_url": ack_url,
    }
    return context


def grade_title(policy: Policy | None, grade: str | None, languages: tuple[str, ...]) -> str:
    """What the grade is called; its id where nobody named it; nothing where there is no grade."""
    if grade is None:
        return ""
    titles = next((rule.title for rule in policy.grades if rule.grade == grade), {}) if policy else {}
    return title_in(titles, languages, grade)


def earliest_due(case: Case, site: SiteSettings, now: datetime) -> str:
    """The next due moment of a running clock, as text; empty when there is none."""
    dues = [
        clock.due.at for clock in case.clocks.values() if clock.due and clock.live and clock.breached_at is None
    ]
    if not dues:
        return ""
    due, today = (moment.astimezone(zone_of(site.zone)) for moment in (min(dues), now))
    return f"{due:%H:%M}" if due.date() == today.date() else f"{due:%Y-%m-%d %H:%M}"


# --- filters ------------------------------------------------------------------------------------------------


def hm(value: Any) -> Any:
    """A moment as hours and minutes; what is none stays as it is."""
    return f"{value:%H:%M}" if isinstance(value, datetime) else value


def day(value: Any) -> Any:
    """A moment or date as 2026-11-20; what is none stays as it is."""
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else value


def money(value: Any) -> Any:
    """Yuan with thousands separated, and cents only where there are some; what is no number stays as it is."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    exact = Decimal(value)
    return f"{exact:,.0f}" if exact == exact.to_integral_value() else f"{exact:,.2f}"


FILTERS = {"hm": hm, "date": day, "money": money}
