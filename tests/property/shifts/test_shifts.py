"""Whatever the rota and the zone: nobody double, no hour without anyone, hand-over at the wall time written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from reeve.domain.rotas import Change, Exchange, Layer, Rota, Shift
from reeve.domain.shifts import hand_overs, on_shift, periods, uncovered
from reeve.domain.wall_clock import first_instant

ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "America/Sao_Paulo",  # used to change at midnight
    "Africa/Casablanca",
    "America/St_Johns",
    "Pacific/Apia",  # a day left out
)
NAMES = ("a", "b", "c", "d")

zones = st.sampled_from(ZONES)
days = st.dates(date(2010, 1, 1), date(2027, 12, 31))
moments = st.datetimes(datetime(2010, 1, 3), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def whole_days(draw: st.DrawFn) -> Layer:
    """A day cut into shifts that follow one another, each with groups that take turns."""
    cuts = sorted(draw(st.sets(st.integers(0, 1439), min_size=1, max_size=4)))
    ends = [*cuts[1:], cuts[0] + 1440]
    shifts = tuple(Shift(f"s{start}", start, end) for start, end in zip(cuts, ends, strict=True))
    each = st.tuples(*(st.sampled_from(NAMES).map(lambda name: frozenset({name})) for _ in shifts))
    turns = draw(st.lists(each, min_size=1, max_size=4))
    every = draw(st.integers(1, 9))
    return Layer(shifts, date(2009, 12, 1), every, tuple(turns))


@st.composite
def long_turns(draw: st.DrawFn) -> Layer:
    """One shift that lasts a whole turn of some days: 24 hours on, a week, three days."""
    every, at = draw(st.integers(1, 15)), draw(st.integers(0, 1439))
    shift = Shift("", at, at + 1440 * every)
    turns = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4))
    return Layer((shift,), date(2009, 12, 1), every, tuple((frozenset({name}),) for name in turns), step=every)


layers = whole_days() | long_turns()
rotas = st.builds(lambda zone, layer: Rota("s", "guard", zone, (layer,)), zones, layers)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    start = draw(moments)
    end = start + timedelta(minutes=draw(st.integers(1, 3 * 1440)))
    leaves = draw(st.none() | st.frozensets(st.sampled_from(NAMES), max_size=2))
    comes = draw(st.frozensets(st.sampled_from((*NAMES, "e")), min_size=1, max_size=2))
    made = start - timedelta(minutes=draw(st.integers(-600, 600)))
    return Change("x", "s", "guard", "override", (Exchange(start, end, comes, leaves),), "me", "", made)


@given(zones, days, st.lists(st.integers(0, 3 * 1440), min_size=2, max_size=6))
def test_later_wall_times_are_never_earlier_instants(zone: str, day: date, minutes: list[int]) -> None:
    instants = [first_instant(day, minute, ZoneInfo(zone)) for minute in sorted(minutes)]
    assert instants == sorted(instants)


@given(zones, days, st.integers(0, 1439))
def test_a_wall_time_is_the_first_instant_that_shows_it_or_what_follows(zone: str, day: date, minute: int) -> None:
    wanted = datetime(day.year, day.month, day.day, minute // 60, minute % 60)  # noqa: DTZ001
    at = first_instant(day, minute, ZoneInfo(zone))

    def shown(instant: datetime) -> datetime:
        return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    assert shown(at) >= wanted
    assert shown(at - timedelta(seconds=1)) < wanted
    if shown(at) != wanted:  # left out when clocks were put forward
        before, after = at - timedelta(seconds=1), at
        assert before.astimezone(ZoneInfo(zone)).utcoffset() != after.astimezone(ZoneInfo(zone)).utcoffset()


@given(rotas, moments)
def test_at_every_instant_exactly_one_group_is_on(rota: Rota, at: datetime) -> None:
    people = on_shift(rota, (), at)
    assert people is not None
    assert len(people) == 1


@settings(max_examples=40)
@given(rotas, moments, st.integers(1, 6))
def test_periods_follow_one_another_without_a_gap_and_say_what_every_instant_says(
    rota: Rota, start: datetime, length: int
) -> None:
    end = start + timedelta(days=length)
    found = periods(rota, (), start, end)
    assert found[0].start <= start
    assert found[-1].end >= end
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all(each.start < each.end and len(each.people) == 1 for each in found)
    assert uncovered(rota, (), start, end) == []
    for each in found:
        assert on_shift(rota, (), each.start) == each.people
        assert on_shift(rota, (), each.end - timedelta(microseconds=1)) == each.people


@settings(max_examples=40)
@given(rotas, moments, st.integers(1, 6))
def test_hand_overs_are_at_the_wall_times_written_and_only_where_people_change(
    rota: Rota, start: datetime, length: int
) -> None:
    zone = ZoneInfo(rota.zone)
    written = {shift.start for layer in rota.layers for shift in layer.shifts}
    end = start + timedelta(days=length)
    for each in hand_overs(rota, (), start, end):
        assert start < each.start <= end
        local = each.start.astimezone(zone)
        just_before = (each.start - timedelta(seconds=1)).astimezone(zone)
        moved = local.utcoffset() != just_before.utcoffset()
        assert local.hour * 60 + local.minute in written or moved
        assert on_shift(rota, (), each.start - timedelta(microseconds=1)) != each.people


@settings(max_examples=40)
@given(rotas, moments, st.integers(0, 6), st.integers(1, 6))
def test_a_window_shows_what_a_larger_window_shows(rota: Rota, start: datetime, skip: int, length: int) -> None:
    end = start + timedelta(days=skip + length)
    large = periods(rota, (), start, end)
    late = start + timedelta(days=skip)
    assert periods(rota, (), late, end) == [each for each in large if each.end > late]


@settings(max_examples=40)
@given(rotas, st.lists(changes(), max_size=3), moments, st.integers(1, 8))
def test_with_changes_too_periods_and_instants_agree(
    rota: Rota, made: list[Change], start: datetime, length: int
) -> None:
    if made:
        start = made[0].start - timedelta(days=1)
    end = start + timedelta(days=length)
    found = periods(rota, made, start, end)
    assert all(one.end == other.start for one, other in pairwise(found))
    for each in found:
        middle = each.start + (each.end - each.start) / 2
        for at in (each.start, middle, each.end - timedelta(microseconds=1)):
            assert (on_shift(rota, made, at) or frozenset()) == each.people


@given(rotas, changes(), moments)
def test_a_change_alters_nothing_about_what_was_before_it(rota: Rota, made: Change, at: datetime) -> None:
    if at < made.made_at or not made.start <= at < made.end:
        assert on_shift(rota, [made], at) == on_shift(rota, (), at)
