"""duties.yaml to the duties of a bundle, and to the one policy `duty` that their cases run on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from reeve.domain import expressions as x
from reeve.domain.bundle import ClockRule, Level, Policy, StepRule
from reeve.domain.duties import DUTY, POLICY
from reeve.domain.schedules import Duty, Report
from reeve.rulelang.build import Names
from reeve.rulelang.compile import with_reads
from reeve.rulelang.compile_steps import StepCompiler
from reeve.rulelang.desk import Desk
from reeve.rulelang.files import DutiesShape, DutyShape, ReportShape
from reeve.rulelang.parse import parse_limit
from reeve.rulelang.problems import Choice, Problem
from reeve.rulelang.reading import read_shape
from reeve.rulelang.schedules import parse_schedule
from reeve.rulelang.yamltree import Document

FAMILY = "ticket"
"""Evidence of a duty is posted as ticket events."""
REPORT_NAMES = ("case", "policy", "grade", "grade_was", "site", "owed_cny", "state", "outcome", "breached", "count")
"""What a report knows of each case besides its facts; `breached` lists clocks, `count` is a row's own."""


@dataclass(frozen=True)
class DutyFile:
    """The duties, their policy, and where they stand."""

    duties: Mapping[str, Duty]
    policy: Policy | None
    """None: there is not one duty that can be used."""
    doc: Document
    messages: frozenset[str] = frozenset()
    """Messages that duties send: they may use `report`."""


@dataclass
class _Parts:
    """What the duties contribute to their policy."""

    duties: dict[str, Duty] = field(default_factory=dict)
    clocks: dict[str, ClockRule] = field(default_factory=dict)
    steps: list[StepRule] = field(default_factory=list)
    endless: list[x.OnCase] = field(default_factory=list)
    """Openings after which nothing is expected: the case closes at once."""
    messages: set[str] = field(default_factory=set)


def read_duties(
    doc: Document, digest: str, vocabulary: Mapping[str, str], locale: str
) -> tuple[DutyFile | None, list[Problem]]:
    """The duties, and what is wrong with them. `digest` is the version of the file."""
    shaped = read_shape(doc, DutiesShape)
    shape, doc, problems = shaped.model, shaped.doc, shaped.problems
    if shape is None:
        return None, problems
    names = Names(vocabulary, frozenset(duty.duty for duty in shape.root))
    desk = Desk(doc, names, locale, problems)
    parts = _Parts()
    for index, duty in enumerate(shape.root):
        _Compiler(desk, index, duty, parts).compile()
    policy = _policy(parts, digest, doc) if parts.duties else None
    return DutyFile(parts.duties, policy, doc, frozenset(parts.messages)), problems


def _policy(parts: _Parts, digest: str, doc: Document) -> Policy:
    ended = [x.OnEvent(f"{FAMILY}.{verb}") for verb in ("resolved", "closed", "cancelled")]
    policy = Policy(
        name=POLICY,
        family=FAMILY,
        digest=digest,
        when=None,
        grades=(),
        grade_order=(),
        grade_from=None,
        clocks=parts.clocks,
        steps=tuple(parts.steps),
        close=x.Trigger((*ended, *parts.endless)),
        on_change="adopt",
        child_only=True,
        title={"en": "Recurring duty", "zh": "例行职责"},
        file=doc.file,
    )
    return with_reads(policy)


class _Compiler:
    """Compiles one duty."""

    def __init__(self, desk: Desk, index: int, shape: DutyShape, parts: _Parts) -> None:
        self._desk = desk
        self._index = index
        self._shape = shape
        self._parts = parts
        self._pos = desk.doc.at(index)
        self._is_this = x.Compare("==", x.Fact(DUTY, self._pos), x.Literal(shape.duty, self._pos), self._pos)

    def compile(self) -> None:
        """Its clock, its steps and itself are among the parts."""
        desk, shape, parts = self._desk, self._shape, self._parts
        if (twin := parts.duties.get(shape.duty)) is not None:
            desk.report((self._index, "duty"), "repeated_name", name=shape.duty, line=twin.pos.line)
            return
        schedule = parse_schedule(shape.every)
        if schedule is None:
            desk.report((self._index, "every"), "bad_every", found=shape.every[:60])
            return
        opened = x.OnCase("opened", self._is_this, self._pos)
        message = shape.message or shape.duty
        parts.messages.add(message)
        told = Level(notify=tuple(shape.who), via=tuple(shape.via), message=message, pos=self._pos)
        any_hour = shape.quiet == "ignore"
        parts.steps.append(
            StepRule(shape.duty, x.Trigger((opened,)), (told,), ack_ends=False, any_hour=any_hour, pos=self._pos)
        )
        if shape.limit is not None:
            self._limited(opened, message)
        else:
            parts.endless.append(opened)
            if shape.late is not None:
                desk.report((self._index, "late"), "late_without_limit", on_key=True, duty=shape.duty)
        parts.duties[shape.duty] = Duty(
            name=shape.duty,
            schedule=schedule,
            sites=tuple(shape.sites),
            by_rota=tuple(shape.who) if shape.unless == "rota" else (),
            sample=shape.sample if shape.report is None else None,
            report=self._report(shape.report) if shape.report is not None else None,
            title=desk.texts(shape.title),
            pos=self._pos,
        )

    def _limited(self, opened: x.OnCase, message: str) -> None:
        desk, shape, parts = self._desk, self._shape, self._parts
        written = desk.doc.scalar(self._index, "limit")
        limit = desk.attempt(partial(parse_limit, shape.limit or "", written, desk.names))
        if limit is None:
            return
        done = x.Trigger((x.OnEvent(f"{FAMILY}.resolved", None, self._pos),))
        parts.clocks[shape.duty] = ClockRule(
            shape.duty, x.Trigger((opened,)), done, {"": limit}, title=desk.texts(shape.title), pos=self._pos
        )
        if shape.late is None:
            return
        compiler = StepCompiler(desk, ())
        levels = compiler.rungs(shape.late, f"{message}_late", (self._index, "late"))
        late = x.Trigger((x.OnClock(shape.duty, "breached", None, desk.doc.at(self._index, "late")),))
        parts.messages.update(level.message for level in levels)
        parts.steps.append(
            StepRule(
                f"{shape.duty}_late",
                late,
                tuple(levels),
                any_hour=shape.quiet == "ignore",
                pos=desk.doc.at(self._index, "late"),
            )
        )

    def _report(self, shape: ReportShape) -> Report:
        desk = self._desk
        path = (self._index, "report")
        words = desk.names.vocabulary
        return Report(
            cases=tuple(shape.cases),
            period=shape.period,
            by=tuple(words.get(name, name) for name in shape.by),
            when=desk.condition(shape.if_, *path, "if"),
            having=desk.condition(shape.having, *path, "having"),
            sum=tuple(words.get(name, name) for name in shape.sum),
            sample=shape.sample or self._shape.sample,
        )


def check_reports(file: DutyFile, policies: Iterable[str]) -> list[Problem]:
    """Reports about policies that there are none of."""
    desk = Desk(file.doc, Names(), "")
    known = tuple(sorted({*policies, POLICY}))
    for index, duty in enumerate(file.duties.values()):
        for number, name in enumerate(duty.report.cases if duty.report else ()):
            if name not in known:
                at = (index, "report", "cases", number)
                desk.report(at, "unknown_policy", found=name, choice=Choice(name, known))
    return desk.problems
