"""What notify counts. Labels are fixed lists: channels, results and reasons; never a recipient or a case."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "reeve_notify_attempts_total",
    "Attempts at a delivery, by how they ended",
    ["channel", "provider", "result", "reason"],
)
"""provider is empty where none was asked."""
ATTEMPT_SECONDS = Histogram(
    "reeve_notify_attempt_seconds",
    "How long a provider took for a message",
    ["channel", "provider"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
SET_ASIDE = Counter(
    "reeve_notify_providers_set_aside_total",
    "Providers set aside because they do not accept our credentials",
    ["channel", "provider"],
)
SMS_SEGMENTS = Counter("reeve_notify_sms_segments_total", "SMS segments handed to providers", ["provider"])
PROVIDER_QUALITY = Gauge(
    "reeve_notify_provider_quality",
    "How well a provider does lately: 1 all is well, 0.5 and less it gets a trickle only, 0 nothing works",
    ["channel", "provider"],
)
RECEIPTS = Counter("reeve_notify_receipts_total", "Receipts of providers", ["provider", "came_to"])
"""came_to `delivered`, `not_delivered`, `noted` (it changed nothing any more), `repeated`, `pending`, `unknown`
(once, after ten minutes), `unreadable` (a post without any)."""
SETTLED = Counter("reeve_notify_deliveries_total", "Deliveries settled", ["channel", "state"])
REQUESTED = Counter("reeve_notify_requested_total", "Requested notifications looked at", ["came_by"])
"""came_by `message`, or `sweep`: its wake-up did not come, or it waited for its hour."""
UNDELIVERABLE = Counter("reeve_notify_undeliverable_total", "Roles nobody could be reached of", ["next"])
"""next `role`: somebody up the ladder is tried; `nobody`: the ladder ended, a person must act."""
FALLBACK_TEXTS = Counter("reeve_notify_fallback_texts_total", "Messages sent with the built-in text", ["message"])
INTERRUPTED = Counter("reeve_notify_interrupted_total", "Deliveries found with a lease that ran out")
DEAD = Counter("reeve_notify_dead_letters_total", "Messages that could not be handled")
IN_HAND = Gauge("reeve_notify_in_hand", "Deliveries claimed by this process and not settled", ["channel"])
LAG = Histogram(
    "reeve_notify_lag_seconds",
    "From the request in the record (or the hour it waited for) to the provider's acceptance",
    ["channel"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800),
)
