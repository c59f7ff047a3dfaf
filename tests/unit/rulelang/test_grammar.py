"""The tables made beforehand are those of the grammar."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lark import Lark, UnexpectedInput

from reeve.rulelang import branches, grammar
from reeve.rulelang.branches import Branch, Word

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


Shown = tuple[str, int, int, list[object]]


def shown(part: Branch | Word) -> Shown:
    """A branch in a form that can be compared, with every place in it."""
    if isinstance(part, Word):
        return str(part), part.start, part.end, []
    return part.data, part.start, part.end, [shown(each) for each in part.children]


def by_lark(start: branches.Start, text: str) -> Shown | None:
    try:
        return shown(grammar.as_branch(grammar.grammar().parse(text, start=start)))
    except UnexpectedInput:
        return None


def by_tables(start: branches.Start, text: str) -> Shown | None:
    read = branches.reader().read(start, text)
    return shown(read) if read is not None else None


STARTS: st.SearchStrategy[branches.Start] = st.sampled_from(["condition", "limit", "trigger"])
OPERANDS = [
    "loss_cny",
    "损失",
    "event",
    "event.x",
    "ticket.opened",
    "respond",
    "5",
    "-5",
    "10000",
    "80%",
    "24h",
    "1h30m",
    "'24h'",
    '"漏水"',
    "2026-01-31",
    "true",
    "2026-01-31T08:00Z",
    "known(a)",
    "[1]",
    "['a','b',]",
    "[]",
    "starts_at",
    "graded",
    "same",
    "-",
]
BETWEEN = [
    "and",
    "or",
    "not",
    "in",
    "not in",
    "contains",
    "matches",
    "if",
    "==",
    "<=",
    "=>",
    "+",
    "-",
    ".",
    ",",
    "%",
]
PHRASES = ["2 working days", "3 months", "same day", "respond breached", "resolve undated 24h", "due_at - 2h", "("]
PIECES = st.sampled_from([*OPERANDS, *BETWEEN, *PHRASES, ")", "[", "]", "&", "\t"])
SENTENCES = st.lists(st.tuples(st.sampled_from(OPERANDS + PHRASES), st.sampled_from(BETWEEN)), max_size=4).map(
    lambda pairs: " ".join(f"{left} {right}" for left, right in pairs)
)


@given(STARTS, st.one_of(SENTENCES, st.lists(PIECES, max_size=9).map(" ".join)), st.sampled_from([*OPERANDS, ""]))
@example("condition", "a or due_at or b", "")
@example("trigger", "a if b or ticket.closed if (c)", "")
@example("trigger", "((respond breached))", "")
@example("limit", "- 2h or -2h", "")
@example("limit", "((due_at) - 2h)", "")
def test_the_tables_read_what_lark_reads_as_lark_reads_it(start: branches.Start, text: str, last: str) -> None:
    for whole in (f"{text} {last}", f"{text}{last}"):
        assert by_tables(start, whole) == by_lark(start, whole)


@pytest.mark.parametrize(("start", "text"), EXPRESSIONS[:-2])
def test_the_tables_read_every_form(start: branches.Start, text: str) -> None:
    read = by_tables(start, text)
    assert read is not None
    assert read == by_lark(start, text)


@pytest.mark.parametrize(("start", "text"), EXPRESSIONS[-2:])
def test_the_tables_say_nothing_of_what_is_wrong(start: branches.Start, text: str) -> None:
    assert by_tables(start, text) is None
