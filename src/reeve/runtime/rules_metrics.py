"""What every process that works with the rules counts of them."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from reeve.domain.bundle import Bundle

ACTIVE = Gauge("reeve_rules_active", "1 for the version of the rules that this process works with", ["version"])
TAKEN_AT = Gauge("reeve_rules_active_since_seconds", "When this process took these rules, Unix time")
OUTCOMES = Counter("reeve_rules_total", "What became of rules that somebody wanted to activate", ["outcome"])
"""outcome: activated (this process works with them), rejected (they had errors), unreadable (written by a later
release, so this process stays with what it has)."""


def show_active(bundle: Bundle) -> None:
    """The gauges name this bundle and no other."""
    ACTIVE.clear()
    ACTIVE.labels(version=bundle.version).set(1)
    TAKEN_AT.set_to_current_time()
