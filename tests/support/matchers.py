"""Every matcher there is, for the suites that hold them to the same meaning."""

from __future__ import annotations

from functools import lru_cache

import pytest

from reeve.domain.bundle import Matcher
from reeve.rulelang.closures import Closures
from reeve.runtime.durable_rules import DurableRules, MatcherMissing

NAMES = ("closures", "durable-rules")


@lru_cache(maxsize=1)
def _durable_rules() -> DurableRules | str:
    try:
        return DurableRules()
    except MatcherMissing as missing:
        return missing.reason


def matcher(name: str) -> Matcher:
    """The matcher of that name, started once; skips the test, saying why, where it can't be had."""
    if name == "closures":
        return Closures()
    return durable_rules()


def durable_rules() -> DurableRules:
    """The second matcher; skips the test, saying why, where durable-rules is not installed."""
    found = _durable_rules()
    if isinstance(found, str):
        pytest.skip(found)
    return found
