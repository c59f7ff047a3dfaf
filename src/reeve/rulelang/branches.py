"""An expression's text to branches and words that know where they stand, by the tables of `grammar.lark`.

lark takes five times as long for it, and as long again to be loaded. So it has only the last word: what is wrong
here, which this reader can't say, lark reads once more (`explain`). A test holds the two together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Literal as OneOf
from typing import TypedDict

Start = OneOf["condition", "limit", "trigger"]
TABLES = "branch_tables.json"
"""Written by `python -m reeve.rulelang.grammar`."""
_END = "$END"


class Word(str):
    """One word as written; `start` and `end` are the places of its characters in the text."""

    __slots__ = ("end", "start")

    start: int
    end: int


class Branch:
    """One form of the grammar by its name there, and what it is made of."""

    __slots__ = ("children", "data", "end", "outer_end", "outer_start", "start")

    def __init__(self, data: str, children: list[Branch | Word], start: int, end: int) -> None:
        self.data = data
        self.children = children
        self.start = start
        """The place of its first character, though that be of a sign which is no child."""
        self.end = end
        self.outer_start = start
        """As `start`, with the signs that were around it: what it is part of begins there."""
        self.outer_end = end


class Rule(TypedDict):
    """One way of making a branch of what stands at the end."""

    origin: str
    """What the grammar calls it; the next state depends on that."""
    data: str
    size: int
    kept: list[tuple[int, bool]] | None
    """Which parts are children, and whether only their children are; None: all parts."""
    alone: bool
    """Whether a single child stands for it."""


class Kept(TypedDict):
    """The tables, as JSON has them."""

    made_with: str
    """The grammar and the lark of which they are."""
    kinds: list[tuple[str, str]]
    """Kinds of words and their patterns; of those that fit and may stand in a place, the first counts."""
    between: str
    states: list[dict[str, int]]
    """Kind or origin → the next state; below zero, -1 - the rule that ends before a word of that kind."""
    rules: list[Rule]
    begin: dict[Start, int]
    end: dict[Start, int]


class Reader:
    """Reads by tables; never changed."""

    def __init__(self, kept: Kept) -> None:
        self._kinds = kept["kinds"]
        self._any = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in self._kinds))
        self._between = kept["between"]
        self._states: Sequence[Mapping[str, int]] = kept["states"]
        self._rules = kept["rules"]
        self._begin = kept["begin"]
        self._last = kept["end"]

    def read(self, start: Start, text: str) -> Branch | None:
        """The branch that a text is; None where it is none."""
        states, parts = [self._begin[start]], list[Branch | Word]()
        at, last = 0, self._last[start]
        while True:
            word, kind = None, _END
            if at < len(text):
                found = self._word(text, at, self._states[states[-1]])
                if found is None:
                    return None
                kind = str(found.lastgroup)
                if kind == self._between:
                    at = found.end()
                    continue
                word = Word(found[0])
                word.start, word.end = at, found.end()
                at = word.end
            while (action := self._states[states[-1]].get(kind)) is not None and action < 0:
                self._make(self._rules[-1 - action], states, parts)
                if word is None and states[-1] == last:
                    whole = parts[-1]
                    return whole if isinstance(whole, Branch) else None
            if action is None or word is None:
                return None
            states.append(action)
            parts.append(word)

    def _word(self, text: str, at: int, allowed: Mapping[str, int]) -> re.Match[str] | None:
        found = self._any.match(text, at)
        if found is None or found.lastgroup in allowed or found.lastgroup == self._between:
            return found
        for kind, pattern in self._kinds:
            if kind in allowed and (other := re.compile(f"(?P<{kind}>{pattern})").match(text, at)):
                return other
        return None

    def _make(self, rule: Rule, states: list[int], parts: list[Branch | Word]) -> None:
        """Puts one branch in the place of its parts."""
        own = parts[-rule["size"] :]
        del parts[-rule["size"] :], states[-rule["size"] :]
        first, last = own[0], own[-1]
        start = first.outer_start if isinstance(first, Branch) else first.start
        end = last.outer_end if isinstance(last, Branch) else last.end
        children = own if rule["kept"] is None else _children(own, rule["kept"])
        made: Branch | Word
        if rule["alone"] and len(children) == 1:
            made = children[0]
            if isinstance(made, Branch):
                made.outer_start, made.outer_end = start, end
        else:
            made = Branch(rule["data"], children, start, end)
        parts.append(made)
        states.append(self._states[states[-1]][rule["origin"]])


def _children(parts: list[Branch | Word], kept: list[tuple[int, bool]]) -> list[Branch | Word]:
    children: list[Branch | Word] = []
    for index, opened in kept:
        part = parts[index]
        if opened and isinstance(part, Branch):
            children.extend(part.children)
        else:
            children.append(part)
    return children


@cache
def reader() -> Reader:
    """The reader of conditions, limits and triggers."""
    return Reader(json.loads(resources.files("reeve.rulelang").joinpath(TABLES).read_text(encoding="utf-8")))
