"""`reeve schemas`: what it writes, what it leaves alone, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from reeve.cli.main import app

RUNNER = CliRunner()


def test_schemas_are_written_once_and_then_agree(tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    assert RUNNER.invoke(app, ["schemas", str(folder), "--check"]).exit_code == 1
    assert not folder.exists()
    assert RUNNER.invoke(app, ["schemas", str(folder)]).exit_code == 0
    assert (folder / "rules" / "policy.schema.json").is_file()
    assert (folder / "event-ticket.schema.json").is_file()
    again = RUNNER.invoke(app, ["schemas", str(folder)])
    assert again.stdout.startswith("0 written, 0 removed")
    assert RUNNER.invoke(app, ["schemas", str(folder), "--check"]).exit_code == 0


def test_a_schema_of_nothing_is_removed_and_other_files_stay(tmp_path: Path) -> None:
    RUNNER.invoke(app, ["schemas", str(tmp_path)])
    stale, own = tmp_path / "rules" / "gone.schema.json", tmp_path / "notes.txt"
    stale.write_text("{}", "utf-8")
    own.write_text("mine", "utf-8")
    told = RUNNER.invoke(app, ["schemas", str(tmp_path), "--check"])
    assert told.exit_code == 1
    assert "gone.schema.json belongs to nothing any more" in told.stdout
    assert RUNNER.invoke(app, ["schemas", str(tmp_path)]).exit_code == 0
    assert not stale.exists()
    assert own.read_text("utf-8") == "mine"


def test_the_words_of_a_folder_are_in_its_schemas(tmp_path: Path) -> None:
    rules, out = tmp_path / "rules", tmp_path / "out"
    rules.mkdir()
    (rules / "site.yaml").write_text("vocabulary: {损失: loss_cny}\n", "utf-8")
    options = ["--rules", str(rules), "--out", str(out)]
    assert RUNNER.invoke(app, ["schemas", *options]).exit_code == 0
    assert {path.name for path in out.iterdir()} >= {"policy.schema.json", "scenarios.schema.json"}
    offered = json.loads((out / "policy.schema.json").read_text("utf-8"))["properties"]["if"]["defaultSnippets"]
    assert {"label": "损失 >= 1", "body": "损失 >= 1", "description": "loss_cny"} in offered
    (rules / "site.yaml").write_text("vocabulary: {损失额: loss_cny}\n", "utf-8")
    assert RUNNER.invoke(app, ["schemas", *options, "--check"]).exit_code == 1


def test_half_of_the_options_or_no_folder_is_wrong_usage(tmp_path: Path) -> None:
    assert RUNNER.invoke(app, ["schemas", "--rules", str(tmp_path)]).exit_code == 2
    missing = RUNNER.invoke(app, ["schemas", "--rules", str(tmp_path / "no"), "--out", str(tmp_path / "out")])
    assert missing.exit_code == 2
    assert "there is no such folder" in missing.stderr
    assert not (tmp_path / "out").exists()
