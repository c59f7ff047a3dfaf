"""`reeve recipients` on a real record: imported twice is imported once, and addresses stay out of sight."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from tests.integration.notify.world import World

pytestmark = pytest.mark.integration

EXAMPLE = Path(__file__).parents[3] / "examples" / "recipients.csv"


async def _reeve(here: World, *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.cli.main", "recipients", *arguments),
        env={
            **os.environ,
            "REEVE_MONGO_URL": here.urls.mongo_url,
            "REEVE_NATS_URL": here.urls.nats_url,
            "REEVE_MONGO_DATABASE": here.database.name,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.long
async def test_import_list_check(here: World, tmp_path: Path) -> None:
    code, out, err = await _reeve(here, "import", str(EXAMPLE), "--dry-run")
    assert (code, err) == (0, "")
    assert "40 would be new" in out
    assert await here.database["recipients"].count_documents({}) == 0

    assert (await _reeve(here, "import", str(EXAMPLE)))[
        1
    ].strip() == "40 new, 0 changed, 0 as before, 0 bad rows left out"
    code, out, _ = await _reeve(here, "import", str(EXAMPLE), "--json")
    assert (code, json.loads(out)["unchanged"]) == (0, 40)

    code, out, _ = await _reeve(here, "list", "--place", "sunshine-garden", "--role", "property_manager", "--json")
    (manager,) = (json.loads(line) for line in out.splitlines())
    assert (code, manager["id"]) == (0, "manager-01")
    everything = (await _reeve(here, "list"))[1] + (await _reeve(here, "list", "--json"))[1]
    for private in ("7700900107", "manager@sunshine", "王经理"):
        assert private not in everything
    whole = (await _reeve(here, "list", "--show-addresses"))[1]
    assert "+447700900107" in whole
    assert "王经理" in whole

    code, out, _ = await _reeve(here, "check")
    assert code == 0, out
    assert "Every role the rules tell" in out

    bad = tmp_path / "bad.csv"
    bad.write_text("id,place,roles,sms\nx,moon-base,guard,\nleader-02,moon-base,guard,+447700900199\n", "utf-8")
    code, out, err = await _reeve(here, "import", str(bad))
    assert code == 1
    assert "row 2, sms: a recipient needs an address" in err
    assert out.startswith("1 new")

    code, out, _ = await _reeve(here, "check", "--json")
    assert code == 1
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["place"] for row in rows if row["told"] is None} == {"moon-base"}


async def test_wrong_files_and_servers_out_of_reach(here: World, tmp_path: Path) -> None:
    assert (await _reeve(here, "import", str(tmp_path / "none.csv")))[0] == 2
    empty = tmp_path / "empty.csv"
    empty.write_text("", "utf-8")
    code, _, err = await _reeve(here, "import", str(empty))
    assert code == 1
    assert "missing: id, place" in err
