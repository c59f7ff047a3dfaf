"""facts.yaml: the promises a site has written down, by id, and which rules say that they carry them.

A rule cites a fact in a comment (`# COMPLAINT-08`) on its own lines or right above them, a score by its `fact:`.
What the comments of a file list under `Facts:` is a table of contents, not a citation.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated
from typing import Literal as OneOf

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from reeve.rulelang.citations import FACT_ID, Citation
from reeve.rulelang.problems import Choice, Problem, closest, problem
from reeve.rulelang.shapes import Shape, Whole, Words
from reeve.rulelang.yamltree import Document

FactKind = OneOf["limit", "trigger", "schedule", "grade", "score", "manner"]

MANNER: FactKind = "manner"
"""How people behave: no program can see whether it is kept, so it has a reason instead of a rule."""


def _fact_id(value: str) -> str:
    if not re.fullmatch(FACT_ID, value):
        raise PydanticCustomError("bad_fact_id", "{found}", {"code": "bad_fact_id", "found": value[:40]})
    return value


FactId = Annotated[str, AfterValidator(_fact_id), WithJsonSchema({"type": "string", "pattern": f"^{FACT_ID}$"})]
"""Capital letters, a hyphen and a number: `COMPLAINT-08`."""


class FactShape(Shape):
    """One promise: what sort it is, what it says, and why there is no rule for it if there is none."""

    kind: FactKind
    text: Words
    reason: Words = Field(default={})


class FactsShape(Whole[dict[FactId, FactShape]]):
    """`facts.yaml`: fact id → what it promises."""


@dataclass(frozen=True)
class FactFile:
    """The catalogue as written, and where it stands."""

    facts: dict[str, FactShape]
    doc: Document


def read_facts(doc: Document, shape: FactsShape) -> tuple[FactFile, list[Problem]]:
    """The catalogue, and which entries lack a reason or have one too many."""
    problems = []
    for fact, entry in shape.root.items():
        if (entry.kind == MANNER) != bool(entry.reason):
            code = "fact_without_reason" if entry.kind == MANNER else "fact_needs_no_reason"
            problems.append(problem(doc.at_key(fact), code, fact=fact, kind=entry.kind))
    return FactFile(shape.root, doc), problems


def unknown_facts(facts: Collection[str], cited: Iterable[Citation]) -> Iterator[Problem]:
    """Citations of facts that the catalogue does not have. `UTF-8` and the like are no citations."""
    prefixes = {fact.partition("-")[0] for fact in facts}
    for citation in cited:
        prefix = citation.fact.partition("-")[0]
        if citation.fact in facts or (prefix not in prefixes and closest(prefix, prefixes) is None):
            continue
        choice = Choice(citation.fact, tuple(sorted(facts)))
        yield problem(citation.pos, "uncatalogued_fact", found=citation.fact, choice=choice)


def without_rule(facts: FactFile, cited: Iterable[Citation]) -> list[str]:
    """Facts that a rule could keep and none does, in the order of the catalogue."""
    carried = {citation.fact for citation in cited if citation.rule is not None}
    return [fact for fact, entry in facts.facts.items() if entry.kind != MANNER and fact not in carried]
