"""Where the files of a bundle cite facts, and which rule each citation stands at.

YAML readers drop comments, so the lines are read once more: a comment belongs to the rule that begins on its line,
else to the rule its line is part of; lines of comment alone belong to the rule of the next line, if no empty line
is between, else to the file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal as OneOf

from reeve.domain.expressions import Position
from reeve.rulelang.layout import Layout
from reeve.rulelang.problems import BadRule
from reeve.rulelang.yamlfile import kept_yaml
from reeve.rulelang.yamltree import Document, Node, Scalar, Sequence
from reeve.rulelang.yamltree import Mapping as MappingNode

FACT_ID = r"[A-Z]{2,12}-\d{1,3}"
_ID = re.compile(r"[A-Z][A-Z]{1,11}-\d{1,3}(?![\w-])", re.ASCII)
_BEFORE = re.compile(r"[\w-]", re.ASCII)
"""What stands right before no id; looked at afterwards. `_ID` is FACT_ID so that a search for it is quick: that
begins with one set of letters, and neither repeats nor looks back."""
_CONTENTS = re.compile(r"\bFacts?:.*")

What = OneOf["policy", "grade", "count", "clock", "step", "duty", "score", "setting"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, or a file as a whole, that can cite facts."""

    what: What
    name: str
    """`complaint` for the file, `complaint.resolve` for a clock, `ledger_check` for a duty, `site.calendar`."""
    pos: Position


@dataclass(frozen=True, slots=True)
class Citation:
    """One mention of a fact in a comment, or in the `fact:` of a score."""

    fact: str
    pos: Position
    rule: Rule | None
    """None: it stands in messages or scenarios, which carry nothing, or in a table of contents."""


def find_citations(files: Mapping[str, bytes], layout: Layout) -> tuple[Citation, ...]:
    """Every citation in every file of a bundle that can be read, in the order of files and lines. Pure."""
    found: list[Citation] = []
    for path in sorted(set(layout.read)):
        try:
            doc = kept_yaml(path, files[path])
        except BadRule:
            continue  # said by whoever reads the file for its rules
        if _ID.search(doc.root.source.text) is not None:
            found.extend(_in_file(doc, _rules(doc, layout)))
    return tuple(found)


def _ids(text: str, start: int = 0) -> Iterator[re.Match[str]]:
    """The ids of facts in a text, from a place on."""
    for match in _ID.finditer(text, start):
        if match.start() == 0 or not _BEFORE.match(text, match.start() - 1):
            yield match


def _in_file(doc: Document, rules: list[Rule]) -> Iterator[Citation]:
    lines = doc.root.source.text.split("\n")
    # Messages and scenarios carry nothing, and there are many of them: a `#` in their texts is not looked into.
    lines_of_text = _texts_with_number_signs(doc) if rules else {}
    starts = [rule.pos.line for rule in rules]
    scores = {(rule.pos.line): rule for rule in rules if rule.what == "score"}
    source = doc.root.source
    for number in sorted({source.position(match.start()).line for match in _ids(source.text)}):
        line = lines[number - 1]
        comment = _comment(line, lines_of_text.get(number, ()))
        contents = _CONTENTS.search(line, comment) if "Fact" in line else None
        for match in _ids(line, comment):
            listed = contents is not None and match.start() > contents.start()
            rule = None if listed or not rules else _rule_of(rules, starts, lines, number, comment)
            yield Citation(match[0], Position(doc.file, number, match.start() + 1), rule)
    if scores and isinstance(doc.root, Sequence):
        for item in doc.root.items:
            fact = item.values.get("fact") if isinstance(item, MappingNode) else None
            if isinstance(fact, Scalar) and _ID.fullmatch(fact.text):
                yield Citation(fact.text, fact.pos, scores.get(item.pos.line))


def _comment(line: str, texts: tuple[tuple[int, int], ...]) -> int:
    """Where a line's comment begins; its length if it has none. `texts` are the stretches inside quotes."""
    at = line.find("#")
    while at >= 0:
        begins = at == 0 or line[at - 1].isspace()
        if begins and not any(begin <= at < end for begin, end in texts):
            return at
        at = line.find("#", at + 1)
    return len(line)


def _rule_of(rules: list[Rule], starts: list[int], lines: list[str], number: int, comment: int) -> Rule:
    if not lines[number - 1][:comment].strip():
        below = [line.strip() for line in lines[number:]]
        number += 1 + next((n for n, text in enumerate(below) if not text.startswith("#")), len(below))
        if number > len(lines) or not lines[number - 1].strip():
            return rules[0]
    at = bisect_right(starts, number) - 1
    while at > 1 and starts[at - 1] == starts[at] == number:  # the first is the file itself
        at -= 1
    return rules[max(at, 0)]


# --- what can cite ---------------------------------------------------------------------------------------------


def _rules(doc: Document, layout: Layout) -> list[Rule]:
    """The rules of a file in the order of their lines, the file itself first; none for other files."""
    path, stem = doc.file, PurePosixPath(doc.file).stem
    whole = Position(path, 1, 1)
    if path in layout.policies:
        found = [Rule("policy", stem, whole), *_of_policy(doc, stem)]
    elif path == layout.duties:
        found = [Rule("policy", "duty", whole), *_of_list(doc, doc.root, "duty", "duty", "")]
    elif path == layout.score:
        found = [Rule("policy", "score", whole), *_of_list(doc, doc.root, "score", "on", "")]
    elif path == layout.site or path in layout.sites.values():
        found = [Rule("setting", stem, whole)]
        found += [Rule("setting", f"{stem}.{key}", node.pos) for key, node in _keys(doc.root)]
    else:
        return []
    return sorted(found, key=lambda rule: (rule.pos.line, rule.pos.column))


def _of_policy(doc: Document, policy: str) -> Iterator[Rule]:
    before = f"{policy}."
    for key, node in _keys(doc.root):
        below = doc.node(key)
        if key in ("policy", "title", "takes"):
            continue
        yield Rule("policy", before + key, node.pos)
        if key in ("counts", "clocks"):
            what: What = "count" if key == "counts" else "clock"
            yield from (Rule(what, before + name, at.pos) for name, at in _keys(below))
        elif key == "grades":
            yield from _of_list(doc, below, "grade", "grade", before)
        elif key == "steps":
            yield from _of_list(doc, below, "step", "name", before)


def _of_list(doc: Document, node: Node, what: What, named: str, before: str) -> Iterator[Rule]:
    if isinstance(node, Sequence):
        for item in node.items:
            name = item.values.get(named) if isinstance(item, MappingNode) else None
            yield Rule(what, before + (name.text if isinstance(name, Scalar) else "?"), item.pos)


def _keys(node: Node) -> list[tuple[str, Scalar]]:
    return list(node.keys.items()) if isinstance(node, MappingNode) else []


# --- what only looks like a comment ----------------------------------------------------------------------------


def _texts_with_number_signs(doc: Document) -> dict[int, tuple[tuple[int, int], ...]]:
    """Line → the stretches of it that are inside a quoted text or a block, where `#` means itself."""
    found: dict[int, tuple[tuple[int, int], ...]] = {}
    lines = doc.root.source.text.split("\n")
    for scalar in _scalars(doc.root):
        if not scalar.style or "#" not in scalar.text:
            continue
        first, end = scalar.pos, scalar.source.position(scalar.end)
        if scalar.style in ("|", ">"):
            indent = _indent(lines[first.line - 1])
            for number in range(first.line + 1, len(lines) + 1):
                line = lines[number - 1]
                if line.strip() and _indent(line) <= indent:
                    break
                found[number] = ((0, len(line)),)
            continue
        for number in range(first.line, end.line + 1):
            begin = first.column - 1 if number == first.line else 0
            stop = end.column - 1 if number == end.line else len(lines[number - 1])
            found[number] = (*found.get(number, ()), (begin, stop))
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _scalars(root: Node) -> Iterator[Scalar]:
    """Every value, in the order written."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar):
            yield node
        else:
            inner = node.items if isinstance(node, Sequence) else list(node.values.values())
            waiting.extend(reversed(inner))
