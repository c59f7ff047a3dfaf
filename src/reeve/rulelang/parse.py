"""Conditions, limits and triggers from text: one grammar (`grammar.lark`), positions kept.

Raises BadRule with one problem: where it is, what was found, what would be right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from reeve.domain.durations import Duration
from reeve.domain.expressions import Condition, Limit, Position, Trigger
from reeve.rulelang.branches import Branch, Start, reader
from reeve.rulelang.build import Names, Place
from reeve.rulelang.build_triggers import TriggerBuilder
from reeve.rulelang.normalise import normalise
from reeve.rulelang.problems import BadRule, problem

MAX_LENGTH = 4000
"""Characters; a longer expression is refused unread."""
MAX_NESTING = 60
"""Brackets and `not`s in one expression."""


@dataclass(frozen=True, slots=True)
class Inline:
    """A text that stands on one line of a file, or in no file at all."""

    file: str = ""
    line: int = 1
    column: int = 1

    def position(self, offset: int) -> Position:
        return Position(self.file, self.line, self.column + offset)


NOT_IN_A_FILE = Inline()
NO_NAMES = Names()


def parse_condition(text: str, place: Place = NOT_IN_A_FILE, names: Names = NO_NAMES) -> Condition:
    """The condition a text means: `loss_cny >= 10000 or injury == "serious"`."""
    tree, builder = _read("condition", text, place, names)
    return builder.condition(_only(tree))


def parse_limit(text: str, place: Place = NOT_IN_A_FILE, names: Names = NO_NAMES) -> Limit:
    """The limit a text means: `due_at or 5d`, `starts_at - 24h`, `resolve - 2h` where `resolve` is a clock."""
    tree, builder = _read("limit", text, place, names)
    return builder.limit(tree, text)


def parse_trigger(text: str, place: Place = NOT_IN_A_FILE, names: Names = NO_NAMES) -> Trigger:
    """The trigger a text means: `ticket.closed or ticket.followed_up if event.satisfaction == "satisfied"`."""
    tree, builder = _read("trigger", text, place, names)
    return builder.trigger(tree, text)


def parse_length(text: str, place: Place = NOT_IN_A_FILE) -> Duration:
    """The length of time a text means: `5m`, `2 working days`, `11 months`."""
    limit = parse_limit(text, place)
    term = limit.terms[0]
    if len(limit.terms) > 1 or term.base is not None or term.by is None:
        raise BadRule(problem(place.position(0), "not_a_length", found=text))
    return term.by


def _read(start: Start, text: str, place: Place, names: Names) -> tuple[Branch, TriggerBuilder]:
    if not text.strip():
        raise BadRule(problem(place.position(0), f"empty_{start}"))
    if len(text) > MAX_LENGTH:
        raise BadRule(problem(place.position(0), "expression_too_long", length=len(text), most=MAX_LENGTH))
    normal = normalise(text)
    if normal.text.count("(") + len(_NOT.findall(normal.text)) > MAX_NESTING:
        raise BadRule(problem(place.position(0), "nested_too_deep", most=MAX_NESTING))
    tree = _tree(start, normal.text)
    if tree is None:
        from reeve.rulelang.explain import read_or_explain

        tree = read_or_explain(start, normal, place, names)
    return tree, TriggerBuilder(normal, place, names)


_NOT = re.compile(r"\bnot\b")


@lru_cache(maxsize=2048)
def _tree(start: Start, text: str) -> Branch | None:
    """Kept, as policies say the same again and again; nothing changes a tree."""
    return reader().read(start, text)


def _only(tree: Branch) -> Branch:
    child = tree.children[0]
    assert isinstance(child, Branch)  # noqa: S101 -- the grammar gives every start rule a branch inside
    return child
