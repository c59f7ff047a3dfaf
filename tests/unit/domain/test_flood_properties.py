"""What must hold whatever comes, in whatever order: nobody waits too long, nobody is forgotten, the worst never wait."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reeve.domain.bundle import Calendar, SiteSettings, Span
from reeve.domain.calendar import local_day
from reeve.domain.facts import zone_of
from reeve.domain.flood.digests import STAND_IN, next_digest
from reeve.domain.flood.settings import Digest, Flood
from reeve.domain.flood.silences import Matchers, Silence
from reeve.domain.flood.tempering import Ledger, Planned, Verdict, temper
from reeve.domain.flood.windows import PUNCTUAL, Window, through_window

START = datetime(2026, 10, 20, 5, 0, tzinfo=UTC)  # a week before summer time ends in Berlin
MERGE = timedelta(minutes=10)
ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Pacific/Apia"])

BASE = SiteSettings(
    site="garden",
    zone="Europe/Berlin",
    locale="en",
    calendar=Calendar("none", frozenset(), frozenset(), None),
    opening={"default": (Span(510, 720), Span(810, 1080))},
    channels={},
    ladder={},
    flood=Flood(MERGE, Digest(("ordinary",), (540, 1020)), True, 100),
)


@st.composite
def _arrivals(draw: st.DrawFn) -> list[tuple[timedelta, Planned, bool]]:
    """(since the start, message, whether the budget does not last), in order of time."""
    many = draw(st.integers(1, 20))
    found: list[tuple[timedelta, Planned, bool]] = []
    at = timedelta()
    for number in range(many):
        at += timedelta(seconds=draw(st.sampled_from([0, 1, 60, 240, 3600, 9 * 3600, 26 * 3600])))
        rank = draw(st.integers(0, 4))
        quiet = draw(st.sampled_from([None, None, 3600, 10 * 3600]))
        family = draw(st.sampled_from(["ticket", "payment"]))
        root = draw(st.sampled_from(["T-1", "T-2"]))
        planned = Planned(
            id=f"n{number}#p#c",
            notification=f"n{number}",
            site="garden",
            family=family,
            policy="any",
            subject=root,
            root=root,
            grade=draw(st.sampled_from(["ordinary", "serious", None])),
            rank=rank,
            place="garden",
            recipient=draw(st.sampled_from(["p-1", "p-2"])),
            channel=draw(st.sampled_from(["sms", "email"])),
            role=draw(st.sampled_from(["owner", "technician"])),
            message="text",
            not_before=START + at + timedelta(seconds=quiet) if quiet is not None else None,
            email=draw(st.sampled_from(["none", "planned", "possible"])),
        )
        found.append((at, planned, draw(st.booleans())))
    return found


@dataclass
class _Run:
    site: SiteSettings
    verdicts: list[tuple[datetime, Planned, bool, Verdict]] = field(default_factory=list)


def _run(arrivals: list[tuple[timedelta, Planned, bool]], site: SiteSettings, *silences: Silence) -> _Run:
    run, ledger = _Run(site), Ledger()
    for since, planned, degraded in arrivals:
        now = START + since
        run.verdicts.append((now, planned, degraded, temper(planned, site, ledger, silences, degraded, now)))
    return run


@given(_arrivals(), ZONES)
@settings(max_examples=60, deadline=None)
def test_the_two_worst_grades_are_never_touched(arrivals: Any, zone: str) -> None:
    hidden = Silence("s-1", Matchers(site="garden"), START, START + timedelta(days=60), "a", "b")
    for now, planned, _, verdict in _run(arrivals, replace(BASE, zone=zone), hidden).verdicts:
        if planned.rank <= 1:
            assert verdict == Verdict(now, planned.channel)


@given(_arrivals(), ZONES)
@settings(max_examples=60, deadline=None)
def test_everything_ends_in_a_delivery_or_a_suppression_with_a_name(arrivals: Any, zone: str) -> None:
    hides_some = Silence("s-1", Matchers(role="technician"), START, START + timedelta(days=1), "a", "b")
    for now, planned, degraded, verdict in _run(arrivals, replace(BASE, zone=zone), hides_some).verdicts:
        if verdict.silence is not None:
            assert hides_some.hides(planned, now)
        elif verdict.over_budget and verdict.channel == planned.channel:
            assert degraded, "only a budget that does not last keeps a text back"
            assert planned.email == "planned", "and the person reads it in an email"
        else:
            assert verdict.due_at >= now
            assert bool(verdict.hold) == (verdict.due_at > now), "what waits says why"
            assert bool(verdict.hold) == bool(verdict.group)


@given(_arrivals(), ZONES)
@settings(max_examples=60, deadline=None)
def test_nothing_waits_longer_than_its_reason(arrivals: Any, zone: str) -> None:
    site = replace(BASE, zone=zone)
    for now, planned, _, verdict in _run(arrivals, site).verdicts:
        quiet_until = max(now, planned.not_before or now)
        match verdict.hold:
            case "merge":
                assert verdict.due_at < now + MERGE or verdict.due_at == now + MERGE
            case "quiet":
                assert verdict.due_at == planned.not_before
            case "digest" | "budget":
                at = next_digest(site.flood.digest or STAND_IN, quiet_until, zone_of(zone))
                assert verdict.due_at == at
            case "daily":
                assert planned.family == "payment"


@given(_arrivals(), ZONES)
@settings(max_examples=120, deadline=None)
def test_nobody_gets_two_payment_reminders_on_one_local_day(arrivals: Any, zone: str) -> None:
    site = replace(BASE, zone=zone)
    said: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for now, planned, _, verdict in _run(arrivals, site).verdicts:
        sent = verdict.silence is None and not (verdict.over_budget and verdict.channel == planned.channel)
        if sent and planned.rank > 1 and planned.reminds_of_payment:
            day = local_day(verdict.due_at, zone_of(zone))
            # What stands alone is a message of its own; a group is one.
            message = verdict.group or f"{planned.id}@{now.isoformat()}"
            said[planned.recipient, verdict.channel, day].add(message)
    assert all(len(messages) == 1 for messages in said.values()), said


@given(
    st.lists(st.integers(0, 1200), min_size=1, max_size=40),
    st.integers(60, 1800),
)
def test_a_matter_is_said_at_most_once_in_a_window(gaps: list[int], length: int) -> None:
    window: Window | None = None
    now, said = START, set()
    for number, gap in enumerate(gaps):
        now += timedelta(seconds=gap)
        window, until = through_window(window, f"d{number}", now, timedelta(seconds=length))
        assert until is None or now < until <= now + timedelta(seconds=length), "never later than the window"
        said.add(until or now)
    moments = sorted(said)
    assert all(b - a >= timedelta(seconds=length) - PUNCTUAL for a, b in pairwise(moments))
