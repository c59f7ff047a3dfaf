"""Providers that are exchanged while others send: who is as it was stays, who leaves ends what it has in hand."""

from __future__ import annotations

import asyncio
import math
import os
from pathlib import Path
from typing import Any

import pytest

from reeve.runtime.providers.faults import ProvidersRefused
from reeve.runtime.providers.watching import FilesWatch
from services.notify.channels.base import Outcome, Reason, Result
from services.notify.hand import Hand
from services.notify.pool.choice import Member, ProviderPool
from services.notify.pool.running import RunningProviders
from services.notify.settings import NotifySettings
from tests.support.waiting import PATIENCE

SENT = Outcome(Result.SENT, Reason.ACCEPTED)
FILE = "name: {name}\nurl: https://{host}/send\njson: {{to: '{{{{ to }}}}', text: '{{{{ text }}}}'}}\n"


def write(folder: Path, name: str, host: str = "a.example", more: str = "") -> None:
    (folder / f"{name}.yaml").write_text(FILE.format(name=name, host=host) + more, encoding="utf-8")


@pytest.fixture
async def running(tmp_path: Path) -> RunningProviders:
    write(tmp_path, "alpha")
    running = RunningProviders(NotifySettings.load(channels=tmp_path, smtp_host=None, sms_gateway=None))
    await running.load()
    return running


def member(pool: ProviderPool, name: str) -> Member:
    return next(each for each in pool.members if each.name == name)


async def test_who_is_as_it_was_stays_with_all_that_is_known_of_it(
    running: RunningProviders, tmp_path: Path
) -> None:
    pool, files = running.pools["sms"], running.files
    alpha = member(pool, "alpha")
    write(tmp_path, "beta", more="order: 2\n")
    await running.load()
    assert (running.pools["sms"], running.files) == (pool, files)
    assert [each.name for each in pool.members] == ["alpha", "beta"] == list(files)
    assert member(pool, "alpha") is alpha
    await running.close()


async def test_what_is_under_way_ends_on_the_old_one_which_is_closed_then(
    running: RunningProviders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    pool = running.pools["sms"]
    turn = pool.choose(3, (), 0.0)
    assert turn is not None
    before = turn.member

    async def close() -> None:
        closed.append("before")

    monkeypatch.setattr(before.provider, "close", close)
    write(tmp_path, "alpha", "b.example")
    await running.load()
    after = member(pool, "alpha")
    assert after is not before
    assert after.provider is not before.provider
    assert (turn.member, turn.member.busy, after.busy) == (before, 1, 0)
    await running.close_done()
    assert not closed
    pool.ended(turn, SENT, 0.1, 1.0)
    await running.close_done()
    await running.close_done()
    assert closed == ["before"]
    await running.close()


async def test_whoever_takes_over_keeps_to_the_rate_and_is_not_to_blame(
    running: RunningProviders, tmp_path: Path
) -> None:
    write(tmp_path, "alpha", more="per_second: 1\n")
    await running.load()
    pool = running.pools["sms"]
    turn = pool.choose(3, (), 0.0)
    assert turn is not None
    pool.ended(turn, Outcome(Result.TRANSIENT, Reason.CREDENTIALS), 0.1, 0.0)
    assert member(pool, "alpha").aside
    write(tmp_path, "alpha", "b.example", "per_second: 1\n")
    await running.load()
    assert not member(pool, "alpha").aside
    assert pool.ready_in((), 0.0) == 1.0
    await running.close()


@pytest.mark.parametrize(
    "fault", ["name: beta\nurl: nowhere\n", "name: alpha\nurl: https://b.example/\n", "name: [", "kind: smpp\n"]
)
async def test_with_a_fault_in_one_file_all_stays_as_it_was(
    running: RunningProviders, tmp_path: Path, fault: str
) -> None:
    alpha, files = member(running.pools["sms"], "alpha"), running.files.copy()
    write(tmp_path, "gamma")
    (tmp_path / "new.yaml").write_text(fault, encoding="utf-8")
    with pytest.raises(ProvidersRefused, match=r"new\.yaml"):
        await running.load()
    assert running.pools["sms"].members == (alpha,)
    assert running.files == files
    await running.close()


async def test_what_only_shows_when_it_is_opened_changes_nothing_either(
    running: RunningProviders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "REEVE_TEST_KEY", "whsec_x")
    write(tmp_path, "beta")
    (tmp_path / "erp.yaml").write_text(
        'name: erp\nkind: webhook\nsecret: "{{ secrets.key }}"\nsecrets: {key: REEVE_TEST_KEY}\n', "utf-8"
    )
    with pytest.raises(ProvidersRefused):
        await running.load()
    assert (running.channels, list(running.files)) == (["sms"], ["alpha"])
    await running.close()


async def test_a_channel_without_providers_gives_nobody_a_turn_until_there_is_one_again(
    running: RunningProviders, tmp_path: Path
) -> None:
    pool = running.pools["sms"]
    (tmp_path / "alpha.yaml").unlink()
    await running.load()
    assert running.channels == []
    assert (pool.choose(0, (), 0.0), pool.ready_in((), 0.0), pool.connections) == (None, math.inf, 0)
    assert not pool.another((), 0.0)
    write(tmp_path, "alpha")
    await running.load()
    assert running.channels == ["sms"]
    assert running.pools["sms"] is pool
    assert pool.choose(0, (), 0.0) is not None
    await running.close()


async def test_what_waits_for_a_channel_that_is_not_served_any_more_can_be_taken_back() -> None:
    hand = Hand(["sms", "email"])
    anything: Any = type("Waiting", (), {"delivery": type("D", (), {"rank": 2})(), "number": 1})()
    hand.line("sms").push(anything)
    assert hand.take_unserved() == []
    hand.serve(["email", "chat"])
    assert hand.channels == ("email", "chat")
    assert not hand.takes("sms", 2, 0)
    assert hand.takes("chat", 2, 0)
    assert hand.take_unserved() == [anything]
    assert hand.take_unserved() == []


async def test_every_way_to_save_is_noticed_and_what_was_there_before_is_not(tmp_path: Path) -> None:
    folder, gateway = tmp_path / "channels", tmp_path / "gateway.yaml"
    watch = FilesWatch(folder, str(gateway))
    saved = asyncio.Queue[None]()
    task = asyncio.create_task(watch.run(lambda: saved.put(None)))

    async def noticed() -> None:
        await asyncio.wait_for(saved.get(), PATIENCE)

    folder.mkdir()
    write(folder, "alpha")
    await noticed()
    write(folder, "alpha", "b.example")
    await noticed()
    write(tmp_path, "beside", "c.example")
    (tmp_path / "beside.yaml").replace(folder / "alpha.yaml")
    await noticed()
    gateway.write_text("name: gateway\n", encoding="utf-8")
    await noticed()
    (folder / "alpha.yaml").unlink()
    folder.rmdir()
    await noticed()
    assert saved.empty()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
