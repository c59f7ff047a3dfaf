"""What compiling a rule file needs at hand: its document, the names in it, and a place for its problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from reeve.domain import expressions as x
from reeve.domain.bundle import Texts
from reeve.rulelang.build import Names
from reeve.rulelang.parse import parse_condition, parse_trigger
from reeve.rulelang.problems import BadRule, Particular, Problem, problem
from reeve.rulelang.yamltree import Document

Parsed = TypeVar("Parsed")
Path = tuple[str | int, ...]


@dataclass
class Desk:
    """What compiling one file needs at hand: the document, the names, and a place for problems."""

    doc: Document
    names: Names
    locale: str
    problems: list[Problem] = field(default_factory=list)

    def report(self, path: Path, code: str, on_key: bool = False, **particulars: Particular) -> None:
        pos = self.doc.at_key(*path) if on_key else self.doc.at(*path)
        self.problems.append(problem(pos, code, **particulars))

    def attempt(self, read: Callable[[], Parsed]) -> Parsed | None:
        try:
            return read()
        except BadRule as bad:
            self.problems.append(bad.problem)
            return None

    def condition(self, text: str | None, *path: str | int) -> x.Condition | None:
        if text is None:
            return None
        return self.attempt(lambda: parse_condition(text, self.doc.scalar(*path), self.names))

    def trigger(self, text: str | None, *path: str | int) -> x.Trigger | None:
        if text is None:
            return None
        return self.attempt(lambda: parse_trigger(text, self.doc.scalar(*path), self.names))

    def texts(self, words: Mapping[str, str]) -> Texts:
        return {lang or self.locale: text for lang, text in words.items()}
