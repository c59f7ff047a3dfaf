"""What is wrong with a rule file: where, how bad, in plain words of the operator's language, and what to write.

A problem holds a code and its particulars; the words are in `problem_texts`, English and Chinese.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal as OneOf

from reeve.domain.expressions import Position
from reeve.rulelang.problem_texts import TEXTS, WORDS

Severity = OneOf["error", "warning"]

LIKE_ENOUGH = 70.0
"""RapidFuzz ratio (0 to 100) from which one word is offered for another."""
LIKE_ENOUGH_IN_CHINESE = 50.0
"""Chinese words have two or three letters: one slip is half of the word."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The words that would be right instead of `found`; `best` is the one most like it, if any is."""

    found: str
    allowed: tuple[str, ...]

    @property
    def best(self) -> str | None:
        return closest(self.found, self.allowed)

    def text(self, lang: str) -> str:
        words = WORDS[lang]
        if self.best is not None:
            return words["did_you_mean"].format(best=self.best)
        if not self.allowed:
            return words["nothing_allowed"]
        shown = self.allowed[:12]
        more = words["and_more"] if len(self.allowed) > len(shown) else ""
        return words["allowed"].format(allowed=words["comma"].join(shown)) + more


@dataclass(frozen=True, slots=True)
class Hint:
    """A phrase of `problem_texts.WORDS` as a particular, for what differs within one code."""

    phrase: str
    with_: str = ""

    def text(self, lang: str) -> str:
        return WORDS[lang][self.phrase].format(x=self.with_)


Particular = str | int | Choice | Hint


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in one file. Line and column count from 1; 0 where the file as a whole is meant."""

    file: str
    line: int
    column: int
    code: str
    """Stable, for tools: `unknown_key`."""
    particulars: Mapping[str, Particular] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        return TEXTS[self.code].severity

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    @property
    def message(self) -> str:
        """What is wrong, in English."""
        return self.say("en")[0]

    @property
    def mend(self) -> str:
        """What to write instead, in English."""
        return self.say("en")[1]

    def say(self, lang: str) -> tuple[str, str]:
        """What is wrong, and what to write instead; `zh` in Chinese, any other language in English."""
        lang = language(lang)
        words = {
            name: value.text(lang) if isinstance(value, Choice | Hint) else str(value)
            for name, value in self.particulars.items()
        }
        texts = TEXTS[self.code]
        message, mend = (texts.zh, texts.zh_mend) if lang == "zh" else (texts.en, texts.en_mend)
        return message.format_map(words), mend.format_map(words)

    def render(self, lang: str = "en") -> str:
        """`complaint.yaml:14:9: error: … → …`, one line."""
        message, mend = self.say(lang)
        severity = WORDS[language(lang)][self.severity]
        return f"{self.file}:{self.line}:{self.column}: {severity}: {message}" + (f" → {mend}" if mend else "")

    def as_json(self, lang: str = "en") -> dict[str, str | int]:
        """The same for `--json`."""
        message, mend = self.say(lang)
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "severity": self.severity,
            "code": self.code,
            "message": message,
            "mend": mend,
        }


class BadRule(Exception):
    """Raised inside `rulelang` where one expression can't be read further; carries its problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.render())
        self.problem = problem


def language(lang: str) -> str:
    """The language problems can be said in that is nearest to `lang`: `zh-CN` is `zh`."""
    return "zh" if lang.lower().startswith("zh") else "en"


def problem(pos: Position, code: str, **particulars: Particular) -> Problem:
    """A problem at a position; the code must be in the table of texts."""
    return Problem(pos.file, pos.line, pos.column, code, particulars)


def closest(found: str, allowed: Iterable[str]) -> str | None:
    """The allowed word most like the one found, if one is like it at all."""
    # Loaded when a word is wrong: it takes longer than most of a check that finds nothing.
    from rapidfuzz import fuzz, process

    choices = [word for word in allowed if word != found]
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in found)
    enough = LIKE_ENOUGH_IN_CHINESE if chinese else LIKE_ENOUGH
    hit = process.extractOne(found, choices, scorer=fuzz.ratio, processor=str.casefold, score_cutoff=enough)
    return hit[0] if hit else None


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once, by file, line and column."""
    seen: dict[tuple[str, int, int, str, str], Problem] = {}
    for found in problems:
        seen.setdefault((found.file, found.line, found.column, found.code, found.message), found)
    return tuple(sorted(seen.values(), key=lambda p: (p.file, p.line, p.column, p.code)))
