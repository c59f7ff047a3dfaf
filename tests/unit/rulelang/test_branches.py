"""Our reader of expressions and lark's, which has the last word, read the same: every branch, word and place."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lark import UnexpectedInput

from reeve.rulelang import branches, grammar
from reeve.rulelang.branches import Branch, Word
from reeve.rulelang.load import load_bundle, read_folder

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


# --- what is right -------------------------------------------------------------------------------------------

STARTS: st.SearchStrategy[branches.Start] = st.sampled_from(["condition", "limit", "trigger"])
GAPS = st.sampled_from(["", " ", "  ", "\t", "\n"])
NAMES = st.sampled_from(["loss_cny", "损失", "事项2", "due_at", "event", "working", "or_else", "same", "respond"])
DOTTED = st.tuples(st.sampled_from(["event", "ticket", "事件"]), NAMES).map(".".join)
LENGTHS = st.sampled_from(
    ["24h", "1h30m", "5 minutes", "2d 12h", "2 working days", "3 working hours", "11 months", "1 year", "same day"]
)
QUOTED = st.sampled_from(["'a or b'", '"严重 (1)"', "“好”", "‘好’", "「漏水」"])
NUMBERS = st.sampled_from(["0", "10000", "2.5", "-5", "80%", "12.5 %", "2026-01-31", "2026-01-31T08:00+08:00"])
CONSTANTS = st.one_of(QUOTED, NUMBERS, st.sampled_from(["true", "false"]))
ATOMS = st.one_of(NAMES, DOTTED, LENGTHS, CONSTANTS)
SUMS = st.one_of(ATOMS, st.tuples(NAMES, st.sampled_from([" + ", " - ", "-"]), LENGTHS).map("".join))
SIGNS = st.sampled_from(["==", "!=", "<=", ">=", "<", ">", "=", "<>", "=<", "=>", " contains ", " matches "])
LISTS = st.lists(ATOMS, max_size=3).map(", ".join).map("[{}]".format)


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        inner.map("({})".format),
        inner.map("not {}".format),
        inner.map("known({})".format),
        st.tuples(inner, st.sampled_from([" and ", " or ", "\nand\t", "  or "]), inner).map("".join),
    )


COMPARISONS = st.one_of(
    SUMS,
    st.tuples(SUMS, SIGNS, SUMS).map("".join),
    st.tuples(SUMS, st.sampled_from([" in ", " not in "]), LISTS).map("".join),
)
CONDITIONS = st.recursive(COMPARISONS, _joined, max_leaves=5)
LIMIT_TERMS = st.one_of(SUMS, LENGTHS.map("-{}".format), SUMS.map("({})".format))
HEADS = st.one_of(
    DOTTED,
    NAMES,
    SUMS,
    CONDITIONS,
    st.tuples(NAMES, st.sampled_from([" breached", " undated 24h", " 80%", " paused", " started"])).map("".join),
)
ALTERNATIVES = st.one_of(HEADS, st.tuples(HEADS, CONDITIONS).map(" if ".join))
SENTENCES: dict[branches.Start, st.SearchStrategy[str]] = {
    "condition": CONDITIONS,
    "limit": st.lists(LIMIT_TERMS, min_size=1, max_size=3).map(" or ".join),
    "trigger": st.lists(ALTERNATIVES, min_size=1, max_size=3).map(" or ".join),
}
ANY_SENTENCE = st.one_of(*SENTENCES.values())


@given(STARTS, ANY_SENTENCE, GAPS)
@example("condition", "a or due_at or b", "")
@example("trigger", "a if b or ticket.closed if (c)", "")
@example("trigger", "((respond breached))", "")
@example("limit", "- 2h or -2h", "")
@example("limit", "((due_at) - 2h)", "")
def test_sentences_are_read_alike_from_every_start(start: branches.Start, text: str, gap: str) -> None:
    assert by_tables(start, gap + text + gap) == by_lark(start, gap + text + gap)


@given(st.data())
def test_hardly_a_sentence_needs_lark(data: st.DataObject) -> None:
    start: branches.Start = data.draw(STARTS)
    text = data.draw(SENTENCES[start].filter(lambda text: by_lark(start, text) is not None))
    assert by_tables(start, text) is not None


# --- what may be wrong ---------------------------------------------------------------------------------------

SCRAPS = "or and not in if == = ( ) [ ] , . - + % ' 并且 ， （ ） ： 10万 1_000 breached 24 h d 08:30"
PIECES = st.one_of(st.characters(), st.sampled_from([*SCRAPS.split(" "), '"', "\t"]))


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A sentence with something cut out of it, and something else there instead."""
    text: str = draw(ANY_SENTENCE)
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 4)))
        text = text[:begin] + draw(st.one_of(st.just(""), PIECES)) + text[end:]
    return text


@given(STARTS, mutated())
@example("condition", "loss_cny >=")
@example("limit", "5 parsecs")
@example("trigger", "ticket.closed or")
@example("condition", "")
def test_what_is_wrong_for_one_is_wrong_for_the_other(start: branches.Start, text: str) -> None:
    assert by_tables(start, text) == by_lark(start, text)


@given(STARTS, st.lists(st.one_of(ATOMS, PIECES), max_size=9).map(" ".join))
def test_any_words_are_read_alike(start: branches.Start, text: str) -> None:
    assert by_tables(start, text) == by_lark(start, text)


# --- what is shipped -----------------------------------------------------------------------------------------


def test_every_expression_of_the_shipped_rules_is_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[tuple[branches.Start, str]] = set()

    def noted(start: branches.Start, text: str) -> Branch | None:
        read.add((start, text))
        return branches.reader().read(start, text)

    monkeypatch.setattr("reeve.rulelang.parse._tree", noted)
    assert load_bundle(read_folder("rules")).bundle is not None
    assert {start for start, _ in read} == {"condition", "limit", "trigger"}
    for start, text in read:
        assert by_tables(start, text) == by_lark(start, text) is not None
