"""What escalation counts."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from reeve.domain.bundle import Bundle

EVENTS = Counter("reeve_escalation_events_total", "Events decided", ["outcome"])
"""outcome: applied, waiting, repeat, refused, malformed."""
TICKS = Counter("reeve_escalation_ticks_total", "Ticks taken", ["outcome"])
"""outcome: decided, stale."""
EFFECTS = Counter("reeve_escalation_effects_total", "What happened to cases", ["effect"])
"""effect: as on the timeline; `breached` is the one to watch."""
BATCH = Histogram(
    "reeve_escalation_batch_messages",
    "Messages decided in one transaction",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
)
BATCH_SECONDS = Histogram(
    "reeve_escalation_batch_seconds",
    "From taking a batch to its commit",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
TICK_LATENESS = Histogram(
    "reeve_escalation_tick_lateness_seconds",
    "From a case's moment to its being decided",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60, 300, 3600),
)
REDELIVERIES = Counter("reeve_escalation_redeliveries_total", "Messages that came again")
DEAD_LETTERS = Counter("reeve_escalation_dead_letters_total", "Messages given up", ["verdict"])
CONFLICTS = Counter("reeve_escalation_conflicts_total", "Batches decided again because somebody was faster")
RELOADS = Counter("reeve_escalation_loads_total", "Times a batch asked the record for something it lacked")
RECONCILED = Counter("reeve_escalation_reconciled_total", "What the bus had lost or delayed", ["what"])
"""what: tick, event, outbox."""
OUTBOX = Gauge("reeve_escalation_outbox_pending", "Decisions committed and not yet acknowledged by the bus")
LANES = Gauge("reeve_escalation_lanes", "Lanes this replica works on")
BUNDLE = Gauge("reeve_escalation_bundle", "1 for the active bundle", ["version"])
REVISED = Counter("reeve_escalation_revised_total", "Open cases handed over because other rules are active")
REVISIONS_LEFT = Gauge(
    "reeve_escalation_revisions_left", "Open cases that are still to go on with the active rules"
)
SHADOW_EVENTS = Counter("reeve_escalation_shadow_events_total", "Events evaluated under the shadow's rules")
SHADOW_LAG = Gauge("reeve_escalation_shadow_lag_seconds", "How far the shadow is behind what was accepted")
PAUSED = Gauge("reeve_escalation_paused", "1 while the record or the bus is away")


def show_bundle(bundle: Bundle) -> None:
    """The gauge names this bundle and no other."""
    BUNDLE.clear()
    BUNDLE.labels(version=bundle.version).set(1)
