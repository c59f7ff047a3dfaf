"""What makes a file no YAML, in plain words: full-width signs, what is never closed, what wants quotes."""

from __future__ import annotations

import re
from typing import Any

from reeve.domain.expressions import Position
from reeve.rulelang.problems import Problem, problem
from reeve.rulelang.yamltree import Source

_WIDE_COLON = re.compile(r"^\s*(?:- )?[\w.]+：")
_WIDE_BRACKET = re.compile(r"^\s*(?:- )?[\w.]+:\s*[【｛]")
_WIDE_BLANK = re.compile(r"^[ \t]*([^\S \t\n]|[\u200b\ufeff])\s*(?=\S)")
_WIDE_SIGNS = {"，": ",", "：": ":", "【": "[", "】": "]", "｛": "{", "｝": "}"}
_WIDE_SIGN = re.compile("|".join(['"[^"]*"', "'[^']*'", "#.*", *_WIDE_SIGNS]))


def wide_sign(source: Source, start: int, end: int) -> Problem | None:
    """The first full-width sign of YAML between two places that is neither in quotes nor in a comment."""
    for match in _WIDE_SIGN.finditer(source.text, start, end):
        if match[0] == "：":
            return problem(source.position(match.start()), "wide_colon")
        if match[0] in _WIDE_SIGNS:
            pos = source.position(match.start())
            return problem(pos, "wide_sign", found=match[0], right=_WIDE_SIGNS[match[0]])
    return None


def _wide_blank(file: str, number: int, line: str) -> Problem | None:
    """A blank that is no space before the first sign of a line: YAML stumbles over it there or on the next line."""
    if (blank := _WIDE_BLANK.match(line)) is None:
        return None
    return problem(Position(file, max(number, 1), blank.start(1) + 1), "wide_blank", char=f"U+{ord(blank[1]):04X}")


def syntax_problem(source: Source, error: Any) -> Problem:
    """What is wrong, in plain words, and where; `error` is ruamel.yaml's, or what its scanner stumbled over."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return problem(Position(source.file, 1, 1), "yaml_unreadable")
    index = min(mark.index, max(len(source.text) - 1, 0))
    pos = source.position(index)
    line = source.text.split("\n")[pos.line - 1]
    before = source.text.split("\n")[max(pos.line - 2, 0)]
    what = str(error.problem or "")
    if _WIDE_COLON.match(line) or _WIDE_COLON.match(before):
        wide = pos.line if _WIDE_COLON.match(line) else pos.line - 1
        return problem(Position(source.file, wide, 1), "wide_colon")
    if blank := _wide_blank(source.file, pos.line, line) or _wide_blank(source.file, pos.line - 1, before):
        return blank
    in_flow = "flow" in str(error.context or "") and error.context_mark is not None
    if in_flow or _WIDE_BRACKET.match(line):
        start = error.context_mark.index if in_flow else source.text.rfind("\n", 0, index) + 1
        end = source.text.find("\n", index)
        if sign := wide_sign(source, start, end if end >= 0 else len(source.text)):
            return sign
    if "end of stream" in what or "<stream end>" in what:
        opened = error.context_mark
        begun = source.position(opened.index) if opened is not None else pos
        return problem(begun, "never_closed", found=source.text[opened.index :][:1] if opened is not None else "")
    if in_flow:
        opened = error.context_mark.index
        return problem(
            pos, "flow_broken", found=source.text[opened : opened + 1], line=source.position(opened).line
        )
    if "cannot start any token" in what:
        found = source.text[index : index + 1]
        return problem(pos, "tab_inside") if found == "\t" else problem(pos, "needs_quotes", found=found)
    if "mapping values are not allowed" in what:
        return problem(pos, "stray_colon")
    if "unknown escape" in what:
        return problem(pos, "bad_escape", found=source.text[index : index + 1])
    return problem(pos, "yaml_indent", line=line.strip()[:60])
