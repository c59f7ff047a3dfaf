"""Areas, terms and stand-ins in the real record: who is told is found there, also by what older releases wrote."""

from __future__ import annotations

from datetime import date, time

import pytest

from reeve.domain.recipients import Absence, Area, QuietHours, Recipient, Term
from reeve.runtime.store.recipients import RecipientStore
from tests.integration.notify.world import SITE, World

pytestmark = pytest.mark.integration

LONG_AGO = date(2020, 1, 1)
OLD_DOCUMENT = {
    "_id": f"{SITE}/pm-1",
    "recipient": "pm-1",
    "place": SITE,
    "roles": ["property_manager"],
    "language": "zh",
    "addresses": {"email": "pm@example.org"},
    "customers": [],
    "name": "",
}


def _person(id: str, *terms: Term, **more: object) -> Recipient:
    return Recipient(id, SITE, addresses={"email": f"{id}@example.org"}, terms=terms, **more)  # type: ignore[arg-type]


async def test_the_nearest_is_told_or_whoever_stands_in(here: World) -> None:
    await here.database["recipients"].insert_one(OLD_DOCUMENT)
    third = frozenset({Area("3")})
    await here.people(
        _person("desk-3", Term("front_desk", LONG_AGO, None, third), away=(Absence(LONG_AGO, None, "relief"),)),
        _person("relief", away=(Absence(LONG_AGO, None, "relief-2"),)),
        _person("relief-2"),
        _person("desk", Term("front_desk")),
        _person("ended", Term("front_desk", LONG_AGO, LONG_AGO, third)),
    )
    near = await here.case("T-1", building="3号楼", unit="2")
    far = await here.case("T-2", building="9")
    async with here.notify():
        asked = [await here.request(case, to=("front_desk",)) for case in (near, far)]
        asked.append(await here.request(far))
        await here.told("sent", 3)
    told = [await here.delivery(effect) for effect in asked]
    assert [(each["recipient"], each["role"]) for each in told] == [
        ("relief-2", "front_desk"),
        ("desk", "front_desk"),
        ("pm-1", "property_manager"),
    ]


async def test_what_is_saved_is_found_again_with_everybody_who_stands_in(here: World) -> None:
    whole = Recipient(
        "a",
        SITE,
        frozenset({"guard"}),
        "zh",
        {"email": "a@example.org", "sms": "+447700900001"},
        frozenset({"C-1"}),
        "name",
        (Term("steward", LONG_AGO, date(2999, 12, 31), frozenset({Area("3", "2"), Area("4")})), Term("technician")),
        (Absence(LONG_AGO, None, "b"), Absence(LONG_AGO, LONG_AGO)),
        {"default": ("email", "sms"), "a.$grade": ("sms",)},
        frozenset({"sms"}),
        QuietHours(time(22), time(7, 30)),
    )
    circle = _person("b", away=(Absence(LONG_AGO, None, "a"), Absence(LONG_AGO, None, "nobody")))
    store = RecipientStore(here.database)
    await store.save([whole, circle, _person("other")])
    for role in ("guard", "steward", "technician"):
        assert await store.find([SITE], [role]) == [whole, circle]
    assert await store.find([SITE], ["front_desk"], customers=["C-1"]) == [whole, circle]
    assert await store.find(["elsewhere"], ["guard"]) == []
    assert await store.remove([(SITE, "a"), (SITE, "gone")]) == 1
    assert [one.id for one in await store.all(SITE)] == ["b", "other"]
    assert await store.remove([]) == 0
