"""Two YAML libraries, one reading: what libyaml takes, ruamel.yaml would have read the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reeve.rulelang import yamlevents
from reeve.rulelang.problems import BadRule
from reeve.rulelang.yamlfile import read_yaml
from reeve.rulelang.yamltree import plain

ROOT = Path(__file__).parents[3]
FILES = sorted([*(ROOT / "rules").rglob("*.yaml"), *(ROOT / "tests" / "corpus" / "rules").rglob("*.yaml")])

Read = tuple[object, ...]


def read(data: bytes) -> Read:
    """What a file says, or the problem that makes it unreadable."""
    try:
        document = read_yaml("f.yaml", data)
    except BadRule as bad:
        return (bad.problem.render("zh"),)
    said = tuple(problem.render("en") for problem in document.problems)
    return (plain(document.root), places(document.root), said)


def places(node: object) -> list[tuple[int, str]]:
    """Where every value that is written stands, and how it is quoted."""
    found: list[tuple[int, str]] = []
    for inner in getattr(node, "items", None) or getattr(node, "values", {}).values():
        found.extend(places(inner))
    text = getattr(node, "text", "")
    return [(node.start, node.style)] if text else found  # type: ignore[attr-defined]


def without_libyaml(data: bytes) -> Read:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yamlevents, "_quick", lambda text: None)
        return read(data)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_both_libraries_read_every_rule_file_alike(file: Path) -> None:
    data = file.read_bytes()
    assert read(data) == without_libyaml(data)


PIECES = st.sampled_from(
    [
        "a", "b: ", "c:", "- ", "\n", "\n  ", "\n    ", "\n- ", " ", "\t", "[", "]", "{", "}", ", ", ":", "'", '"',
        "|\n  ", "> ", "#", " # x", "&a ", "*a ", "!x ", "@", "---", "...", "：", "客户", "08:30", "http://x", "~",
        "\\n", "\\x41", "\u2028", "\x85",
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES, max_size=14))
@example(["b: ", "\t"])
@example(["b: ", "'", "a", "\u2028", "a", "'"])
def test_what_ruamel_reads_libyaml_reads_alike(pieces: list[str]) -> None:
    data = ("k: " + "".join(pieces)).encode()
    theirs = without_libyaml(data)
    if len(theirs) > 1:
        assert read(data) == theirs, "libyaml may take more (a sign after a sign), but nothing otherwise"


def test_a_refusal_is_explained_by_the_library_that_explains_better() -> None:
    assert read(b"a: {b: c\nd: e\n") == without_libyaml(b"a: {b: c\nd: e\n")
    assert "f.yaml:2:2" in str(read(b"a: {b: c\nd: e\n")[0])
