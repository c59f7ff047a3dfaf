"""`reeve recipients` on a real record: imported twice is imported once, and addresses stay out of sight."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reeve.cli.recipients.command import app
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


async def _invoke(here: World, *arguments: str) -> tuple[int, str, str]:
    """The command within this process: on a thread, as it runs a loop of its own."""
    env = {
        "REEVE_MONGO_URL": here.urls.mongo_url,
        "REEVE_NATS_URL": here.urls.nats_url,
        "REEVE_MONGO_DATABASE": here.database.name,
    }
    result = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


async def test_import_list_check(here: World, tmp_path: Path) -> None:
    code, out, err = await _invoke(here, "import", str(EXAMPLE), "--dry-run")
    assert (code, err) == (0, "")
    assert "40 would be new" in out
    assert await here.database["recipients"].count_documents({}) == 0

    assert (await _invoke(here, "import", str(EXAMPLE)))[
        1
    ].strip() == "40 new, 0 changed, 0 as before, 0 bad rows left out"
    code, out, _ = await _invoke(here, "import", str(EXAMPLE), "--json")
    assert (code, json.loads(out)["unchanged"]) == (0, 40)

    code, out, _ = await _invoke(here, "list", "--place", "sunshine-garden", "--role", "property_manager", "--json")
    (manager,) = (json.loads(line) for line in out.splitlines())
    assert (code, manager["id"]) == (0, "manager-01")
    everything = (await _invoke(here, "list"))[1] + (await _invoke(here, "list", "--json"))[1]
    for private in ("7700900107", "manager@sunshine", "王经理"):
        assert private not in everything
    whole = (await _invoke(here, "list", "--show-addresses"))[1]
    assert "+447700900107" in whole
    assert "王经理" in whole

    code, out, err = await _invoke(here, "list", "--role", "stewrd")
    assert (code, out, err) == (2, "", "--role stewrd: no such role; did you mean steward?\n")
    code, out, err = await _invoke(here, "list", "--place", "moon-base")
    assert (code, out, err) == (0, "", "There are no recipients at moon-base.\n")

    code, out, _ = await _invoke(here, "check")
    assert code == 0, out
    assert "Every role the rules tell" in out
    assert "where the assignee of a case can't be reached, service_supervisor is told instead" in out

    bad = tmp_path / "bad.csv"
    bad.write_text("id,place,roles,sms\nx,moon-base,guard,\nleader-02,moon-base,guard,+447700900199\n", "utf-8")
    code, out, err = await _invoke(here, "import", str(bad))
    assert code == 1
    assert "row 2, sms: a recipient needs an address" in err
    assert out.startswith("1 new")
    code, out, err = await _invoke(here, "import", str(bad), "--dry-run", "--lang", "zh")
    assert (code, err) == (1, "第 2 行，手机：至少要有一个联系方式：手机或邮箱\n")
    assert out == "将新增 0 人，将更新 0 人，不变 1 人，跳过有错的 1 行\n"

    code, out, _ = await _invoke(here, "check", "--json")
    assert code == 1
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["place"] for row in rows if row["told"] is None} == {"moon-base"}


STAFF = """编号,站点,角色,手机,免打扰,休假
desk-01,moon-bay,物业经理; 前台@3栋,13800138001,,
desk-03,moon-bay,前台@3栋/2单元 2026-01-01至2999-12-31,13800138003,22:00-07:00,2000-01-01至2000-01-09 nobody-01
leader-01,moon-bay,company_leader,13800138009,,
"""


async def test_a_place_is_replaced_exported_and_looked_at_ahead(here: World, tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_bytes(STAFF.encode("gb18030"))
    code, out, err = await _invoke(here, "import", str(file))
    assert (code, err) == (0, "moon-bay/desk-03: nobody there has the id nobody-01, who is to stand in\n")
    whole = tmp_path / "staff.xlsx"
    assert (await _invoke(here, "export", str(whole), "--place", "moon-bay"))[0] == 0
    assert whole.stat().st_mode & 0o077 == 0
    assert (await _invoke(here, "export", str(whole)))[0] == 2  # never over a file that is there
    again = (await _invoke(here, "import", str(whole), "--replace", "--json", "--yes"))[1]
    note, counts = (json.loads(line) for line in again.splitlines())
    assert note == {"note": "stand_in_unknown", "place": "moon-bay", "id": "desk-03", "name": "nobody-01"}
    assert (counts["unchanged"], counts["removed"]) == (3, 0)

    file.write_text(STAFF.replace("前台@3栋,", "前台@4栋,").replace("leader-01", "leader-02"), "utf-8-sig")
    code, out, _ = await _invoke(here, "import", str(file), "--dry-run", "--replace")
    assert code == 0
    assert "roles: property_manager; front_desk @3 → property_manager; front_desk @4" in out
    assert "1 would be new, 1 would be changed, 1 as before, 1 would be removed" in out
    assert "13800138" not in out
    code, _, err = await _invoke(here, "import", str(file), "--replace")
    assert (code, "--yes" in err) == (2, True)  # nobody is there to be asked
    code, out, err = await _invoke(here, "import", str(file), "--replace", "--yes")
    assert "1 people are not in the file and will be removed: moon-bay/leader-01" in err
    found = await here.database["recipients"].find({"place": "moon-bay"}).sort("_id", 1).to_list()
    assert [each["recipient"] for each in found] == ["desk-01", "desk-03", "leader-02"]

    code, out, err = await _invoke(here, "check", "--coverage", "2d", "--json", "--site", "moon-bay")
    assert code == 1, (out, err)
    assert err == ""
    known, *gaps = (json.loads(line) for line in out.splitlines())
    assert known == note
    nights = [gap for gap in gaps if gap["role"] == "front_desk" and gap["area"] == "3/2" and gap["why"] == "quiet"]
    assert nights
    assert all(gap["until"].endswith("T07:00:00+08:00") or gap is nights[-1] for gap in nights)
    assert not [gap for gap in gaps if gap["role"] == "property_manager"]
    code, out, err = await _invoke(here, "check", "--coverage", "2d", "--site", "moon-bay", "--lang", "zh")
    assert (code, "moon-bay（Asia/Shanghai）" in out, "nobody-01" in err) == (1, True, True)
    assert (await _invoke(here, "check", "--coverage", "soon"))[0] == 2


async def test_wrong_files_and_servers_out_of_reach(here: World, tmp_path: Path) -> None:
    assert (await _reeve(here, "import", str(tmp_path / "none.csv")))[0] == 2
    empty = tmp_path / "empty.csv"
    empty.write_text("", "utf-8")
    code, _, err = await _reeve(here, "import", str(empty))
    assert code == 1
    assert "missing: id, place" in err
