"""Hours in which a role has nobody: found from what changes, the same as if every quarter of an hour were asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reeve.domain.bundle import Calendar, SiteSettings
from reeve.domain.people.coverage import Coverage, Gap, Pieces
from reeve.domain.recipients import Absence, Area, QuietHours, Recipient, Term, resolve

SITE = SiteSettings(
    "garden",
    "Europe/Berlin",
    "en",
    Calendar("cn", frozenset(), frozenset(), None),
    {},
    {"default": ("email",)},
    {"guard": "security_supervisor"},
    parent="company",
)
START = datetime(2026, 3, 27, 9, 30, tzinfo=UTC)  # clocks are put forward on the 29th
END = START + timedelta(days=4)
DAY = date(2026, 3, 27)
LATER = timedelta(days=1)


def guard(id: str = "g", **more: object) -> Recipient:
    plain = Recipient(id, "garden", frozenset({"guard"}), addresses={"email": f"{id}@example.org"})
    return replace(plain, **more)  # type: ignore[arg-type]


BOSS = Recipient("boss", "company", frozenset({"security_supervisor"}), addresses={"email": "b@example.org"})


def gaps(*people: Recipient, **pieces: Sequence[tuple[datetime, frozenset[str] | None]]) -> list[Gap]:
    def shifts(place: str, role: str) -> Pieces:
        return pieces.get(f"{place}_{role}", ())

    return list(Coverage(people, START, END, shifts if pieces else None).gaps("guard", SITE, "garden"))


def brief(found: list[Gap]) -> list[tuple[str, str, str, str | None]]:
    return [(f"{gap.start:%d %H:%M}", f"{gap.end:%d %H:%M}", gap.why, gap.told) for gap in found]


WHOLE = ("27 09:30", "31 09:30")


def test_somebody_who_is_always_there_leaves_no_gap() -> None:
    assert gaps(guard()) == []
    assert gaps(guard(place="company")) == []


@pytest.mark.parametrize(
    ("people", "why", "told"),
    [
        ([], "nobody", None),
        ([BOSS], "nobody", "security_supervisor"),
        ([guard(addresses={}), BOSS], "no_address", "security_supervisor"),
        ([guard(place="elsewhere")], "nobody", None),
        (
            [guard(roles=frozenset(), terms=(Term("guard", None, DAY - LATER),)), BOSS],
            "no_term",
            "security_supervisor",
        ),
        ([guard(away=(Absence(DAY, None),)), BOSS], "away", "security_supervisor"),
    ],
)
def test_a_role_without_anybody_all_the_time(people: list[Recipient], why: str, told: str | None) -> None:
    assert brief(gaps(*people)) == [(*WHOLE, why, told)]


def test_days_begin_and_end_at_local_midnight_also_when_clocks_change() -> None:
    holiday = (Absence(date(2026, 3, 29), date(2026, 3, 29)),)
    assert brief(gaps(guard(away=holiday))) == [("28 23:00", "29 22:00", "away", None)]
    covered = guard(away=(replace(holiday[0], stand_in="x"),))
    assert gaps(covered, guard("x", roles=frozenset())) == []
    ends = guard(roles=frozenset(), terms=(Term("guard", None, date(2026, 3, 29)),))
    assert brief(gaps(ends, BOSS)) == [("29 22:00", "31 09:30", "no_term", "security_supervisor")]


def test_quiet_hours_of_everybody_are_a_gap_each_night() -> None:
    night = QuietHours(time(22), time(2, 30))
    found = gaps(guard(quiet=night), guard("h", quiet=night), BOSS)
    assert brief(found) == [
        ("27 21:00", "28 01:30", "quiet", "guard"),
        ("28 21:00", "29 01:00", "quiet", "guard"),  # 02:30 is left out: it is over when clocks jump from 2 to 3
        ("29 20:00", "30 00:30", "quiet", "guard"),
        ("30 20:00", "31 00:30", "quiet", "guard"),
    ]
    assert gaps(guard(quiet=night), guard("h", quiet=QuietHours(time(12), time(14)))) == []


def test_a_part_of_the_place_has_gaps_of_its_own() -> None:
    ends = Term("guard", None, DAY, frozenset({Area("3")}))
    people = (
        guard(roles=frozenset(), terms=(ends,)),
        guard("h", roles=frozenset(), terms=(Term("guard", areas=frozenset({Area("4", "1")})),)),
    )
    found = gaps(*people, BOSS)
    assert [(gap.area, *brief([gap])[0]) for gap in found] == [
        (Area("3"), "27 23:00", "31 09:30", "no_term", "security_supervisor")
    ]


def test_a_shift_with_nobody_on_is_a_gap_though_the_others_are_told() -> None:
    hole = [
        (START - LATER, frozenset({"g"})),
        (START + LATER, frozenset[str]()),
        (START + 2 * LATER, frozenset({"h"})),
        (START + 3 * LATER, None),
    ]
    assert brief(gaps(guard(), guard("h"), garden_guard=hole)) == [("28 09:30", "29 09:30", "off_shift", "guard")]
    # On shift by the rota alone, also where quiet hours would say no.
    asleep = guard("h", roles=frozenset({"lobby_lead"}), quiet=QuietHours(time(0), time(23, 59)))
    found = gaps(guard(), asleep, garden_guard=hole)
    assert [gap.why for gap in found] == ["off_shift"]


PEOPLE = st.lists(
    st.builds(
        Recipient,
        id=st.sampled_from("abcd"),
        place=st.sampled_from(["garden", "company"]),
        roles=st.sampled_from([frozenset(), frozenset({"guard"}), frozenset({"security_supervisor"})]),
        addresses=st.sampled_from([{}, {"email": "x"}, {"sms": "+1"}]),
        terms=st.lists(
            st.builds(
                Term,
                st.just("guard"),
                st.none() | st.dates(DAY - LATER, DAY + 5 * LATER),
                st.none() | st.dates(DAY - LATER, DAY + 5 * LATER),
                st.sampled_from([frozenset(), frozenset({Area("3")})]),
            ),
            max_size=2,
        ).map(tuple),
        away=st.lists(
            st.builds(
                Absence,
                st.dates(DAY, DAY + 4 * LATER),
                st.none() | st.dates(DAY, DAY + 4 * LATER),
                st.sampled_from(["", *"abcd"]),
            ),
            max_size=1,
        ).map(tuple),
        quiet=st.none()
        | st.builds(
            QuietHours, st.sampled_from([time(1, 45), time(22)]), st.sampled_from([time(2, 30), time(7), time(12)])
        ),
    ),
    max_size=4,
    unique_by=lambda one: (one.place, one.id),
)
PIECES = st.lists(st.none() | st.frozensets(st.sampled_from("abcd"), max_size=2), max_size=3)


@given(PEOPLE, PIECES, st.sampled_from([START, datetime(2026, 10, 23, 9, 30, tzinfo=UTC)]))
@settings(max_examples=60, deadline=None)
def test_as_if_every_quarter_of_an_hour_were_asked(
    people: list[Recipient], pieces: list[frozenset[str] | None], start: datetime
) -> None:
    days = start.date() - DAY
    people = [
        replace(
            one,
            terms=tuple(
                replace(each, since=each.since and each.since + days, until=each.until and each.until + days)
                for each in one.terms
            ),
            away=tuple(
                replace(each, since=each.since + days, until=each.until and each.until + days) for each in one.away
            ),
        )
        for one in people
    ]
    end = start + timedelta(days=4)
    rota = [(start + number * LATER, those) for number, those in enumerate(pieces)]

    def shifts(place: str, role: str) -> Pieces:
        return rota if (place, role) == ("garden", "guard") else ()

    def on_shift(place: str, role: str, at: datetime) -> frozenset[str] | None:
        on = [those for since, those in shifts(place, role) if since <= at]
        return on[-1] if on else None  # type: ignore[return-value]

    found = list(Coverage(people, start, end, shifts).gaps("guard", SITE, "garden"))
    for one, other in pairwise(found):
        assert one.area != other.area or one.end <= other.start
    at = start
    while at < end:
        asked = resolve(["guard"], {}, people, SITE, "garden", "", (), at=at, on_shift=on_shift)
        here = [gap for gap in found if gap.area is None and gap.start <= at < gap.end]
        assert len(here) <= 1
        why = here[0].why if here else None
        if asked.climbs:
            assert here
            assert why not in ("quiet", "off_shift")
            assert here[0].told == asked.climbs[-1].next
        elif all(target.not_before is not None for target in asked.targets):
            assert why == "quiet"
        else:
            assert why in (None, "off_shift")
        at += timedelta(minutes=15)
