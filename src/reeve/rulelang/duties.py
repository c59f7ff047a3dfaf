"""duties.yaml and score.yaml: read and checked for shape; a later release runs them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

from reeve.domain.bundle import Policy
from reeve.rulelang.build import Names
from reeve.rulelang.compile_steps import StepCompiler
from reeve.rulelang.desk import Desk
from reeve.rulelang.files import DutiesShape, DutyShape, ScoreShape, ScoresShape
from reeve.rulelang.known_names import CLOCK_MOMENTS
from reeve.rulelang.parse import parse_limit
from reeve.rulelang.problems import Choice, Problem, problem
from reeve.rulelang.reading import read_shape
from reeve.rulelang.yamltree import Document

_MONTH = "january|february|march|april|may|june|july|august|september|october|november|december"
_DAY = "mon|tue|wed|thu|fri|sat|sun"
_AT = r"( at ([01]?\d|2[0-3]):[0-5]\d)?"
_EVERY = re.compile(
    rf"(day|week on ({_DAY})(, ?({_DAY}))*|month on ([1-9]|[12]\d|3[01])|({_MONTH})(, ?({_MONTH}))*"
    rf" on ([1-9]|[12]\d|3[01])|half year|year){_AT}( working days)?{_AT}"
)


@dataclass(frozen=True)
class DutyFile:
    """The duties as written, and where they stand."""

    duties: tuple[DutyShape, ...]
    doc: Document


@dataclass(frozen=True)
class ScoreFile:
    """The scores as written, and where they stand."""

    scores: tuple[ScoreShape, ...]
    doc: Document


def read_duties(doc: Document, locale: str) -> tuple[DutyFile | None, list[Problem]]:
    """The duties, and what is wrong with their shape."""
    shaped = read_shape(doc, DutiesShape)
    shape, doc, problems = shaped.model, shaped.doc, shaped.problems
    if shape is None:
        return None, problems
    desk = Desk(doc, Names(), locale, problems)
    seen: dict[str, int] = {}
    for index, duty in enumerate(shape.root):
        if (line := seen.setdefault(duty.duty, doc.at(index).line)) != doc.at(index).line:
            desk.report((index, "duty"), "repeated_name", name=duty.duty, line=line)
        if not _EVERY.fullmatch(re.sub(r"\s+", " ", duty.every.strip())):
            desk.report((index, "every"), "bad_every", found=duty.every[:60])
        if duty.limit is not None:
            desk.attempt(partial(parse_limit, duty.limit, doc.scalar(index, "limit")))
        if duty.late is not None:
            StepCompiler(desk, ()).rungs(duty.late, duty.message or duty.duty, (index, "late"))
        if duty.report is not None:
            desk.condition(duty.report.if_, index, "report", "if")
            desk.condition(duty.report.having, index, "report", "having")
    return DutyFile(tuple(shape.root), doc), problems


def read_scores(
    doc: Document, policies: Mapping[str, Policy], names: Collection[str]
) -> tuple[ScoreFile | None, list[Problem]]:
    """The scores, and what is wrong with their shape."""
    shaped = read_shape(doc, ScoresShape)
    shape, doc, problems = shaped.model, shaped.doc, shaped.problems
    if shape is None:
        return None, problems
    for index, score in enumerate(shape.root):
        match = re.fullmatch(r"(\w[\w-]*)\.(\w+) (\w+)", re.sub(r"\s+", " ", score.on.strip()))
        if match is None:
            desk = Desk(doc, Names(), "", problems)
            desk.trigger(score.on, index, "on")
            continue
        policy, clock, moment = match.groups()
        where = doc.at(index, "on")
        if policy not in names:
            choice = Choice(policy, tuple(sorted(names)))
            problems.append(problem(where, "unknown_policy", found=policy, choice=choice))
        elif policy in policies and clock not in policies[policy].clocks:
            choice = Choice(clock, tuple(policies[policy].clocks))
            problems.append(problem(where, "unknown_clock", found=clock, choice=choice))
        elif moment not in CLOCK_MOMENTS:
            choice = Choice(moment, CLOCK_MOMENTS)
            problems.append(problem(where, "unknown_moment", found=moment, choice=choice))
    return ScoreFile(tuple(shape.root), doc), problems
