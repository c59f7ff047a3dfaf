"""Which cases are among a sample, for good: a stable hash decides (rule-language, Sampling)."""

from __future__ import annotations

import hashlib
from decimal import Decimal

from reeve.domain.case import CaseKey


def in_sample(key: CaseKey, share: Decimal) -> bool:
    """Whether the case (site, policy, subject) is among that share (0 to 1) of all."""
    digest = hashlib.sha256(f"{key.site}\0{key.policy}\0{key.subject}".encode()).digest()
    return Decimal(int.from_bytes(digest[:8], "big")) < share * 2**64
