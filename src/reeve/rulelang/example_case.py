"""A case that has everything, with ordinary values: what messages are tried with, and shown with in a preview."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from reeve.domain.bundle import Policy
from reeve.domain.case import Account, Case, CaseKey, ClockState, Due
from reeve.rulelang.known_names import FIELD_VALUES, kind_of
from reeve.rulelang.message_context import FIXED, grade_title

EXAMPLE_AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
"""The moment of the example, and when its clocks run out."""
EXAMPLE_LINK = "https://reeve.example.com/ack/Xk3f9QpZ1bXk3f9QpZ1b"
EXAMPLE_REPLY_CODE = "K7"

_WORDS = {"zh": "天花板漏水", "en": "water comes in"}
_OF_KIND: Mapping[str, Any] = {
    "number": 12,
    "truth": True,
    "moment": EXAMPLE_AT.isoformat(),
    "date": EXAMPLE_AT.date().isoformat(),
}

_NUMBERS = frozenset({"asked", "granted", "count", "matters"})
"""Names of Reeve's own messages that stand for numbers."""


def example_case(policy: Policy, names: Collection[str], site: str, languages: tuple[str, ...]) -> Case:
    """An open case of the policy that has each of `names` a case can have; texts in the reader's language.

    Its grade is the one with the longest title, its account owes something, and every clock runs.
    """
    words = next((_WORDS[each] for each in languages if each in _WORDS), "")
    case = Case(CaseKey(site or "site", policy.name, "T-100001"), policy.family, policy.digest, EXAMPLE_AT)
    case.grade = max(policy.grade_order, key=lambda one: len(grade_title(policy, one, languages)), default=None)
    facts = (name for name in set(names) - FIXED if not name.endswith("_due"))
    case.facts = {name: _value(name, policy.family, words) for name in facts}
    due = Due(EXAMPLE_AT, date(2026, 11, 20))
    case.clocks = {name: ClockState(1, "running", due=due) for name in policy.clocks}
    case.account = Account(Decimal("1836.50"))
    return case


@lru_cache(maxsize=4096)
def _value(name: str, family: str, words: str) -> Any:
    if values := FIELD_VALUES.get(family, {}).get(name):
        return max(values, key=len)
    kind = "number" if name in _NUMBERS else kind_of(name, family) or "text"
    return _OF_KIND.get(kind, words)
