"""Providers that post: a file that can't be used is named and left out, and what ran before a change goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog
from prometheus_client import REGISTRY

from services.intake.providers_api import PostingProviders
from services.intake.settings import IntakeSettings

FILE = """
name: {name}
url: https://gateway.example/send
json: {{to: "{{{{ to }}}}", text: "{{{{ text }}}}"}}
receipts: {{id: id, status: status, delivered: [DELIVRD], failed: [UNDELIV]}}
secrets: {{hook: POSTS}}
webhooks: {{auth: {{kind: token, token: "{{{{ secrets.hook }}}}"}}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSTS", "not-to-be-told")
    for name in ("alpha", "beta"):
        (tmp_path / f"{name}.yaml").write_text(FILE.format(name=name), encoding="utf-8")
    return tmp_path


def spoil(folder: Path, name: str) -> None:
    file = folder / f"{name}.yaml"
    file.write_text(file.read_text("utf-8").replace("https://gateway.example/send", "nowhere"), encoding="utf-8")


def posting(folder: Path) -> PostingProviders:
    return PostingProviders(IntakeSettings.load(channels=folder, sms_gateway=None))


def faults() -> float | None:
    return REGISTRY.get_sample_value("reeve_provider_files_faults")


def told(logged: list[structlog.typing.EventDict]) -> list[tuple[str, str, int, str]]:
    assert "not-to-be-told" not in str(logged)
    return [(line["action"], Path(line["source"]).name, line["line"], line["place"]) for line in logged]


def test_at_the_start_only_the_file_with_a_fault_is_left_out(folder: Path) -> None:
    spoil(folder, "beta")
    with structlog.testing.capture_logs() as logged:
        providers = posting(folder)
    assert list(providers.by_name) == ["alpha"]
    assert told(logged) == [("provider_refused", "beta.yaml", 3, "url")]
    assert faults() == 1


async def test_a_change_with_a_fault_changes_nothing_until_it_is_mended(folder: Path) -> None:
    providers = posting(folder)
    before = dict(providers.by_name)
    assert list(before) == ["alpha", "beta"]
    assert faults() == 0
    whole = (folder / "beta.yaml").read_text("utf-8")
    spoil(folder, "beta")
    with structlog.testing.capture_logs() as logged:
        await providers.look()
    assert told(logged) == [("providers_refused", "beta.yaml", 3, "url")]
    assert providers.by_name == before
    assert faults() == 1
    (folder / "beta.yaml").write_text(whole, encoding="utf-8")
    await providers.look()
    assert faults() == 0
