"""Roles become people: the site, then its parent, then the ladder. Tables of who is told what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.domain.bundle import Calendar, SiteSettings
from reeve.domain.case import CaseKey
from reeve.domain.effects import Because, Effect, Notification
from reeve.domain.recipients import (
    CHANNELS,
    Climb,
    Recipient,
    Resolution,
    climb_effects,
    configured_channels,
    delivery_id,
    resolve,
    roles_to_load,
    said_once,
    site_channels,
)

AT = datetime(2026, 3, 4, 2, tzinfo=UTC)
NOBODYS = Calendar("cn", frozenset(), frozenset(), None)
SITE = SiteSettings(
    "garden",
    "Asia/Shanghai",
    "zh",
    NOBODYS,
    {},
    {"major": ("sms", "email"), "default": ("email",)},
    {"technician": "engineering_supervisor", "engineering_supervisor": "property_manager", "owner": "front_desk"},
    parent="company",
)


def _person(id: str, roles: str = "", place: str = "garden", **more: Any) -> Recipient:
    addresses = more.pop("addresses", {"email": f"{id}@example.org"})
    return Recipient(id, place, frozenset(roles.split()), addresses=addresses, **more)


def _told(resolution: Resolution) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(target.recipient.id, target.message, target.channels) for target in resolution.targets]


def _resolve(
    roles: str,
    *people: Recipient,
    facts: Mapping[str, Any] | None = None,
    via: tuple[str, ...] = ("email",),
    site: SiteSettings = SITE,
    **more: Any,
) -> Resolution:
    return resolve(roles.split(), facts or {}, people, site, "garden", "text", via, **{"at": AT, **more})


def test_every_holder_at_the_site_is_told() -> None:
    people = (_person("b", "technician"), _person("a", "technician"), _person("c", "guard"))
    assert _told(_resolve("technician", *people)) == [("a", "text", ("email",)), ("b", "text", ("email",))]


def test_the_parent_serves_where_the_site_has_nobody() -> None:
    above = _person("hq", "technician", place="company")
    elsewhere = _person("x", "technician", place="other-site")
    assert _told(_resolve("technician", above, elsewhere)) == [("hq", "text", ("email",))]
    at_site = _person("t", "technician")
    assert _told(_resolve("technician", above, at_site)) == [("t", "text", ("email",))]


def test_the_parent_serves_where_nobody_at_the_site_can_be_reached() -> None:
    above, at_site = _person("hq", "technician", place="company"), _person("t", "technician", addresses={})
    resolution = _resolve("technician", above, at_site)
    assert _told(resolution) == [("hq", "text", ("email",))]
    assert not resolution.climbs


@pytest.mark.parametrize(
    ("addresses", "via", "channels"),
    [
        ({"sms": "+1", "email": "a@x.org"}, ("sms", "email"), ("sms", "email")),
        ({"email": "a@x.org"}, ("sms", "email"), ("email",)),
        ({"sms": "+1"}, ("email",), ("sms",)),  # not asked for, but the site uses it
        ({"sms": "+1", "email": "a@x.org"}, ("pager",), ("sms",)),
        ({"pager": "7"}, ("email",), ()),
        ({"email": ""}, ("email",), ()),
        ({}, ("email",), ()),
    ],
)
def test_channels(addresses: dict[str, str], via: tuple[str, ...], channels: tuple[str, ...]) -> None:
    resolution = _resolve("guard", _person("g", "guard", addresses=addresses), via=via)
    assert [target.channels for target in resolution.targets] == ([channels] if channels else [])


def test_a_channel_the_site_does_not_use_is_no_way_out() -> None:
    site = replace(SITE, channels={"default": ("email",)})
    person = _person("g", "guard", addresses={"sms": "+1"})
    assert not _resolve("guard", person, site=site).targets


def test_a_channel_this_process_lacks_is_no_way_out() -> None:
    person = _person("g", "guard", addresses={"sms": "+1", "email": "a@x.org"})
    assert _told(_resolve("guard", person, via=("sms",), available=("email",))) == [("g", "text", ("email",))]


def test_owner_and_assignee_come_from_the_case() -> None:
    owner = _person("o", "owner", customers=frozenset({"C-88"}))
    other = _person("p", "owner", customers=frozenset({"C-89"}))
    worker = _person("t", "technician")
    facts = {"customer": "C-88", "assignee": "t"}
    assert [name for name, _, _ in _told(_resolve("owner assignee", owner, other, worker, facts=facts))] == [
        "o",
        "t",
    ]
    assert _told(_resolve("owner assignee", owner, other, worker)) == []
    assert _told(_resolve("owner", _person("n", customers=frozenset({"7"})), facts={"customer": 7})) != []


def test_nobody_reachable_goes_up_rung_by_rung_with_another_text() -> None:
    manager = _person("m", "property_manager")
    resolution = _resolve("technician", manager, _person("t", "technician", addresses={}))
    assert _told(resolution) == [("m", "unreachable", ("email",))]
    assert [(climb.unreached, climb.next, climb.rung) for climb in resolution.climbs] == [
        ("technician", "engineering_supervisor", 1),
        ("engineering_supervisor", "property_manager", 2),
    ]
    assert resolution.undeliverable == ()


def test_a_ladder_that_ends_with_nobody_is_undeliverable() -> None:
    resolution = _resolve("technician courier")
    assert resolution.undeliverable == ("technician", "courier")
    assert [climb.next for climb in resolution.climbs] == ["engineering_supervisor", "property_manager", None, None]


def test_a_ladder_that_goes_round_ends() -> None:
    site = replace(SITE, ladder={"a": "b", "b": "c", "c": "a"})
    resolution = _resolve("a", site=site)
    assert [climb.unreached for climb in resolution.climbs] == ["a", "b", "c"]
    assert roles_to_load(["a"], site.ladder) == {"a", "b", "c"}


def test_failures_give_the_next_channel_then_the_next_person_then_the_role_above() -> None:
    people = (
        _person("a", "technician", addresses={"email": "a@x.org", "sms": "+1"}),
        _person("b", "technician"),
        _person("s", "engineering_supervisor"),
    )
    failed = [("a", "email")]
    assert _told(_resolve("technician", *people, failed=failed)) == [
        ("a", "text", ("sms",)),
        ("b", "text", ("email",)),
    ]
    failed += [("a", "sms")]
    assert _told(_resolve("technician", *people, failed=failed)) == [("b", "text", ("email",))]
    failed += [("b", "email")]
    assert _told(_resolve("technician", *people, failed=failed)) == [("s", "unreachable", ("email",))]


def test_one_person_in_two_roles_is_one_delivery_and_the_ladder_another() -> None:
    both = _person("x", "guard technician")
    guard, technician = _resolve("guard technician", both).targets
    assert delivery_id("k", guard, "email") == delivery_id("k", technician, "email") == "k#x#email"
    (up,) = _resolve("technician", _person("x", "engineering_supervisor")).targets
    assert delivery_id("k", up, "email") == "k~unreachable#x#email"


def test_who_is_above_two_unreachable_roles_is_told_once_whenever_each_is_found_out() -> None:
    site = replace(
        SITE, ladder={"technician": "property_manager", "guard": "steward", "steward": "property_manager"}
    )
    manager = _person("m", "property_manager")
    both = _resolve("technician guard", manager, site=site)
    assert {delivery_id("k", target, "email") for target in both.targets} == {"k~unreachable#m#email"}
    (later,) = _resolve("guard", manager, site=site).targets
    assert delivery_id("k", later, "email") == "k~unreachable#m#email"


def test_that_the_owner_cant_be_reached_is_told_at_the_owners_hour() -> None:
    desk = _person("d", "front_desk")
    owner, other = _resolve(
        "owner guard", desk, site=replace(SITE, ladder=dict.fromkeys(("owner", "guard"), "front_desk"))
    ).targets
    ids = {delivery_id("k", each, "email", owner_apart=True) for each in (owner, other)}
    assert ids == {"k~owner~unreachable#d#email", "k~unreachable#d#email"}
    assert len({delivery_id("k", each, "email") for each in (owner, other)}) == 1


def test_channels_of_a_grade() -> None:
    assert site_channels(SITE, "major") == ("sms", "email")
    assert site_channels(SITE, "ordinary") == site_channels(SITE, None) == ("email",)
    assert site_channels(replace(SITE, channels={}), None) == CHANNELS
    assert configured_channels(SITE) == ("sms", "email")
    assert configured_channels(replace(SITE, channels={"default": ("pager", "email")})) == ("email", "pager")
    assert configured_channels(replace(SITE, channels={})) == CHANNELS


WANTED = Notification("late", 1, 2, 1, ("technician",), ("sms",), "text", None, True)
ASKED = Effect("notify", CaseKey("garden", "repair", "R-1"), AT, "k", Because("repair.yaml:9"), {}, WANTED)


def _lines(resolution: Resolution, said: Collection[Climb] = (), **more: bool) -> list[Effect]:
    pairs = said_once(resolution.climbs, said, **more)
    return [effect for climb, tells in pairs for effect in climb_effects(climb, ASKED, AT, tells=tells)]


def test_the_timeline_says_who_was_told_instead() -> None:
    resolution = _resolve("technician", _person("m", "property_manager"))
    effects = _lines(resolution)
    assert [(effect.what, dict(effect.details)) for effect in effects] == [
        ("undeliverable", {"to": ["technician"], "step": "late"}),
        ("escalated", {"step": "late", "level": 2}),
        ("notify", {"to": ["engineering_supervisor"], "via": ["sms"], "message": "unreachable", "step": "late"}),
        ("undeliverable", {"to": ["engineering_supervisor"], "step": "late"}),
        ("escalated", {"step": "late", "level": 3}),
        ("notify", {"to": ["property_manager"], "via": ["sms"], "message": "unreachable", "step": "late"}),
    ]
    assert len({effect.key for effect in effects}) == len(effects)
    assert climb_effects(resolution.climbs[0], replace(ASKED, notification=None), AT) == ()


def _said(lines: list[Effect]) -> list[tuple[str, str]]:
    return [(each.what, each.details["to"][0]) for each in lines if each.what != "escalated"]


def test_the_timeline_names_every_unreachable_role_and_once_who_is_told_for_them() -> None:
    site = replace(SITE, ladder={"technician": "property_manager", "guard": "property_manager"})
    both = _resolve("technician guard", _person("m", "property_manager"), site=site)
    one_told = [("undeliverable", "technician"), ("notify", "property_manager"), ("undeliverable", "guard")]
    assert _said(_lines(both)) == one_told
    assert len([each for each in _lines(both) if each.what == "escalated"]) == 1


def test_a_role_on_the_way_up_of_another_is_said_to_be_unreachable_once() -> None:
    told = _resolve("technician engineering_supervisor", _person("m", "property_manager"))
    assert _said(_lines(told)) == [
        ("undeliverable", "technician"),
        ("notify", "engineering_supervisor"),
        ("undeliverable", "engineering_supervisor"),
        ("notify", "property_manager"),
    ]


def test_what_the_timeline_said_before_stays_and_a_role_found_out_later_adds_only_itself() -> None:
    site = replace(SITE, ladder={"technician": "property_manager", "guard": "property_manager"})
    manager = _person("m", "property_manager")
    before = _resolve("guard", manager, site=site)
    later = _lines(_resolve("technician guard", manager, site=site), before.climbs)
    assert later[:3] == _lines(before)
    assert _said(later[3:]) == [("undeliverable", "technician")]


def test_who_hears_of_the_owner_at_another_hour_is_named_for_it() -> None:
    site = replace(SITE, ladder={"owner": "front_desk", "guard": "front_desk"})
    both = _resolve("guard owner", _person("d", "front_desk"), site=site)
    told = [("undeliverable", "guard"), ("notify", "front_desk"), ("undeliverable", "owner")]
    assert _said(_lines(both)) == told
    assert _said(_lines(both, owner_apart=True)) == [*told, ("notify", "front_desk")]


ROLES = st.sampled_from(["technician", "engineering_supervisor", "property_manager", "guard"])
PEOPLE = st.lists(
    st.builds(
        Recipient,
        id=st.sampled_from("abcdef"),
        place=st.sampled_from(["garden", "company", "elsewhere"]),
        roles=st.frozensets(ROLES),
        addresses=st.dictionaries(st.sampled_from(["sms", "email"]), st.sampled_from(["", "x"])),
    ),
    max_size=6,
    unique_by=lambda person: (person.place, person.id),
)


@given(
    st.lists(ROLES, min_size=1, max_size=4), PEOPLE, st.sets(st.tuples(st.sampled_from("abcdef"), st.just("sms")))
)
def test_a_role_is_told_or_said_to_be_undeliverable_never_neither(
    roles: list[str], people: list[Recipient], failed: set[tuple[str, str]]
) -> None:
    resolution = resolve(roles, {}, people, SITE, "garden", "text", ("sms", "email"), failed=failed, at=AT)
    told = {target.role for target in resolution.targets}
    assert told | set(resolution.undeliverable) == set(roles)
    assert not told & set(resolution.undeliverable)
    for target in resolution.targets:
        assert all(target.recipient.addresses.get(channel) for channel in target.channels)
        assert all((target.recipient.id, channel) not in failed for channel in target.channels)
        assert target.recipient.place in ("garden", "company")
        assert (target.message == "unreachable") == (target.rung > 0)
