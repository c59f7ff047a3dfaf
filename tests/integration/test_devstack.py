"""The embedded servers for real: they keep their data, die with their parent and say what is wrong."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import socket
import sys
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js.api import StreamConfig
from pymongo import AsyncMongoClient

from reeve.devstack import binaries, launching
from reeve.devstack.errors import PortTaken, ServerFailed, ServerMissing, Unreachable
from reeve.devstack.launching import free_port
from reeve.devstack.mongo_server import MongoServer
from reeve.devstack.nats_server import NatsServer
from reeve.devstack.servers import check_mongo, check_nats, servers
from tests.support.waiting import PATIENCE, process_lives, until

pytestmark = pytest.mark.integration

HOLDER = Path(__file__).parent.parent / "support" / "server_holder.py"


async def _store_a_message(url: str) -> None:
    connection = await nats.connect(url)
    stream = connection.jetstream(timeout=PATIENCE)
    await stream.add_stream(StreamConfig(name="KEPT", subjects=["kept.>"]))
    await stream.publish("kept.one", b"still here")
    await connection.close()


async def _stored_messages(url: str) -> int:
    connection = await nats.connect(url)
    info = await connection.jetstream(timeout=PATIENCE).stream_info("KEPT")
    await connection.close()
    return info.state.messages


async def _insert_in_transaction(url: str, number: int) -> None:
    async with (
        AsyncMongoClient[dict[str, Any]](url) as client,
        client.start_session() as session,
        await session.start_transaction(),
    ):
        await client["kept"]["rows"].insert_one({"_id": number}, session=session)


async def _row_count(url: str) -> int:
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        return await client["kept"]["rows"].count_documents({})


async def test_both_servers_keep_their_data_though_their_ports_change(tmp_path: Path) -> None:
    async with servers(tmp_path) as (nats_url, mongo_url):
        await _store_a_message(nats_url)
        await _insert_in_transaction(mongo_url, 1)
        first = (nats_url, mongo_url)
    async with servers(tmp_path) as (nats_url, mongo_url):
        assert nats_url != first[0]
        assert mongo_url != first[1]
        assert await _stored_messages(nats_url) == 1
        await _insert_in_transaction(mongo_url, 2)
        assert await _row_count(mongo_url) == 2


async def test_a_killed_server_starts_again_on_its_port_with_its_data(tmp_path: Path) -> None:
    async with MongoServer(tmp_path / "mongo") as mongo, NatsServer(tmp_path / "nats") as bus:
        await _insert_in_transaction(mongo.url, 1)
        await _store_a_message(bus.url)
        urls = (mongo.url, bus.url)
        await mongo.kill()
        await bus.kill()
        await asyncio.gather(mongo.start(), bus.start())
        assert (mongo.url, bus.url) == urls
        assert await _row_count(mongo.url) == 1
        assert await _stored_messages(bus.url) == 1


async def test_nats_takes_back_an_older_copy_of_its_store(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "nats") as bus:
        await _store_a_message(bus.url)
        await bus.stop()
        shutil.copytree(bus.store, tmp_path / "copy")
        await bus.start()
        connection = await nats.connect(bus.url)
        await connection.jetstream(timeout=PATIENCE).publish("kept.two", b"lost on purpose")
        await connection.close()
        await bus.stop()
        shutil.rmtree(bus.store)
        shutil.copytree(tmp_path / "copy", bus.store)
        await bus.start()
        assert await _stored_messages(bus.url) == 1


async def test_kill_9_of_the_parent_leaves_no_orphan_and_no_obstacle(tmp_path: Path) -> None:
    async with _holder(tmp_path) as (parent, held):
        # The thread that started the servers has ended by now: that alone must not have ended them.
        await check_nats(held["nats_url"])
        await check_mongo(held["mongo_url"])
        await _insert_in_transaction(held["mongo_url"], 1)
        parent.kill()
        await parent.wait()
        for pid in held["pids"]:
            await until(f"process {pid} has ended", lambda pid=pid: not process_lives(pid))  # type: ignore[misc]
    async with servers(tmp_path) as (_, mongo_url):
        assert await _row_count(mongo_url) == 1


class _holder:  # noqa: N801 - used like a function
    """The holder program and what it printed; killed at the end whatever happens."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __aenter__(self) -> tuple[asyncio.subprocess.Process, dict[str, Any]]:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(HOLDER), str(self._folder), stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        return self._process, json.loads(line)

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@pytest.fixture
async def taken_port() -> AsyncIterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (
            NatsServer,
            "Port {port} for NATS is taken by another program; stop it or choose another with REEVE_NATS_PORT.",
        ),
        (
            MongoServer,
            "Port {port} for MongoDB is taken by another program; stop it or choose another with REEVE_MONGO_PORT.",
        ),
    ],
)
async def test_a_taken_port_is_one_plain_sentence(
    tmp_path: Path, taken_port: int, kind: type[NatsServer | MongoServer], sentence: str
) -> None:
    with pytest.raises(PortTaken) as raised:
        await kind(tmp_path, port=taken_port).start()
    assert str(raised.value) == sentence.format(port=taken_port)


async def test_a_server_that_dies_at_start_is_quoted(tmp_path: Path) -> None:
    bus = NatsServer(tmp_path / "nats")
    bus.folder.mkdir()
    bus.store.write_text("a file where the store's folder belongs")
    with pytest.raises(
        ServerFailed, match=r"^NATS ended at start: .*storage directory.*; the rest is in .*server\.log\.$"
    ):
        await bus.start()

    mongo = MongoServer(tmp_path / "mongo")
    (mongo.folder / "data").mkdir(parents=True)
    (mongo.folder / "data" / "WiredTiger").write_text("not a database")
    (mongo.folder / "data" / "storage.bson").write_text("not a database")
    with pytest.raises(ServerFailed, match=r"^MongoDB ended at start: .{10,}; the rest is in .*server\.log\.$"):
        await mongo.start()


async def test_starting_twice_is_a_mistake_and_stopping_twice_is_not(tmp_path: Path) -> None:
    async with NatsServer(tmp_path) as bus:
        with pytest.raises(RuntimeError, match="already running"):
            await bus.start()
        await bus.stop()
        await bus.stop()
        with pytest.raises(RuntimeError, match="not running"):
            _ = bus.pid


def test_a_port_that_was_given_is_given_to_nobody_else_though_nobody_listens_there_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = free_port()
    monkeypatch.setattr(launching, "_PORTS", range(given, given + 1))
    assert free_port() != given


async def test_urls_that_do_not_answer_are_named_by_their_setting() -> None:
    with pytest.raises(Unreachable, match=r"REEVE_NATS_URL does not answer \(.+\); start it or correct"):
        await check_nats(f"nats://127.0.0.1:{free_port()}")


def test_without_programs_and_wheels_the_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(
        ServerMissing, match=r"no nats-server here .*; install nats-server, or point REEVE_NATS_URL"
    ):
        binaries.find_nats_server()
    with pytest.raises(ServerMissing, match=r"no mongod here .*; install mongod, or point REEVE_MONGO_URL"):
        binaries.find_mongod(tmp_path)


def _program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_recent_program_on_path_comes_before_the_wheel_and_an_old_one_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = _program(tmp_path, "nats-server", "echo nats-server: v2.14.0")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert binaries.find_nats_server().path == on_path
    _program(tmp_path, "nats-server", "echo nats-server: v2.10.7")
    assert binaries.find_nats_server().path != on_path


def test_mongod_of_the_wheel_gets_libcurl_from_pycurl_only_where_the_system_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_curl = _program(
        tmp_path,
        "mongod",
        'case "$LD_LIBRARY_PATH" in *lib*) echo db version v6.0.5 ;; *) echo no libcurl.so.4 >&2; exit 127 ;; esac',
    )
    monkeypatch.setattr(binaries, "_mongod_of_wheel", lambda _workspace: needs_curl)
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    found = binaries.find_mongod(tmp_path / "workspace")
    folder, libraries = found.environment["LD_LIBRARY_PATH"].split(os.pathsep)
    assert (Path(folder) / "libcurl.so.4").resolve().name.startswith("libcurl-")
    assert Path(libraries).name == "pycurl.libs"

    _program(tmp_path, "mongod", "echo db version v6.0.5")
    assert binaries.find_mongod(tmp_path / "workspace").environment == {}


def test_a_mongod_that_may_not_be_made_executable_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "site" / "fiftyone"
    (wheel / "db" / "bin").mkdir(parents=True)
    program = wheel / "db" / "bin" / "mongod"
    program.write_text("#!/bin/sh\necho db version v6.0.5\n")
    program.chmod(0o644)

    class Spec:
        submodule_search_locations = (str(wheel),)

    def refuse(_self: Path, _mode: int) -> None:
        raise PermissionError

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: Spec if name == "fiftyone" else None)
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    real_chmod = Path.chmod
    monkeypatch.setattr(
        Path, "chmod", lambda path, mode: refuse(path, mode) if path == program else real_chmod(path, mode)
    )
    found = binaries.find_mongod(tmp_path / "workspace")
    assert found.path == tmp_path / "workspace" / "bin" / "mongod"
    assert os.access(found.path, os.X_OK)
    assert not program.stat().st_mode & 0o111


async def test_the_leash_starts_nothing_for_a_parent_that_has_gone(tmp_path: Path) -> None:
    leash = Path(launching.__file__).with_name("leash.py")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(leash), "999999999", "SIGKILL", "touch", str(tmp_path / "started")),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert b"parent ended" in said
    assert not (tmp_path / "started").exists()
