"""Who holds a role when and where: areas, terms, absences with stand-ins, shifts, quiet hours, own channels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.domain.bundle import Calendar, SiteSettings
from reeve.domain.recipients import (
    Absence,
    Area,
    QuietHours,
    Recipient,
    Resolution,
    Term,
    resolve,
    rota_ids,
    usable_channels,
)
from reeve.domain.telling import People, reaches_at_any_hour
from tests.support.simulation import bundle_of

SITE = SiteSettings(
    "garden",
    "Asia/Shanghai",
    "zh",
    Calendar("cn", frozenset(), frozenset(), None),
    {},
    {"major": ("sms", "email"), "default": ("email",)},
    {"steward": "head_steward", "head_steward": "property_manager"},
    parent="company",
)
NOON = datetime(2026, 3, 4, 4, tzinfo=UTC)
TODAY = date(2026, 3, 4)
DAY = timedelta(days=1)


def person(id: str, *terms: Term, roles: str = "", place: str = "garden", **more: Any) -> Recipient:
    addresses = more.pop("addresses", {"email": f"{id}@example.org"})
    return Recipient(id, place, frozenset(roles.split()), addresses=addresses, terms=terms, **more)


def ask(
    role: str,
    *people: Recipient,
    facts: Mapping[str, Any] | None = None,
    via: tuple[str, ...] = ("email",),
    **more: Any,
) -> Resolution:
    more = {"at": NOON, **more}
    return resolve([role], facts or {}, people, more.pop("site", SITE), "garden", "text", via, **more)


def told(role: str, *people: Recipient, **more: Any) -> list[str]:
    return [target.recipient.id for target in ask(role, *people, **more).targets]


def in_area(*areas: str) -> Term:
    found = frozenset(area for text in areas if (area := Area.parse(text)) is not None)
    return Term("steward", areas=found)


UNIT = person("unit", in_area("3/2"))
BUILDING = person("building", in_area("3", "4"))
WHOLE = person("whole", roles="steward")
COMPANY = person("company", roles="steward", place="company")
HEAD = person("head", roles="head_steward")


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"building": "3", "unit": "2"}, ["unit", "building", "whole", "company", "head"]),
        ({"building": " ３号楼", "unit": "2单元"}, ["unit", "building", "whole", "company", "head"]),
        ({"building": "3栋"}, ["building", "whole", "unit", "company", "head"]),
        ({"building": "3", "unit": "9"}, ["building", "whole", "company", "head"]),
        ({"building": "4"}, ["building", "whole", "company", "head"]),
        ({"building": "5", "unit": "2"}, ["whole", "company", "head"]),
        ({"unit": "2"}, ["whole", "building", "company", "head"]),
        ({}, ["whole", "building", "company", "head"]),
    ],
)
def test_the_nearest_who_can_be_reached_is_told(facts: dict[str, str], wanted: list[str]) -> None:
    left = [UNIT, BUILDING, WHOLE, COMPANY, HEAD]
    for next_told in wanted:
        found = told("steward", *left, facts=facts)
        assert found[0] == next_told
        left = [one for one in left if one.id not in found]
    assert told("steward", *left, facts=facts) == []


def test_a_case_that_names_no_building_goes_to_all_in_charge_of_a_part() -> None:
    assert told("steward", UNIT, BUILDING, COMPANY) == ["building", "unit"]


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("3", Area("3")),
        ("3/2", Area("3", "2")),
        ("Tower A / 2单元", Area("tower a", "2")),
        ("楼", Area("楼")),
        ("", None),
        ("3/", None),
        ("/2", None),
        ("3/2/1", None),
    ],
)
def test_areas_as_people_write_them(text: str, area: Area | None) -> None:
    assert Area.parse(text) == area
    if area is not None:
        assert Area.parse(str(area)) == area


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [
        (None, None, True),
        (TODAY, TODAY, True),
        (TODAY + DAY, None, False),
        (None, TODAY - DAY, False),
        (TODAY - DAY, TODAY, True),
    ],
)
def test_a_term_counts_from_its_first_day_to_its_last(since: date | None, until: date | None, holds: bool) -> None:
    someone = person("s", Term("steward", since, until))
    assert bool(told("steward", someone)) == holds
    assert someone.all_roles == {"steward"}


def test_days_are_the_sites() -> None:
    last_hour = datetime(2026, 3, 4, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    someone = person("s", Term("steward", None, TODAY))
    assert told("steward", someone, at=last_hour) == ["s"]
    assert told("steward", someone, at=last_hour + timedelta(minutes=1)) == []
    assert told(
        "steward", someone, at=last_hour + timedelta(hours=6), site=replace(SITE, zone="Europe/London")
    ) == ["s"]


def away(stand_in: str = "", since: date = TODAY, until: date | None = TODAY) -> tuple[Absence, ...]:
    return (Absence(since, until, stand_in),)


def test_a_stand_in_is_told_with_the_role_of_who_is_away() -> None:
    people = (person("s", roles="steward", away=away("other")), person("other", roles="guard"))
    (target,) = ask("steward", *people).targets
    assert (target.recipient.id, target.role, target.instead_of, target.message) == (
        "other",
        "steward",
        "s",
        "text",
    )
    assert told("steward", *people, at=NOON + DAY) == ["s"]
    assert told("steward", *people, at=NOON - DAY) == ["s"]


def test_stand_ins_of_stand_ins_and_those_of_the_organisation_above() -> None:
    first = person("a", roles="steward", away=away("b"))
    second = person("b", away=away("hq", TODAY - DAY, None))
    assert told("steward", first, second, person("hq", place="company")) == ["hq"]
    nearer = person("hq", place="garden")
    assert [
        one.recipient.place for one in ask("steward", first, second, nearer, person("hq", place="company")).targets
    ] == ["garden"]
    assert told("steward", first, second, person("hq", place="elsewhere"), HEAD) == ["head"]


def test_stand_ins_that_go_round_in_a_circle_are_nobody() -> None:
    circle = (
        person("a", roles="steward", away=away("b")),
        person("b", away=away("c")),
        person("c", away=away("a")),
    )
    found = ask("steward", *circle, HEAD)
    assert [(one.recipient.id, one.message) for one in found.targets] == [("head", "unreachable")]


def test_of_absences_that_overlap_the_one_whose_stand_in_is_there_counts() -> None:
    gone = person("b", away=away())
    someone = person("a", roles="steward", away=(*away("b"), *away("nobody"), *away("c")))
    assert told("steward", someone, gone, person("c")) == ["c"]


def test_who_is_told_anyway_is_no_stand_in_and_is_told_once() -> None:
    first = person("a", roles="steward", away=away("b"))
    third = person("c", roles="steward", away=away("b"))
    found = ask("steward", first, person("b", roles="steward"), third)
    assert [(one.recipient.id, one.instead_of) for one in found.targets] == [("b", None)]
    found = ask("steward", first, person("b"), third)
    assert [(one.recipient.id, one.instead_of) for one in found.targets] == [("b", "a")]


def test_away_without_a_stand_in_or_with_one_without_address_goes_on_to_the_next() -> None:
    alone = person("a", roles="steward", away=away())
    assert told("steward", alone, COMPANY) == ["company"]
    assert told("steward", alone, person("b", roles="steward")) == ["b"]
    assert told("steward", person("a", roles="steward", away=away("x")), person("x", addresses={}), HEAD) == [
        "head"
    ]


def test_owners_and_assignees_have_stand_ins_too() -> None:
    owner = person("o", customers=frozenset({"C-1"}), away=away("p"))
    worker = person("w", away=away("p"))
    facts = {"customer": "C-1", "assignee": "w"}
    assert told("owner", owner, worker, person("p"), facts=facts) == ["p"]
    assert told("assignee", owner, worker, person("p"), facts=facts) == ["p"]


def rota(**on: Collection[str] | None) -> Any:
    return lambda place, role, at: on.get(place)


def test_the_shift_decides_and_the_others_come_after() -> None:
    on, off = person("on", roles="steward"), person("off", roles="steward")
    assert told("steward", on, off, on_shift=rota(garden={"on"})) == ["on"]
    assert told("steward", on, off, on_shift=rota(garden=None)) == ["off", "on"]
    assert told("steward", on, off, on_shift=rota(garden=set())) == ["off", "on"]
    assert told("steward", on, off, on_shift=rota(garden={"on"}), failed={("on", "email")}) == ["off"]
    assert told("steward", on, off, COMPANY, on_shift=rota(company={"company"})) == ["off", "on"]


def test_people_of_the_organisation_above_are_on_a_sites_rota() -> None:
    head, off = person("head", place="company"), person("off", roles="steward")
    assert told("steward", head, off, on_shift=rota(garden={"head"})) == ["head"]
    assert told("steward", head, off, on_shift=rota(garden={"head", "off"})) == ["head", "off"]
    assert told("steward", head, off, on_shift=rota(garden={"head"}), failed={("head", "email")}) == ["off"]
    (target,) = ask("steward", head, off, on_shift=rota(garden={"head"})).targets
    assert (target.recipient.place, target.on_shift) == ("company", True)
    # An id that the site has itself means its own; and nobody of a site is on the organisation's rota.
    (target,) = ask("steward", head, person("head"), on_shift=rota(garden={"head"})).targets
    assert target.recipient.place == "garden"
    assert told("steward", off, person("x"), COMPANY, on_shift=rota(company={"x"})) == ["off"]
    assert told("steward", person("x"), COMPANY, on_shift=rota(company={"x"})) == ["company"]
    stranger = person("head", place="elsewhere")
    assert told("steward", stranger, off, on_shift=rota(garden={"head"})) == ["off"]


def test_on_shift_without_the_role_or_for_another_part_counts_an_ended_term_does_not() -> None:
    guest, ended = person("guest", roles="guard"), person("ended", Term("steward", None, TODAY - DAY))
    elsewhere, off = person("else", in_area("9")), person("off", roles="steward")
    facts = {"building": "3"}
    assert told("steward", guest, off, on_shift=rota(garden={"guest"}), facts=facts) == ["guest"]
    assert told("steward", elsewhere, off, on_shift=rota(garden={"else"}), facts=facts) == ["else"]
    assert told("steward", ended, off, on_shift=rota(garden={"ended"}), facts=facts) == ["off"]
    nearer = person("near", in_area("3"))
    assert told("steward", nearer, elsewhere, on_shift=rota(garden={"else", "near"}), facts=facts) == ["near"]


def test_a_stand_in_takes_the_shift() -> None:
    quiet = QuietHours(time(9), time(18))
    on = person("on", roles="steward", away=away("x"))
    (target,) = ask("steward", on, person("x", quiet=quiet), on_shift=rota(garden={"on"})).targets
    assert (target.recipient.id, target.instead_of, target.not_before) == ("x", "on", None)


def test_who_is_on_shift_somewhere_must_be_loaded() -> None:
    def shifts(place: str, role: str, at: datetime) -> Collection[str] | None:
        return {"steward": {"a", f"{place}-1"}, "head_steward": None}[role]

    assert rota_ids(shifts, ["steward", "head_steward"], ["garden", "company"], NOON) == {
        "a",
        "garden-1",
        "company-1",
    }
    assert rota_ids(None, ["steward"], ["garden"], NOON) == frozenset()


def test_people_in_memory_are_found_with_stand_ins_and_shifts() -> None:
    people = People(
        [
            person("a", Term("steward", None, TODAY), away=away("b")),
            person("b", away=away("c")),
            person("c", place="company", away=away("a")),
            person("guest"),
            person("idle"),
            person("far", roles="steward", place="elsewhere"),
        ]
    )
    found = people.who_matter(["steward"], {}, SITE, "garden", NOON)
    assert sorted(one.id for one in found) == ["a", "b", "c"]
    found = people.who_matter(["steward"], {}, SITE, "garden", NOON, lambda place, role, at: {"guest"})
    assert sorted(one.id for one in found) == ["a", "b", "c", "guest"]


@pytest.mark.parametrize(
    ("start", "end", "hour", "until"),
    [
        (time(22), time(7), 23, (5, 7)),
        (time(22), time(7), 6, (4, 7)),
        (time(22), time(7), 7, None),
        (time(22), time(7), 21, None),
        (time(12), time(14), 12, (4, 14)),
        (time(12), time(14), 14, None),
        (time(12), time(14), 11, None),
        (time(12), time(0), 13, (5, 0)),
    ],
)
def test_quiet_hours_put_a_message_off(start: time, end: time, hour: int, until: tuple[int, int] | None) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    at = datetime(2026, 3, 4, hour, tzinfo=zone)
    someone = person("s", roles="steward", quiet=QuietHours(start, end))
    (target,) = ask("steward", someone, at=at).targets
    assert target.not_before == (datetime(2026, 3, *until, tzinfo=zone) if until else None)
    assert ask("steward", someone, at=at, any_hour=True).targets[0].not_before is None
    assert ask("steward", someone, at=at, on_shift=rota(garden={"s"})).targets[0].not_before is None


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"]),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.integers(0, 275 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
)
def test_quiet_hours_end_later_and_then_they_are_over(zone: str, start: time, end: time, at: datetime) -> None:
    over = QuietHours(start, end).end_after(at, ZoneInfo(zone)) if start != end else None
    if over is not None:
        assert at < over <= at + timedelta(hours=26)
        assert QuietHours(start, end).end_after(over, ZoneInfo(zone)) is None


def test_the_two_worst_grades_come_at_any_hour() -> None:
    (policy,) = bundle_of(
        "policy: complaint\ntakes: ticket\nclose: ticket.closed\n"
        "grades: [{grade: a, if: loss_cny > 3}, {grade: b, if: loss_cny > 2}, {grade: c}]\n"
    ).policies.values()
    assert [reaches_at_any_hour(policy, grade) for grade in ("a", "b", "c", None)] == [True, True, False, False]
    assert not reaches_at_any_hour(None, "a")


BOTH = {"sms": "+1", "email": "a@example.org"}


@pytest.mark.parametrize(
    ("more", "via", "grade", "channels"),
    [
        # What the rule or the site asks for is what is used; the person's order is only an order.
        ({}, ("sms", "email"), None, ("sms", "email")),
        ({"channel_order": {"default": ("email", "sms")}}, ("sms", "email"), None, ("email", "sms")),
        ({"channel_order": {"default": ("email",)}}, ("sms", "email"), None, ("email", "sms")),
        ({"channel_order": {"default": ("email",)}}, ("sms",), None, ("sms",)),
        (
            {"channel_order": {"default": ("email",), "major": ("sms",)}},
            ("email", "sms"),
            "major",
            ("sms", "email"),
        ),
        ({}, (), "major", ("sms", "email")),
        ({}, (), None, ("email",)),
        # Of two ways that nobody asked for, the person's first.
        ({}, ("pager",), None, ("sms",)),
        ({"channel_order": {"default": ("email",)}}, ("pager",), None, ("email",)),
        # An address that nobody confirmed only where there is no other.
        ({"unverified": {"sms"}}, ("sms", "email"), None, ("email",)),
        ({"unverified": {"sms", "email"}}, ("sms", "email"), None, ("sms", "email")),
        ({"unverified": {"sms"}}, ("sms",), None, ("sms",)),
        ({"unverified": {"sms"}}, ("pager",), None, ("email",)),
    ],
)
def test_channels(more: dict[str, Any], via: tuple[str, ...], grade: str | None, channels: tuple[str, ...]) -> None:
    someone = person("s", roles="steward", addresses=BOTH, **more)
    assert [one.channels for one in ask("steward", someone, via=via, grade=grade).targets] == [channels]


def test_where_neither_rule_nor_site_names_channels_the_person_chooses() -> None:
    site = replace(SITE, channels={})
    someone = person("s", roles="steward", addresses=BOTH)
    assert ask("steward", someone, via=(), site=site).targets[0].channels == ("sms", "email")
    own = replace(someone, channel_order={"default": ("email", "sms")})
    assert ask("steward", own, via=(), site=site).targets[0].channels == ("email",)
    failed = {("s", "email")}
    assert ask("steward", own, via=(), site=site, failed=failed).targets[0].channels == ("sms",)
    assert usable_channels(replace(own, addresses={}), (), ("sms",), ("sms", "email")) == ()


PEOPLE = st.lists(
    st.builds(
        Recipient,
        id=st.sampled_from("abcdef"),
        place=st.sampled_from(["garden", "company"]),
        roles=st.frozensets(st.sampled_from(["steward", "head_steward", "guard"]), max_size=2),
        addresses=st.dictionaries(st.sampled_from(["sms", "email"]), st.sampled_from(["", "x"])),
        terms=st.lists(
            st.builds(
                Term,
                st.sampled_from(["steward", "property_manager"]),
                st.sampled_from([None, TODAY, TODAY + DAY]),
                st.sampled_from([None, TODAY, TODAY - DAY]),
                st.frozensets(st.sampled_from([Area("3"), Area("3", "2"), Area("4")]), max_size=2),
            ),
            max_size=2,
        ).map(tuple),
        away=st.lists(
            st.builds(Absence, st.just(TODAY), st.sampled_from([None, TODAY]), st.sampled_from(["", *"abcdef"])),
            max_size=2,
        ).map(tuple),
        unverified=st.frozensets(st.sampled_from(["sms", "email"])),
        quiet=st.sampled_from([None, QuietHours(time(9), time(18))]),
        channel_order=st.sampled_from([{}, {"default": ("email", "sms")}]),
    ),
    max_size=6,
    unique_by=lambda one: (one.place, one.id),
)
ROTAS = st.dictionaries(
    st.tuples(st.sampled_from(["garden", "company"]), st.sampled_from(["steward", "head_steward"])),
    st.frozensets(st.sampled_from("abcdef"), max_size=2) | st.none(),
)
PLACES = st.sampled_from([{}, {"building": "3"}, {"building": "3", "unit": "2"}, {"building": "9"}])


@given(PEOPLE, ROTAS, PLACES, st.sets(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["sms", "email"]))))
def test_nobody_is_silent(
    people: list[Recipient],
    rotas: dict[tuple[str, str], frozenset[str] | None],
    facts: dict[str, str],
    failed: set[tuple[str, str]],
) -> None:
    def on_shift(place: str, role: str, at: datetime) -> frozenset[str] | None:
        return rotas.get((place, role))

    found = ask("steward", *people, facts=facts, on_shift=on_shift, failed=failed, via=("sms",))
    assert bool(found.targets) != bool(found.undeliverable)
    told_ids = [(one.recipient.place, one.recipient.id) for one in found.targets]
    assert len(set(told_ids)) == len(told_ids)
    for target in found.targets:
        assert not any(absence.covers(TODAY) for absence in target.recipient.away)
        assert all(target.recipient.addresses[channel] for channel in target.channels)
        assert target.not_before is None or target.not_before > NOON
    # Whoever holds a role of the ladder everywhere and always, is there, and has an address that lives, is enough.
    enough = any(
        one.roles & {"steward", "head_steward"}
        and not one.away
        and any(text and (one.id, channel) not in failed for channel, text in one.addresses.items())
        for one in people
    )
    assert found.targets or not enough
