"""The names that a message's template may use, and their values for one case in the reader's language.

One list for `rules check` and for sending: what check accepts has a value, or prints as nothing, when it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from reeve.domain.bundle import COMPUTED, Policy, SiteSettings
from reeve.domain.case import Case
from reeve.domain.duties import DUTY, POLICY, SCHEDULED, duty_of
from reeve.domain.facts import typed, zone_of
from reeve.domain.flood.settings import DIGEST
from reeve.domain.more_time import MORE_TIME
from reeve.domain.people.roles import UNREACHABLE
from reeve.rulelang.check_names import facts_named
from reeve.rulelang.fact_titles import VALUE_TITLES
from reeve.rulelang.known_names import FIELD_KINDS
from reeve.rulelang.reply_hints import REPLY_NAMES, reply_words
from reeve.rulelang.template_filters import local_due
from reeve.rulelang.titles import ROLE_TITLES, title_in

FIXED = frozenset(
    {"site", "site_title", "policy", "policy_title", "case", "grade", "grade_was", "grade_title", "owed_cny"}
    | {"today", "message", "role", "role_title", "ack_url"}
    | REPLY_NAMES
)
"""Names that every message has."""


OF_DUTIES = frozenset({DUTY, "duty_title", SCHEDULED, "due", "report", "report_from", "report_to"})
"""Names that the messages of duties have on top: which duty it is, until when, and the report it makes, if one."""


OF_MORE_TIME = frozenset({"asked", "granted", "next_at"})
"""Names that the message `more_time` has on top: minutes, and when the step tells somebody next, if it does."""


OF_GROUPS = frozenset({"count", "matters", "lines"})
"""Names that the message `digest` has on top, which says several others at once: how many, about how many matters,
and a line of each matter."""

_OF_OWN = {DIGEST: OF_GROUPS, MORE_TIME: OF_MORE_TIME}
"""Messages that Reeve sends by itself, with names of their own."""


TABLES = ("open_cases", "undelivered_mail", "missed_duties")
"""What can be said of the whole site, as a table in text; each with its `_count`."""
OF_SITES = frozenset({*TABLES, *(f"{table}_count" for table in TABLES), "shift_role_title"})
"""Names that every message has on top, looked up only for those that use them."""


class MessageNames:
    """What the messages of these policies may name; each policy is looked through once."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._policies = tuple(policies)
        self._senders: dict[str, dict[str, Policy]] = {}
        for policy in self._policies:
            for level in (level for step in policy.steps for level in step.levels if level.notify):
                self._senders.setdefault(level.message, {})[policy.name] = policy
        self._names: dict[str, frozenset[str]] = {}

    def senders(self, message: str) -> tuple[Policy, ...]:
        """The policies that send it; all where none does by name, and for `unreachable`."""
        named = self._senders.get(message)
        return self._policies if message == UNREACHABLE or named is None else tuple(named.values())

    def of(self, message: str, running: Policy | None = None) -> frozenset[str]:
        """FIXED, OF_SITES, fields of the events, dues of the clocks and facts of the rules of those that send it.

        `running` is the file that a case runs on, if that may be an older one. Counts are no part of it: they are
        reckoned when a case is decided, not when somebody is told.
        """
        own = () if running is None else (running,)
        fixed = FIXED | OF_SITES | _OF_OWN.get(message, frozenset())
        return fixed.union(*(self._of_policy(policy) for policy in (*self.senders(message), *own)))

    def _of_policy(self, policy: Policy) -> frozenset[str]:
        known = self._names.get(policy.digest)
        if known is None:
            names = {*FIELD_KINDS.get(policy.family, {}), *(f"{clock}_due" for clock in policy.clocks)}
            names |= {name for name, _ in facts_named(policy)} - COMPUTED
            names |= OF_DUTIES if policy.name == POLICY else set()
            known = self._names[policy.digest] = frozenset(names - {rule.name for rule in policy.counts})
        return known


def message_context(
    case: Case,
    policy: Policy | None,
    names: Iterable[str],
    site: SiteSettings,
    languages: tuple[str, ...],
    *,
    message: str,
    role: str,
    ack_url: str,
    now: datetime,
) -> dict[str, Any]:
    """Variable → value; of `names`, what the case lacks is None. Moments are in the site's zone.

    `policy` is the file the case runs on, None where nobody has it any more.
    """
    zone = zone_of(site.zone)
    context: dict[str, Any] = dict.fromkeys(names)
    for name, raw in case.facts.items():
        value = typed(name, raw)
        context[name] = value.astimezone(zone) if isinstance(value, datetime) else value
    for name, clock in case.clocks.items():
        context[f"{name}_due"] = local_due(clock.due, zone) if clock.due is not None else None
    if case.key.policy == POLICY:
        context["due"] = context.get(f"{duty_of(case)}_due")
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
        **reply_words(languages, "", replies=False),
    }
    return context


def grade_title(policy: Policy | None, grade: str | None, languages: tuple[str, ...]) -> str:
    """What the grade is called; its id where nobody named it; nothing where there is no grade."""
    if grade is None:
        return ""
    if policy is None:
        return grade
    titles = next((rule.title for rule in policy.grades if rule.grade == grade), {})
    titles = titles or VALUE_TITLES.get(policy.grade_from or "", {}).get(grade, {})
    return title_in(titles, languages, grade)
