"""Which provider of a channel sends the next message. Pure: the caller tells the time and sends.

The lowest order that is well; among equals by share, shifted away from who fails or is slow. Who is ill gets a
trickle of milder messages until it is well; who refuses our credentials is set aside and asked now and then. Where
nobody is well the least ill one goes on: a message is never held because of a provider's record. It is withheld
only from whom asking again would be useless or unkind: who refuses our credentials, or asked to be left alone.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from services.notify.channels.base import Outcome, Provider, Reason, Result
from services.notify.pool.bucket import TokenBucket
from services.notify.pool.health import ILL_FAULTS, Health, quickness
from services.notify.pool.terms import WORST_RANKS, Terms

PROBE_SECONDS = 5.0
"""Between two messages that find out whether an ill provider is well again."""
ASIDE_SECONDS = 60.0
"""The same for one that refuses our credentials: a person must act first."""
_LEAST = 0.05
"""What is left of the share of one that is almost ill."""
_LONGEST_PAUSE = timedelta(hours=1)
_SHORT_PAUSE_SECONDS = 1.0
"""A pause that is over so soon is waited for with the message in hand."""


@dataclass(slots=True)
class Member:
    """A provider in its pool."""

    provider: Provider
    terms: Terms
    bucket: TokenBucket
    health: Health = field(default_factory=Health)
    busy: int = 0
    """Messages it is being given now."""
    turn: float = 0.0
    """What it is owed among its equals: smooth weighted round robin."""
    aside: bool = False
    """It refuses our credentials."""
    paused_until: float = -math.inf
    """It asked to be left alone until then."""
    tried_at: float = -math.inf
    """When it was last chosen."""

    @property
    def name(self) -> str:
        return self.terms.name

    def ready_in(self, now: float) -> float:
        """Seconds until it may take a message; infinite while all its connections are busy."""
        if self.busy >= self.terms.connections:
            return math.inf
        return max(self.bucket.ready_in(now), self.paused_until - now, 0.0)

    def probe_in(self, now: float) -> float:
        """Seconds until it is found out whether it is well again."""
        wait = ASIDE_SECONDS if self.aside else PROBE_SECONDS
        return max(0.0, self.tried_at + wait - now)

    def withheld(self, now: float) -> Outcome | None:
        """What would come of asking it now, where nobody should; None: it can be asked."""
        if self.aside and self.probe_in(now):
            return Outcome(Result.TRANSIENT, Reason.CREDENTIALS, provider=self.name)
        if (left := self.paused_until - now) > _SHORT_PAUSE_SECONDS:
            return Outcome(Result.TRANSIENT, Reason.BUSY, provider=self.name, retry_after=timedelta(seconds=left))
        return None


@dataclass(frozen=True, slots=True)
class Turn:
    """One message's go at a provider."""

    member: Member
    withheld: Outcome | None = None
    """It is not to be asked: this is how the attempt ends. It holds neither token nor place."""


class ProviderPool:
    """The providers of one channel. `now` is the loop's time throughout."""

    def __init__(self, providers: Sequence[tuple[Provider, Terms]]) -> None:
        """The names are unique. With nobody in it nobody is ever chosen."""
        self.members: tuple[Member, ...] = ()
        self.become(providers)

    def become(self, providers: Sequence[tuple[Provider, Terms]]) -> list[Member]:
        """From now on it is these; who left, and may still be sending.

        Who stays keeps what is known of it. Where another takes over a name it starts afresh, but for the rate:
        that is the company's and not ours.
        """
        before = {each.name: each for each in self.members}
        members: list[Member] = []
        for provider, terms in providers:
            known = before.get(terms.name)
            if known is None or known.provider is not provider:
                member = Member(provider, terms, TokenBucket(terms.per_second, terms.burst))
                if known is not None and _rate(known.terms) == _rate(terms):
                    member.bucket = known.bucket
                known = member
            members.append(known)
        left = [each for each in self.members if not any(each is other for other in members)]
        self.members = tuple(members)
        return left

    @property
    def names(self) -> frozenset[str]:
        return frozenset(each.name for each in self.members)

    @property
    def connections(self) -> int:
        """Messages that may be under way at a time."""
        return sum(each.terms.connections for each in self.members)

    def terms(self, name: str) -> Terms | None:
        """Of the provider of that name; None: it is not configured any more."""
        return next((each.terms for each in self.members if each.name == name), None)

    def choose(self, rank: int, not_these: Collection[str], now: float) -> Turn | None:
        """Who sends a message of that rank now: it has the place and the token. None: nobody can just now.

        `not_these` were tried already; where that leaves nobody at all, they are asked again.
        """
        if not self.members:
            return None
        left = self._left(not_these)
        chosen = self._probed(left, rank, now) or self._preferred(left, now)
        if chosen is None:
            return None
        if (outcome := chosen.withheld(now)) is not None:
            return Turn(chosen, outcome)
        chosen.bucket.take(now)
        chosen.busy += 1
        chosen.tried_at = now
        return Turn(chosen)

    def ready_in(self, not_these: Collection[str], now: float) -> float:
        """Seconds until `choose` may find somebody; infinite until a message under way has ended."""
        if not self.members:
            return math.inf
        left = self._left(not_these)
        ready = [0.0 if each.withheld(now) else each.ready_in(now) for each in self._best(left, now)]
        probes = [max(each.ready_in(now), each.probe_in(now)) for each in left if self._ill(each, now)]
        return min(ready + probes, default=math.inf)

    def another(self, not_these: Collection[str], now: float) -> bool:
        """Whether somebody else can be tried at once: not set aside, not asking to be left alone."""
        return any(
            each.name not in not_these and not each.aside and each.paused_until <= now for each in self.members
        )

    def ended(self, turn: Turn, outcome: Outcome, seconds: float, now: float) -> bool:
        """The place is free again, and what the attempt says is noted. True: it is set aside from now on."""
        member = turn.member
        if turn.withheld is not None:
            return False
        member.busy -= 1
        member.health.note(outcome, seconds, now)
        if outcome.retry_after is not None:
            wait = min(max(outcome.retry_after, timedelta(0)), _LONGEST_PAUSE)
            member.paused_until = max(member.paused_until, now + wait.total_seconds())
        before = member.aside
        if outcome.reason is Reason.CREDENTIALS:
            member.aside = True
        elif outcome.result in (Result.SENT, Result.PERMANENT):
            member.aside = False
        return member.aside and not before

    def not_sent(self, turn: Turn, now: float) -> None:
        """It was chosen and nothing was sent: token and place are free again."""
        if turn.withheld is None:
            turn.member.busy -= 1
            turn.member.bucket.give_back(now)

    def quality(self, member: Member, now: float) -> float:
        """1: all is well; 0.5 and less: ill; 0: nothing works."""
        return (1.0 - member.health.faults(now)) * self._quickness(member)

    def _left(self, not_these: Collection[str]) -> list[Member]:
        left = [each for each in self.members if each.name not in not_these]
        return left or list(self.members)

    def _ill(self, member: Member, now: float) -> bool:
        return member.aside or self.quality(member, now) <= 1 - ILL_FAULTS

    def _quickness(self, member: Member) -> float:
        known = [each.health.seconds for each in self.members if each.health.seconds]
        return quickness(member.health.seconds, min(known, default=0.0))

    def _probed(self, left: Sequence[Member], rank: int, now: float) -> Member | None:
        """An ill one whose next try is due, where the message can afford it: it goes to another if that fails."""
        if rank <= WORST_RANKS or len(left) < 2:
            return None
        for each in left:
            if self._ill(each, now) and not each.probe_in(now) and not each.ready_in(now):
                return each
        return None

    def _best(self, left: Sequence[Member], now: float) -> list[Member]:
        """Those of the lowest order that has one who is well; nobody is: the least ill one that can be asked."""
        able = [each for each in left if each.paused_until <= now and not each.aside]
        well = [each for each in able if not self._ill(each, now)]
        if well:
            order = min(each.terms.order for each in well)
            return [each for each in well if each.terms.order == order]
        if able:
            return [max(able, key=lambda each: self.quality(each, now))]
        return [min(left, key=lambda each: (each.aside, each.paused_until, each.probe_in(now)))]

    def _preferred(self, left: Sequence[Member], now: float) -> Member | None:
        """Of the best ones that are free now, who is owed most. Who is not free now is owed nothing for it."""
        free = [each for each in self._best(left, now) if each.withheld(now) or not each.ready_in(now)]
        if len(free) < 2:
            return free[0] if free else None
        weights = [max(0.0, each.terms.share) * max(_LEAST, self.quality(each, now) ** 2) for each in free]
        for each, weight in zip(free, weights, strict=True):
            each.turn += weight
        chosen = max(free, key=lambda each: each.turn)
        chosen.turn -= sum(weights)
        return chosen


def _rate(terms: Terms) -> tuple[float, float]:
    return terms.per_second, terms.burst
