"""Codes of replies: short, and never the same for two messages to one number."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reeve.runtime.store import reply_codes
from reeve.runtime.store.mongo import ensure_indexes
from reeve.runtime.store.reply_codes import ReplyCodes, Sending
from reeve.runtime.time_source import SystemTime
from tests.integration.notify.world import World

pytestmark = pytest.mark.integration


def _sending(number: int, address: str) -> Sending:
    return Sending(f"d-{number}", f"n-{number}", "pm-1", f"h-{number}", address)


async def test_codes_are_short_and_name_one_message_of_a_number(here: World) -> None:
    await ensure_indexes(here.database, reply_codes.INDEXES)
    codes = ReplyCodes(here.database, b"secret")
    now = SystemTime().now()
    mine = [_sending(number, "+447700900001") for number in range(300)]
    yours = [_sending(number, "+447700900002") for number in range(300, 310)]
    first = await codes.issue_short([*mine[:150], *yours], now)
    issued = first[:150] + await codes.issue_short(mine[150:], now)
    assert len(set(issued)) == 300
    assert max(map(len, issued)) <= 4
    assert {len(code) for code in first[150:]} == {2}
    assert await codes.issue_short(mine[:3], now) == issued[:3]
    assert not any(letter in code for code in issued for letter in "OIL01")

    named = await codes.of_number("00447700900001", issued[7], now)
    assert [(each.code, each.delivery, each.token) for each in named] == [(issued[7], "d-7", "h-7")]
    assert len(await codes.of_number("+44 7700 900002", None, now)) == 10
    assert await codes.of_number("+447700900002", None, now + timedelta(hours=25)) == []
    assert await codes.of_number("+447700900003", None, now) == []

    (mail,) = await codes.issue_mail([_sending(1, "a@example.org")], now)
    found = await codes.of_mail(mail.upper())
    assert found is not None
    assert found.delivery == "d-1"
    assert await codes.of_mail("a" * 24) is None
    kept = str(await here.database["reply_codes"].find().to_list())
    assert not any(hidden in kept for hidden in ("7700900001", "a@example.org", mail))
