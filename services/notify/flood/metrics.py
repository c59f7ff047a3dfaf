"""What is counted of messages that did not go at once. Labels are fixed lists."""

from __future__ import annotations

from prometheus_client import Counter

TEMPERED = Counter("reeve_notify_tempered_total", "Deliveries that waited, went another way or were hidden", ["by"])
"""by `quiet`, `merge`, `daily`, `digest`, `budget` or `silence`."""
