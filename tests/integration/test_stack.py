"""`reeve up` without its services: order, restarts, drain, the second start on one folder."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from reeve.devstack.addresses import StackAddresses, running_stack, save_addresses
from reeve.devstack.errors import AlreadyRunning, PortTaken, ServerFailed
from reeve.devstack.folder_lock import folder_lock
from reeve.devstack.launching import free_port
from reeve.devstack.local_server import LocalServer
from reeve.devstack.log_lines import ChildOutput, LineSplitter
from reeve.devstack.processes import ProcessSpec, SupervisedProcess
from reeve.devstack.servers import ServerUrls, check_nats
from reeve.devstack.settings import StackSettings
from reeve.devstack.stack import local_stack
from tests.support.waiting import PATIENCE, process_lives, until

pytestmark = pytest.mark.integration

TINY = Path(__file__).parent.parent / "support" / "tiny_service.py"


def tiny_service(name: str, port: int, *manners: str) -> ProcessSpec:
    return ProcessSpec(name, [sys.executable, str(TINY), str(port), *manners], port, f"REEVE_{name.upper()}_PORT")


def supervised(folder: Path, *manners: str, console: Console | None = None) -> SupervisedProcess:
    output = ChildOutput("tiny", folder / "tiny.log", console or Console(file=io.StringIO()), "cyan")
    return SupervisedProcess(tiny_service("tiny", free_port(), *manners), {}, output)


def settings(folder: Path) -> StackSettings:
    ports = {
        f"{name}_port": free_port()
        for name in ("intake", "escalation", "notify", "sink_http", "sink_smtp", "nats", "mongo")
    }
    return StackSettings.load(data=folder / "data", rules=folder, **ports)


async def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    process = supervised(tmp_path)
    await process.start()
    try:
        first = process.pid
        os.kill(first, signal.SIGKILL)
        await until("it was started again", lambda: process.restart_count == 1)
        await process.wait_ready()
        assert process.pid != first
        assert not process_lives(first)
    finally:
        await process.stop()


async def test_a_process_drains_when_stopped_and_its_lines_are_kept(tmp_path: Path) -> None:
    shown = io.StringIO()
    process = supervised(tmp_path, console=Console(file=shown, width=120))
    await process.start()
    await process.stop()
    assert "drained" in (tmp_path / "tiny.log").read_text()
    assert "      tiny │ drained" in shown.getvalue()
    assert process.restart_count == 0


async def test_a_process_that_does_not_listen_is_killed_after_its_grace(tmp_path: Path) -> None:
    process = supervised(tmp_path, "deaf")
    await process.start()
    pid = process.pid
    await process.stop(grace_seconds=0.2)
    assert not process_lives(pid)


async def test_a_process_that_never_starts_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    process = supervised(tmp_path, "broken")
    with pytest.raises(
        ServerFailed,
        match=r"^tiny ended 5 times at start: the setting REEVE_X is wrong; the rest is in .*tiny\.log\.$",
    ):
        await process.start()
    await process.stop()


async def test_everything_runs_and_stops_in_order(tmp_path: Path) -> None:
    order: list[str] = []

    @asynccontextmanager
    async def rules(folder: Path, urls: ServerUrls) -> AsyncIterator[str]:
        await check_nats(urls.nats_url)
        order.append(f"rules of {folder.name} loaded")
        yield "2 policies"
        await check_nats(urls.nats_url)
        order.append("rules left")

    chosen = settings(tmp_path)
    said = io.StringIO()
    async with local_stack(chosen, Console(file=said), rules, tiny_service) as stack:
        assert [line.split("…")[0] for line in said.getvalue().splitlines() if "│" not in line] == [
            *("Starting NATS", "Starting MongoDB", "Starting the sinks for email and SMS"),
            f"Loading the rules of {chosen.rules}; new ones are checked and tried first",
            *("2 policies", "Starting intake, escalation, notify"),
        ]
        assert stack.rules == "2 policies"
        assert running_stack(chosen.data) == stack.addresses
        assert stack.addresses.sink_url == f"http://127.0.0.1:{chosen.sink_http_port}/"
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            for url in (stack.addresses.intake_url, stack.addresses.sink_url):
                assert (await client.get(url)).status_code == 200
        with pytest.raises(AlreadyRunning, match=rf"already running on .*data \(process {os.getpid()}\)"):
            async with local_stack(settings(tmp_path), Console(file=io.StringIO())):
                pytest.fail("two stacks on one folder")
        pids = [service.pid for service in stack.services.values()] + [server.pid for server in stack.servers]
    assert not any(map(process_lives, pids))
    assert running_stack(chosen.data) is None
    assert order == [f"rules of {tmp_path.name} loaded", "rules left"]
    log = (chosen.data / "logs" / "notify.log").read_text()
    assert f"bus nats://127.0.0.1:{chosen.nats_port} sms http://127.0.0.1:{chosen.sink_http_port}/sms/send" in log
    assert "drained" in log


async def test_a_server_that_dies_is_started_again_under_the_running_stack(tmp_path: Path) -> None:
    async with local_stack(settings(tmp_path), Console(file=io.StringIO()), None, tiny_service) as stack:
        killed = [server.pid for server in stack.servers]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
            await until(f"process {pid} has ended", lambda pid=pid: not process_lives(pid))  # type: ignore[misc]

        def runs_again(server: LocalServer) -> bool:
            # Until it is waited for, the dead one counts as running.
            return server.is_running and server.pid not in killed

        for server in stack.servers:
            await until(f"{server.label} runs again", lambda server=server: runs_again(server))  # type: ignore[misc]
        assert all(process_lives(server.pid) for server in stack.servers)


async def test_a_taken_port_stops_what_had_started(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    blocker = await asyncio.start_server(lambda *_: None, "127.0.0.1", chosen.intake_port)
    try:
        with pytest.raises(
            PortTaken,
            match=rf"^Port {chosen.intake_port} for intake is taken by another program; "
            r"stop it or choose another with REEVE_INTAKE_PORT\.$",
        ):
            async with local_stack(chosen, Console(file=io.StringIO()), None, tiny_service):
                pytest.fail("started on a taken port")
    finally:
        blocker.close()
        await blocker.wait_closed()
    assert running_stack(chosen.data) is None


def test_settings_tell_given_urls_from_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REEVE_NATS_URL", raising=False)
    monkeypatch.setenv("REEVE_MONGO_URL", "mongodb://db/?replicaSet=x")
    loaded = StackSettings.load()
    assert (loaded.external_nats_url, loaded.external_mongo_url) == (None, "mongodb://db/?replicaSet=x")


def test_output_in_pieces_becomes_lines() -> None:
    splitter = LineSplitter()
    assert list(splitter.feed("漏".encode()[:2])) == []
    assert list(splitter.feed("漏".encode()[2:] + b"\r\nhalf")) == ["漏"]
    assert list(splitter.feed(b"x" * 9000)) == ["half" + "x" * 8188]
    assert list(splitter.feed(b"", final=True)) == ["x" * 812]


def test_what_a_killed_stack_left_behind_is_not_a_running_one(tmp_path: Path) -> None:
    here = "http://127.0.0.1:1"
    left = StackAddresses(
        pid=2**22 + 1,
        intake_url=here,
        escalation_url=here,
        notify_url=here,
        nats_url="",
        mongo_url="",
        sink_url=None,
    )
    with folder_lock(tmp_path):
        save_addresses(tmp_path, left)
        assert running_stack(tmp_path) is None
        save_addresses(tmp_path, left.model_copy(update={"pid": os.getpid()}))
        assert running_stack(tmp_path) is not None
        assert (tmp_path / "stack.json").stat().st_mode & 0o777 == 0o600
    assert running_stack(tmp_path) is None
