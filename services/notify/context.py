"""What a text needs to know of a case beyond its own state: its policy file, how bad it is, when it is due."""

from __future__ import annotations

from datetime import datetime

from reeve.domain.bundle import Bundle, Policy, SiteSettings
from reeve.domain.case import Case
from reeve.domain.facts import zone_of
from reeve.rulelang.template_filters import day, hm, local_due


def policy_of(bundle: Bundle, case: Case) -> Policy | None:
    """The policy file the case runs on; the current one where nobody has that file any more."""
    return bundle.archive.get(case.digest) or bundle.policies.get(case.key.policy)


def rank_of(bundle: Bundle, case: Case, grade: str | None) -> int:
    """0 for the worst grade of the case's policy, more for milder ones; cases without grades come last."""
    policy = policy_of(bundle, case)
    if policy is None or grade not in policy.grade_order:
        return 99
    return policy.grade_order.index(grade)


def earliest_due(case: Case, site: SiteSettings, now: datetime) -> str:
    """The next due moment of a running clock, as text; empty when there is none."""
    dues = [clock.due for clock in case.clocks.values() if clock.due and clock.live and clock.breached_at is None]
    if not dues:
        return ""
    zone = zone_of(site.zone)
    due = local_due(min(dues, key=lambda each: each.at), zone)
    on = day(due)
    return str(hm(due)) if on == day(now.astimezone(zone)) else f"{on} {hm(due)}"
