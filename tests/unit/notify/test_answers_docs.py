"""docs/answers.md and its Chinese twin say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reeve.domain.replies import MOST_MINUTES, USUAL_MINUTES, parse_reply
from reeve.runtime.providers.load import load_provider
from services.notify.settings import REPLY_ADDRESS

DOCS = Path(__file__).parents[3] / "docs"
BOTH = pytest.mark.parametrize("name", ["answers.md", "answers.zh.md"])


@BOTH
def test_every_reply_in_the_table_means_what_its_row_says(name: str) -> None:
    rows = [line.split("|") for line in (DOCS / name).read_text("utf-8").splitlines() if "`<" in line]
    assert len(rows) == 3
    for row in rows:
        answer = re.search(r"\.(\w+)`", row[4])
        assert answer is not None
        said = [each.strip(" `…") for each in re.split(r"[、]|, (?=`|\w)|等 *$|…", row[3].replace("`", ""))]
        for text in filter(None, said):
            reply = parse_reply(text)
            assert reply is not None, text
            assert reply.answer == answer[1], text


@BOTH
def test_minutes_and_the_address_to_reply_to(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    assert str(USUAL_MINUTES) in text
    assert str(MOST_MINUTES) in text
    address = re.search(r"^REEVE_REPLY_TO=(\S+)$", text, re.MULTILINE)
    assert address is not None
    assert REPLY_ADDRESS.fullmatch(address[1])


@BOTH
def test_the_provider_file_in_it_is_one(name: str, tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(  name:.*?)\n  ```", (DOCS / name).read_text("utf-8"), re.DOTALL)
    assert found is not None
    file = tmp_path / "office.yaml"
    file.write_text(found[1].replace("\n  ", "\n").removeprefix("  "), "utf-8")
    loaded = load_provider(str(file), {"MAIL_HOOK_TOKEN": "x" * 12})
    assert loaded.file.inbound is not None
    assert loaded.file.inbound.raw
