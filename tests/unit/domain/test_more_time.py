"""More time: never more than two hours in all, and when something follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.domain.case import Case, CaseKey, Due, Ladder, StepState
from reeve.domain.more_time import MoreTime, more_time
from reeve.domain.replies import MOST_MINUTES

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)


def case(delayed: int = 0, next_at: datetime | None = SOON) -> Case:
    ladder = Ladder(0, Due(NOW), 1, next_at, None, 0)
    return replace(
        Case(CaseKey("garden", "complaint", "T-1"), "ticket", "d", NOW),
        steps={"late": StepState(1, ladder, delayed=delayed)},
    )


@pytest.mark.parametrize(
    ("known", "asked", "noted", "granted", "left", "wait"),
    [
        (0, 30, 0, 30, 90, 35),
        (0, 500, 0, 120, 0, 125),
        (100, 60, 100, 20, 0, 25),
        (120, 15, 120, 0, 0, 5),
        (0, 60, 90, 30, 0, 125),  # 90 were granted a moment ago: the case will know of them
        (60, 60, 0, 60, 0, 65),  # a site system has put it off
        (0, 0, 300, 0, 0, 125),  # what an older version noted as granted
    ],
)
def test_what_is_left_is_granted(known: int, asked: int, noted: int, granted: int, left: int, wait: int) -> None:
    found = more_time(case(known), "late", asked, noted)
    assert found == MoreTime(asked, granted, left, NOW + timedelta(minutes=wait))
    assert found.less == (granted < asked)


def test_where_nothing_more_is_to_come_or_nobody_knows_the_case() -> None:
    assert more_time(case(next_at=None), "late", 30, 0) == MoreTime(30, 30, 90)
    assert more_time(case(), "another", 30, 0) == MoreTime(30, 30, 90)
    assert more_time(None, "late", 30, 110) == MoreTime(30, 10, 0)


@given(st.lists(st.integers(1, 300), max_size=8))
def test_two_hours_in_all_however_it_is_asked_for(wishes: list[int]) -> None:
    given_so_far = 0
    for asked in wishes:
        given_so_far += more_time(case(), "late", asked, given_so_far).granted
    assert given_so_far == min(sum(wishes), MOST_MINUTES)
