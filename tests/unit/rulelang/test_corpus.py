"""Example files: the good ones load without a word, each bad one says exactly what is wrong and what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from reeve.rulelang.load import LoadResult, load_bundle, read_folder

CORPUS = Path(__file__).parents[2] / "corpus" / "rules"
AROUND = {
    "site.yaml": """language: 1
ladder: {front_desk: service_supervisor, service_supervisor: property_manager}
vocabulary: {损失: loss_cny, 伤情: injury}
""".encode(),
    "messages.yaml": b"none: {en: {sms: nothing}}\n",
}
BAD = sorted(path.stem for path in (CORPUS / "bad").glob("*.yaml"))
AROUND_MESSAGES = {
    "site.yaml": """
language: 1
title: {en: Sunshine Garden, zh: 阳光花园}
channels: {default: [sms, email]}
vocabulary: {损失: loss_cny}
""".encode(),
    "complaint.yaml": b"""
policy: complaint
title: {en: Customer complaint}
takes: ticket
counts: {times_on_incident: {of: ticket.opened, same: incident, within: 90d}}
grades: [{grade: major, if: times_on_incident >= 3}, {grade: ordinary}]
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: 10m}
  resolve: {start: ticket.opened, stop: ticket.resolved, limit: same day}
steps: [{name: late, on: respond breached, notify: front_desk}]
close: ticket.closed
""",
}
BAD_MESSAGES = sorted(path.stem for path in (CORPUS / "bad" / "messages").glob("*.yaml"))
BAD_FOLDERS = sorted(path.name for path in (CORPUS / "bad" / "folders").iterdir())
GOOD = sorted(path.name for path in (CORPUS / "good").iterdir())


def load_bad(mistake: str) -> LoadResult:
    return load_bundle({**AROUND, "complaint.yaml": (CORPUS / "bad" / f"{mistake}.yaml").read_bytes()})


def said(result: LoadResult) -> str:
    own = [found for found in result.problems if found.code != "message_missing"]
    return "".join(f"{found.render(lang)}\n" for found in own for lang in ("en", "zh"))


@pytest.mark.parametrize("mistake", BAD)
def test_a_bad_file_gets_exactly_the_words_beside_it(mistake: str) -> None:
    assert said(load_bad(mistake)) == (CORPUS / "bad" / f"{mistake}.txt").read_text(encoding="utf-8")


def load_bad_messages(mistake: str) -> LoadResult:
    path = CORPUS / "bad" / "messages" / f"{mistake}.yaml"
    return load_bundle({**AROUND_MESSAGES, "messages.yaml": path.read_bytes()})


@pytest.mark.parametrize("mistake", BAD_MESSAGES)
def test_bad_messages_get_exactly_the_words_beside_them(mistake: str) -> None:
    result = load_bad_messages(mistake)
    assert said(result) == (CORPUS / "bad" / "messages" / f"{mistake}.txt").read_text(encoding="utf-8")
    assert (result.bundle is None) == bool(result.errors)


@pytest.mark.parametrize("mistake", BAD_FOLDERS)
def test_what_files_say_against_each_other_gets_exactly_the_words_beside_them(mistake: str) -> None:
    folder = CORPUS / "bad" / "folders" / mistake
    result = load_bundle(read_folder(folder))
    words = "".join(f"{found.render(lang)}\n" for found in result.problems for lang in ("en", "zh"))
    assert words == (folder / "said.txt").read_text(encoding="utf-8")
    assert (result.bundle is None) == bool(result.errors)


@pytest.mark.parametrize("mistake", BAD)
def test_a_bundle_exists_only_without_errors(mistake: str) -> None:
    result = load_bad(mistake)
    assert (result.bundle is None) == bool(result.errors)


@pytest.mark.parametrize("folder", GOOD)
def test_a_good_folder_has_no_errors_and_no_false_alarms(folder: str) -> None:
    result = load_bundle(read_folder(CORPUS / "good" / folder))
    assert result.bundle is not None
    assert {found.code for found in result.problems} <= {"message_missing", "no_site_file", "no_messages_file"}
