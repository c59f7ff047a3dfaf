"""Which provider sends next: by order and share, away from who fails or is slow, never nobody, never too many."""

from __future__ import annotations

import math
import random
from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notify.channels.base import Outcome, Provider, Reason, Result, Text
from services.notify.pool.bucket import TokenBucket
from services.notify.pool.choice import ASIDE_SECONDS, PROBE_SECONDS, ProviderPool
from services.notify.pool.terms import Terms

SENT = Outcome(Result.SENT, Reason.ACCEPTED)
BROKEN = Outcome(Result.TRANSIENT, Reason.PROVIDER_ERROR)
REFUSED_US = Outcome(Result.TRANSIENT, Reason.CREDENTIALS)
BAD_ADDRESS = Outcome(Result.PERMANENT, Reason.BAD_ADDRESS)
MILD, WORST = 3, 0


class Named(Provider):
    """A provider that is only chosen."""

    channel = "sms"

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    async def send(self, text: Text) -> Outcome:
        raise AssertionError(text)

    async def close(self) -> None:
        return None


def pool(*terms: Terms) -> ProviderPool:
    return ProviderPool([(Named(each.name), each) for each in terms])


def go(
    chosen: ProviderPool, now: float, outcomes: dict[str, Outcome], *, rank: int = MILD, secs: float = 0.05
) -> str:
    """One message goes out; whose turn it was."""
    turn = chosen.choose(rank, (), now)
    assert turn is not None
    chosen.ended(turn, turn.withheld or outcomes.get(turn.member.name, SENT), secs, now)
    return turn.member.name


def test_the_lowest_order_sends_while_it_is_well() -> None:
    both = pool(Terms("dear", order=2), Terms("cheap", order=1))
    assert {go(both, now, {}) for now in range(50)} == {"cheap"}


@given(st.lists(st.integers(1, 9), min_size=2, max_size=4))
def test_equals_share_by_their_shares(shares: list[int]) -> None:
    equals = pool(*(Terms(f"p{number}", share=share) for number, share in enumerate(shares)))
    rounds = 4
    got = Counter(go(equals, now, {}) for now in range(rounds * sum(shares)))
    assert all(abs(got[f"p{number}"] - rounds * share) <= 1 for number, share in enumerate(shares))


def test_shares_shift_away_from_who_fails_and_come_back_by_a_trickle() -> None:
    equals = pool(Terms("a"), Terms("b"))
    down = {"a": BROKEN}
    during = Counter(go(equals, now * 0.1, down) for now in range(600))
    assert during["a"] <= 6 + 60 / PROBE_SECONDS
    assert during["a"] >= 60 / PROBE_SECONDS - 2  # and is asked now and then
    after = [go(equals, 60 + now * 0.1, {}) for now in range(1200)]
    assert 90 <= Counter(after[-200:])["a"] <= 110


def test_the_backup_takes_over_at_once_and_gives_back() -> None:
    both = pool(Terms("first", order=1), Terms("backup", order=2))
    during = [go(both, now * 0.01, {"first": BROKEN}) for now in range(100)]
    assert during.count("first") <= 6
    assert set(during[10:]) == {"backup"}
    after = [go(both, 1 + now * 0.5, {}) for now in range(240)]
    assert set(after[-50:]) == {"first"}


def test_who_is_slow_gets_less() -> None:
    equals = pool(Terms("slow"), Terms("quick"))
    names: list[str] = []
    for number in range(300):
        turn = equals.choose(MILD, (), number * 0.1)
        assert turn is not None
        names.append(turn.member.name)
        equals.ended(turn, SENT, 4.0 if turn.member.name == "slow" else 0.05, number * 0.1)
    assert Counter(names[50:])["slow"] <= 8


def test_who_is_as_slow_as_everybody_is_well() -> None:
    equals = pool(Terms("a"), Terms("b"))
    got = Counter(go(equals, now * 0.1, {}, secs=3.0) for now in range(100))
    assert got == {"a": 50, "b": 50}


def test_the_worst_grade_finds_nothing_out() -> None:
    both = pool(Terms("a", order=1), Terms("b", order=2))
    for now in range(10):
        go(both, now * 0.01, {"a": BROKEN})
    assert {go(both, 1 + now, {"a": BROKEN}, rank=WORST) for now in range(20)} == {"b"}


@given(st.lists(st.sampled_from([BROKEN, SENT, BAD_ADDRESS]), max_size=60))
def test_the_only_one_is_never_without_a_message(outcomes: list[Outcome]) -> None:
    only = pool(Terms("only"))
    for now, outcome in enumerate(outcomes):
        turn = only.choose(MILD, ("only",) if now % 2 else (), now)
        assert turn is not None
        assert turn.withheld is None
        only.ended(turn, outcome, 0.1, now)


def test_who_refuses_our_credentials_is_set_aside_and_that_is_new_once() -> None:
    both = pool(Terms("a", order=1), Terms("b", order=2))
    turn = both.choose(MILD, (), 0.0)
    assert turn is not None
    assert turn.member.name == "a"
    assert both.ended(turn, REFUSED_US, 0.1, 0.0) is True
    assert not both.another({"b"}, 1.0)
    assert {go(both, 1 + now, {"a": REFUSED_US}) for now in range(int(ASIDE_SECONDS) - 2)} == {"b"}
    probe = both.choose(MILD, (), ASIDE_SECONDS + 1)
    assert probe is not None
    assert probe.member.name == "a"
    assert both.ended(probe, REFUSED_US, 0.1, ASIDE_SECONDS + 1) is False
    probe = both.choose(MILD, (), 2 * ASIDE_SECONDS + 2)
    assert probe is not None
    both.ended(probe, SENT, 0.1, 2 * ASIDE_SECONDS + 2)
    assert both.another({"b"}, 2 * ASIDE_SECONDS + 3)


def test_nobody_is_asked_in_vain_where_only_one_refuses_our_credentials() -> None:
    only = pool(Terms("only"))
    go(only, 0.0, {"only": REFUSED_US})
    for now in range(1, int(ASIDE_SECONDS)):
        turn = only.choose(WORST, (), now)
        assert turn is not None
        assert turn.withheld is not None
        assert turn.withheld.reason is Reason.CREDENTIALS
        only.ended(turn, turn.withheld, 0.0, now)
    turn = only.choose(WORST, (), ASIDE_SECONDS + 1)
    assert turn is not None
    assert turn.withheld is None


def test_who_asks_to_be_left_alone_is() -> None:
    both = pool(Terms("a", order=1), Terms("b", order=2))
    busy = Outcome(Result.TRANSIENT, Reason.BUSY, retry_after=timedelta(seconds=30))
    assert go(both, 0.0, {"a": busy}) == "a"
    assert {go(both, now, {}) for now in range(1, 30)} == {"b"}
    assert not both.another({"b"}, 10.0)
    assert go(both, 31.0, {}) == "a"
    only = pool(Terms("only"))
    go(only, 0.0, {"only": busy})
    turn = only.choose(MILD, (), 10.0)
    assert turn is not None
    assert turn.withheld is not None
    assert turn.withheld.retry_after == timedelta(seconds=20)


def test_connections_bound_what_is_under_way() -> None:
    narrow = pool(Terms("a", connections=2))
    turns = [narrow.choose(MILD, (), 0.0) for _ in range(3)]
    assert turns[2] is None
    assert narrow.ready_in((), 0.0) == math.inf
    assert turns[0] is not None
    narrow.not_sent(turns[0], 0.0)
    assert narrow.ready_in((), 0.0) == 0


def test_what_was_tried_is_not_chosen_again_while_another_is_left() -> None:
    three = pool(Terms("a", order=1), Terms("b", order=2), Terms("c", order=3))
    tried: set[str] = set()
    for expected in ("a", "b", "c"):
        assert three.another(tried, 0.0)
        turn = three.choose(WORST, tried, 0.0)
        assert turn is not None
        assert turn.member.name == expected
        three.ended(turn, BROKEN, 0.1, 0.0)
        tried.add(expected)
    assert not three.another(tried, 0.0)


@given(
    rate=st.floats(0.1, 500),
    burst=st.floats(1, 100),
    steps=st.lists(st.floats(0, 2), min_size=1, max_size=200),
)
def test_never_more_than_the_burst_and_the_rate(rate: float, burst: float, steps: list[float]) -> None:
    bucket = TokenBucket(rate, burst)
    now, taken = 0.0, 0
    for step in steps:
        now += step
        if not bucket.ready_in(now):
            bucket.take(now)
            taken += 1
        assert taken <= burst + rate * now + 1e-3
    wait = bucket.ready_in(now)
    assert not bucket.ready_in(now + wait * (1 + 1e-9) + 1e-6)


@given(
    orders=st.lists(st.integers(0, 2), min_size=1, max_size=4),
    seed=st.integers(0, 10_000),
    rank=st.sampled_from([MILD, WORST]),
)
def test_somebody_always_sends_soon_whatever_happened(orders: list[int], seed: int, rank: int) -> None:
    rng = random.Random(seed)
    many = pool(*(Terms(f"p{number}", order=order, per_second=5) for number, order in enumerate(orders)))
    now = 0.0
    for _ in range(80):
        now += rng.random()
        turn = many.choose(rank, (), now)
        if turn is None:
            wait = many.ready_in((), now)
            assert wait <= 0.2 + 1e-6  # a token of the limit of five a second
            now += wait + 1e-6
            turn = many.choose(rank, (), now)
        assert turn is not None
        outcome = turn.withheld or rng.choice([SENT, BROKEN, REFUSED_US, BAD_ADDRESS])
        many.ended(turn, outcome, rng.random() * 5, now)
