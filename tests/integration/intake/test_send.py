"""`reeve send` against a real intake."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from reeve.devstack.launching import free_port
from tests.support.intake import Stack, event, ndjson

pytestmark = pytest.mark.integration


async def _send(url: str, *arguments: str, given: bytes | None = None) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from reeve.cli.main import main; main()",
        "send",
        *arguments,
        env={"REEVE_URL": url},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(given)
    return process.returncode or 0, out.decode(), err.decode()


async def test_every_shape_of_file(servers: Stack, tmp_path: Path) -> None:
    shapes: dict[str, tuple[bytes, int]] = {
        "one.json": (orjson.dumps(event("a"), option=orjson.OPT_INDENT_2), 1),
        "line.json": (orjson.dumps(event("b")), 1),
        "array.json": (orjson.dumps([event("c"), event("d")], option=orjson.OPT_INDENT_2), 2),
        "lines.ndjson": (ndjson(*(event(f"n{number}") for number in range(1200))) + b"\n\n", 1200),
    }
    async with servers.intake() as (running, _):
        for name, (content, count) in shapes.items():
            path = tmp_path / name
            await asyncio.to_thread(path.write_bytes, content)
            code, out, _ = await _send(running.url, str(path))
            assert (code, out) == (0, f"{count:,} accepted, 0 duplicate, 0 refused\n"), name
        code, out, _ = await _send(running.url, "-", given=shapes["array.json"][0])
        assert (code, out) == (0, "0 accepted, 2 duplicate, 0 refused\n")
    assert len(servers.stored()) == 1204


async def test_what_was_refused_is_said_and_the_exit_code_tells(servers: Stack) -> None:
    given = ndjson(event("1"), event("2", time="soon"), b"{broken", event("1", subject="other"))
    async with servers.intake() as (running, _):
        code, out, _ = await _send(running.url, "-", given=given)
        assert code == 1
        assert "event 2 (2) refused: $.time: expected a moment with offset" in out
        assert "event 3 refused: $: expected well-formed JSON" in out
        assert "event 4 (1): known already with other content" in out
        assert out.endswith(
            "1 accepted, 1 duplicate, 2 refused, 1 of the duplicates with other content than before\n"
        )
        code, out, err = await _send(running.url, "-", "--json", given=given)
        rows: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
        assert (code, err) == (1, "")
        assert [(row["event"], row["status"]) for row in rows] == [(1, 202), (2, 422), (3, 400), (4, 202)]
        code, _, err = await _send(running.url, "-", given=b"[{]")
        assert (code, "no JSON" in err) == (1, True)


async def test_exit_codes_for_what_can_not_be_done(servers: Stack, tmp_path: Path) -> None:
    given = orjson.dumps(event("1"))
    async with servers.intake(api_keys="*=a-long-key-1") as (running, _):
        code, _, err = await _send(running.url, "-", given=given)
        assert (code, "API key" in err) == (2, True)
        assert (await _send(running.url, "-", "--key", "a-long-key-1", given=given))[0] == 0
        assert (await _send(running.url, str(tmp_path / "absent.json")))[0] == 2
    code, _, err = await _send(f"http://127.0.0.1:{free_port()}", "-", given=given)
    assert (code, "reeve up" in err) == (3, True)
