"""How well a provider does lately: how many of its attempts fail, and how long it takes. Pure."""

from __future__ import annotations

from services.notify.channels.base import Outcome, Reason, Result

_NEWS = 0.15
"""How much the last attempt counts beside all before it: five faults in a row make a provider ill."""
_HALF_LIFE_SECONDS = 300.0
"""What is known fades: after five quiet minutes half of the fault rate is forgotten."""
ILL_FAULTS = 0.5
"""A provider with this rate of faults gets a trickle only, while another is well."""
SLOW_SECONDS = 1.0
"""Nobody who takes less is slow, however fast the others are."""
_SLOWER = 2.0
"""Slow is who takes so many times as long as the fastest, and ill at twice that."""
_LONGEST_SECONDS = 10.0
"""An attempt that took longer counts as this: one that hangs makes nobody ill, two in a row do."""

_WEIGHTS = {
    Reason.PROVIDER_ERROR: 1.0,
    Reason.UNREACHABLE: 1.0,
    Reason.CERTIFICATE: 1.0,
    Reason.TIMEOUT: 1.0,
    Reason.DISCONNECTED: 1.0,
    Reason.CREDENTIALS: 1.0,
    Reason.BUSY: 0.5,
}
"""What counts against a provider. BUSY counts half: greylisting is about a mailbox, too many is about us."""


def fault_of(outcome: Outcome) -> float:
    """0: nothing is wrong with the provider, whatever it says about the message; 1: it is at fault."""
    if outcome.result is Result.SENT or outcome.result is Result.PERMANENT:
        return 0.0
    return _WEIGHTS.get(outcome.reason, 0.0)


class Health:
    """One provider's. `now` is any clock's seconds that never go back."""

    def __init__(self) -> None:
        self._faults = 0.0
        self._seconds = 0.0
        self._noted_at: float | None = None

    def note(self, outcome: Outcome, seconds: float, now: float) -> None:
        """An attempt that took so long ended so."""
        before = self.faults(now)
        seconds = min(seconds, _LONGEST_SECONDS)
        self._faults = before + _NEWS * (fault_of(outcome) - before)
        self._seconds = seconds if self._noted_at is None else self._seconds + _NEWS * (seconds - self._seconds)
        self._noted_at = now

    def faults(self, now: float) -> float:
        """Rate of faults lately, 0 to 1."""
        if self._noted_at is None:
            return 0.0
        return float(self._faults * 0.5 ** (max(0.0, now - self._noted_at) / _HALF_LIFE_SECONDS))

    @property
    def seconds(self) -> float:
        """How long an attempt takes lately; 0 before the first."""
        return self._seconds


def quickness(seconds: float, fastest: float) -> float:
    """1: as fast as can be asked; 0.5: ill. `fastest` is the least of the channel's providers."""
    fair = max(SLOW_SECONDS, _SLOWER * fastest)
    return 1.0 if seconds <= fair else fair / seconds
