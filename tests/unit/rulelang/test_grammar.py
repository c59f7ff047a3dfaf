"""The tables made beforehand are those of the grammar."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources

import pytest
from lark import Lark, UnexpectedInput

from reeve.rulelang import branches, grammar

EXPRESSIONS = [
    ("condition", 'loss_cny >= 10000 or injury == "serious" and not (grade in ["major", "ordinary"])'),
    ("condition", 'known(event.room) and title matches "^漏水" or starts_at - 24h < today'),
    ("limit", "due_at or 2 working days or starts_at - 24h"),
    ("trigger", 'ticket.closed or ticket.followed_up if event.satisfaction != "dissatisfied" or respond breached'),
    ("trigger", "resolve undated 24h or resolve 80% or pay + 3 months"),
    ("condition", "loss_cny >="),
    ("limit", "5 parsecs"),
]


@pytest.fixture(scope="module")
def anew() -> Lark:
    return grammar.built(resources.files("reeve.rulelang").joinpath("grammar.lark").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("file", "made"), [("grammar_tables.json", grammar.tables), (branches.TABLES, grammar.branch_tables)]
)
def test_the_tables_were_made_from_this_grammar_with_the_locked_lark(file: str, made: Callable[[], str]) -> None:
    kept = json.loads(resources.files("reeve.rulelang").joinpath(file).read_text(encoding="utf-8"))
    assert kept["made_with"] == json.loads(made())["made_with"], "run python -m reeve.rulelang.grammar"


@pytest.mark.parametrize(("start", "text"), EXPRESSIONS)
def test_they_parse_as_the_grammar_does(anew: Lark, start: str, text: str) -> None:
    def parsed(parser: Lark) -> object:
        try:
            tree = parser.parse(text, start=start)
        except UnexpectedInput as error:
            return (type(error), error.pos_in_stream)
        return (tree, [(node.data, node.meta.start_pos, node.meta.end_pos) for node in tree.iter_subtrees()])

    assert parsed(grammar.grammar()) == parsed(anew)


def test_tables_of_another_grammar_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammar, "_made_with", lambda text: "another")
    parser = grammar.grammar.__wrapped__()
    assert parser.parse("loss_cny >= 1", start="condition") == grammar.grammar().parse(
        "loss_cny >= 1", start="condition"
    )
