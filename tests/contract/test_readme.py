"""The documents against the code: commands, events, settings, metrics, links and folders that they name."""

from __future__ import annotations

import importlib
import importlib.util
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from reeve.cli.main import COMMANDS
from reeve.cli.targets import TargetSettings
from reeve.contracts.events import parse_event
from reeve.runtime.settings import PREFIX, ReeveSettings
from services.escalation.settings import EscalationSettings
from services.intake.settings import IntakeSettings
from services.notify.settings import NotifySettings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/adr/*.md"), *ROOT.glob("services/*/README.md")]
)
SETTINGS: tuple[type[ReeveSettings], ...] = (
    IntakeSettings,
    EscalationSettings,
    NotifySettings,
    TargetSettings,
)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code_of(text: str) -> list[str]:
    """What stands in backticks or in blocks of code."""
    blocks = re.findall(r"```(?:sh)?\n(.*?)```", text, re.DOTALL)
    rest = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [*blocks, *re.findall(r"`([^`\n]+)`", rest)]


def subcommands(name: str) -> set[str]:
    app: Any = getattr(importlib.import_module(COMMANDS[name][0]), "app", None)
    if not isinstance(app, typer.Typer):
        return set()
    return set(getattr(typer.main.get_command(app), "commands", {}))


def in_words(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_readme_is_short() -> None:
    assert len(text_of(ROOT / "README.md").splitlines()) < 200


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_its_module(name: str) -> None:
    module = COMMANDS[name][0]
    assert importlib.util.find_spec(module) is not None, f"{module} is missing"


@pytest.mark.parametrize("document", DOCUMENTS, ids=in_words)
def test_every_command_that_is_named_exists(document: Path) -> None:
    named = {
        (found[1], found[2] or "")
        for code in code_of(text_of(document))
        for found in re.finditer(r"(?:^|[\s/(])reeve ([a-z]+)(?: ([a-z_]+)\b(?![./]))?", code)
    }
    for command, second in named:
        assert command in COMMANDS, f"reeve {command}"
        if second and subcommands(command):
            assert second in subcommands(command), f"reeve {command} {second}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=in_words)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {
        found for code in code_of(text_of(document)) for found in re.findall(r"^make ([a-z]+)", code, re.MULTILINE)
    }
    assert named <= targets


@pytest.mark.parametrize("name", ["README.md", "docs/integrators.md", "docs/contracts.md"])
def test_every_event_that_is_shown_is_accepted(name: str) -> None:
    text = text_of(ROOT / name).replace("$(date -Is)", "2026-03-02T09:00:00+08:00")
    events = re.findall(r'^\{"specversion".*?\}\}?\n(?=EOF|```)', text, re.DOTALL | re.MULTILINE)
    assert events
    for event in events:
        assert parse_event(event, now=datetime(2027, 1, 1, tzinfo=UTC)).site == "sunshine-garden"


@pytest.mark.parametrize("document", DOCUMENTS, ids=in_words)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(document)):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/integrators.md"])
def test_folders_that_are_named_exist(name: str) -> None:
    made_at_run_time = {".reeve/", ".venv/"}
    for folder in re.findall(r"`((?:[\w.-]+/)+)`", text_of(ROOT / name)):
        if folder not in made_at_run_time:
            assert (ROOT / folder).is_dir(), folder


def test_the_table_of_settings_is_the_settings() -> None:
    rows = dict(re.findall(r"^\| `(REEVE_\w+)` \|([^|]*)\|", text_of(ROOT / "docs/operations.md"), re.MULTILINE))
    fields = {f"{PREFIX}{name.upper()}": field for each in SETTINGS for name, field in each.model_fields.items()}
    assert set(rows) == set(fields)
    for name, shown in rows.items():
        if shown.strip("` ") not in ("", "made"):
            defaults = {
                str(each.model_fields[name.removeprefix(PREFIX).lower()].default)
                for each in SETTINGS
                if name.removeprefix(PREFIX).lower() in each.model_fields
            }
            assert shown.strip("` ") in defaults, name


@pytest.mark.parametrize("name", ["docs/operations.md", "docs/runbook.md"])
def test_metrics_that_are_named_exist(name: str) -> None:
    code = "".join(
        text_of(path) for path in [*ROOT.glob("services/**/*.py"), *ROOT.glob("src/reeve/runtime/**/*.py")]
    )
    for metric in set(re.findall(r"reeve_(?:intake|escalation|notify)_\w+", text_of(ROOT / name))):
        assert f'"{metric}"' in code, metric


def test_ports_that_are_named_are_the_defaults() -> None:
    text = text_of(ROOT / "docs/operations.md")
    for settings, name in (
        (IntakeSettings, "intake"),
        (EscalationSettings, "escalation"),
        (NotifySettings, "notify"),
    ):
        assert str(settings.model_fields[f"{name}_port"].default) in text
