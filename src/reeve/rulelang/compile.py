"""One policy file to a Policy: names resolved, expressions parsed, every problem kept with its place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import partial

from reeve.domain import expressions as x
from reeve.domain.bundle import ClockRule, CountRule, GradeRule, Policy, StepRule
from reeve.domain.durations import Elapsed
from reeve.domain.events import FAMILIES
from reeve.rulelang.build import Names
from reeve.rulelang.compile_steps import StepCompiler
from reeve.rulelang.desk import Desk
from reeve.rulelang.files import ClockShape, CountShape, PolicyShape
from reeve.rulelang.known_names import ALL_FIELDS, COMPUTED, GRADE_ORDERS
from reeve.rulelang.parse import parse_length, parse_limit
from reeve.rulelang.problems import Choice, Problem, problem
from reeve.rulelang.yamltree import Document, Scalar, Sequence
from reeve.rulelang.yamltree import Mapping as MappingNode


@dataclass(frozen=True)
class PolicySource:
    """A policy file read as far as its shape; `doc` stands behind it for positions."""

    name: str
    shape: PolicyShape
    doc: Document
    digest: str


def policy_digest(data: bytes, vocabulary: Mapping[str, str]) -> str:
    """Version of one policy file: its text and the words it is read with."""
    words = "".join(f"\0{word}\0{name}" for word, name in sorted(vocabulary.items()))
    return hashlib.sha256(data + words.encode()).hexdigest()[:16]


def compile_policy(
    source: PolicySource, vocabulary: Mapping[str, str], locale: str
) -> tuple[Policy | None, list[Problem]]:
    """The policy, or None if it has errors; all its problems."""
    clocks = source.doc.node("clocks")
    written = clocks.values if isinstance(clocks, MappingNode) and clocks is not source.doc.root else {}
    names = Names(vocabulary, frozenset(written))
    desk = Desk(source.doc, names, locale)
    policy = _Compiler(desk, source).policy()
    if any(found.is_error for found in desk.problems):
        return None, desk.problems
    return policy, desk.problems


def _is_map(doc: Document, key: str, node: object) -> bool:
    return isinstance(doc.root, MappingNode) and key in doc.root.values and isinstance(node, MappingNode)


class _Compiler:
    def __init__(self, desk: Desk, source: PolicySource) -> None:
        self._desk = desk
        self._source = source
        self._shape = source.shape
        self._order: tuple[str, ...] = ()

    def policy(self) -> Policy:
        shape, desk = self._shape, self._desk
        if shape.takes not in FAMILIES:
            desk.report(("takes",), "unknown_family", found=shape.takes, choice=Choice(shape.takes, FAMILIES))
        if shape.policy is not None and shape.policy != self._source.name:
            file = self._source.doc.file
            desk.report(
                ("policy",), "name_differs", file=file, key="policy", found=shape.policy, right=self._source.name
            )
        counts = [count for name, rule in shape.counts.items() if (count := self._count(name, rule))]
        grades = self._grades()
        self._order = self._grade_order(grades)
        clocks = {name: clock for name, rule in shape.clocks.items() if (clock := self._clock(name, rule))}
        steps = self._steps()
        close = desk.trigger(shape.close, "close")
        when = desk.condition(shape.if_, "if")
        counts = [_with_thresholds(count, grades) for count in counts]
        grade_from = desk.names.vocabulary.get(shape.grades.fact, shape.grades.fact) if shape.grades.fact else None
        policy = Policy(
            name=self._source.name,
            family=shape.takes,
            digest=self._source.digest,
            when=when,
            grades=grades,
            grade_order=self._order,
            grade_from=grade_from,
            clocks=clocks,
            steps=steps,
            close=close,
            counts=tuple(counts),
            on_change=shape.on_change,
            on_reopen=shape.on_reopen,
            child_only=shape.opens == "child",
            title=desk.texts(shape.title),
            file=self._source.doc.file,
            grading_facts=_grading_facts(grades, grade_from),
        )
        return with_reads(policy)

    # --- counts and grades ---

    def _count(self, name: str, rule: CountShape) -> CountRule | None:
        desk = self._desk
        path = ("counts", name)
        if name in COMPUTED or name in ALL_FIELDS:
            desk.report(path, "reserved_name", on_key=True, found=name, what="a count")
        trigger = desk.trigger(rule.of, *path, "of")
        if trigger is not None and not all(isinstance(a, x.OnEvent) for a in trigger.alternatives):
            desk.report((*path, "of"), "count_of", found=rule.of)
        if rule.within is None:
            desk.report(path, "count_unbounded", on_key=True, count=name)
            return None
        within = desk.attempt(lambda: parse_length(rule.within or "", desk.doc.scalar(*path, "within")))
        if within is not None and not isinstance(within, Elapsed):
            desk.report((*path, "within"), "count_not_elapsed", found=rule.within)
            return None
        if trigger is None or within is None:
            return None
        same = tuple(desk.names.vocabulary.get(fact, fact) for fact in rule.same)
        distinct = desk.names.vocabulary.get(rule.distinct, rule.distinct) if rule.distinct else None
        return CountRule(name, trigger, same, distinct, within, (), desk.doc.at_key(*path))

    def _grades(self) -> tuple[GradeRule, ...]:
        desk = self._desk
        rules: list[GradeRule] = []
        for index, grade in enumerate(self._shape.grades.list):
            path = ("grades", index)
            if twin := next((rule for rule in rules if rule.grade == grade.grade), None):
                desk.report((*path, "grade"), "repeated_name", name=grade.grade, line=twin.pos.line)
            when = desk.condition(grade.if_, *path, "if")
            rules.append(GradeRule(grade.grade, when, desk.texts(grade.title), desk.doc.at(*path)))
        return tuple(rules)

    def _grade_order(self, grades: tuple[GradeRule, ...]) -> tuple[str, ...]:
        written = self._shape.grades.fact
        fact = self._desk.names.vocabulary.get(written, written) if written is not None else None
        if fact is None:
            return tuple(dict.fromkeys((*(rule.grade for rule in grades), *self._written_grades())))
        if fact in GRADE_ORDERS:
            return GRADE_ORDERS[fact]
        in_limits = (grade for clock in self._shape.clocks.values() for grade in clock.limit)
        order = tuple(dict.fromkeys(grade for grade in in_limits if grade not in ("", "default")))
        if not order:
            self._desk.report(("grades",), "grade_order_unknown", fact=fact)
        return order

    def _written_grades(self) -> Iterable[str]:
        """Grades whose item has a problem of shape: known all the same."""
        listed = self._desk.doc.node("grades")
        if isinstance(listed, Sequence):
            for item in listed.items:
                name = item.values.get("grade") if isinstance(item, MappingNode) else None
                if isinstance(name, Scalar):
                    yield name.text

    # --- clocks and steps ---

    def _clock(self, name: str, rule: ClockShape) -> ClockRule | None:
        desk = self._desk
        path = ("clocks", name)
        start = self._clock_trigger(rule.start, "start", *path, "start")
        stop = self._clock_trigger(rule.stop, "stop", *path, "stop")
        if stop is not None and name == "resolve":
            self._refuse_acknowledged(stop)
        pause_from = pause_to = None
        if rule.pause is not None:
            pause_from = self._clock_trigger(rule.pause.from_, "pause", *path, "pause", "from")
            pause_to = self._clock_trigger(rule.pause.to, "resume", *path, "pause", "to")
        limits = self._limits(name, rule)
        if start is None or stop is None:
            return None
        at = desk.doc.at_key(*path)
        return ClockRule(name, start, stop, limits, pause_from, pause_to, rule.restart, desk.texts(rule.title), at)

    def _clock_trigger(self, text: str, verb: str, *path: str | int) -> x.Trigger | None:
        trigger = self._desk.trigger(text, *path)
        if trigger is not None:
            for alternative in trigger.alternatives:
                if isinstance(alternative, x.OnShare | x.OnUndated | x.OnClockOffset | x.OnFact) or (
                    isinstance(alternative, x.OnClock) and alternative.clock == path[1]
                ):
                    self._desk.problems.append(problem(alternative.pos, "clock_trigger", verb=verb, found=text))
        return trigger

    def _refuse_acknowledged(self, stop: x.Trigger) -> None:
        for alternative in stop.alternatives:
            if isinstance(alternative, x.OnEvent) and alternative.type.endswith(".acknowledged"):
                self._desk.problems.append(problem(alternative.pos, "resolve_acknowledged", found=alternative.type))
            if isinstance(alternative, x.OnCase) and alternative.what == "acknowledged":
                self._desk.problems.append(problem(alternative.pos, "resolve_acknowledged", found="acknowledged"))

    def _limits(self, name: str, rule: ClockShape) -> dict[str, x.Limit]:
        desk = self._desk
        path = ("clocks", name, "limit")
        limits: dict[str, x.Limit] = {}
        for grade, text in rule.limit.items():
            place = (*path, grade) if grade else path
            known = grade in self._order or grade in ("", "default")
            if not known and not self._order:
                desk.report(place, "no_grades", on_key=True, found=grade)
            elif not known:
                desk.report(place, "unknown_grade", on_key=True, found=grade, choice=Choice(grade, self._order))
            limit = desk.attempt(partial(parse_limit, text, desk.doc.scalar(*place), desk.names))
            if limit is not None:
                self._refuse_circle(name, limit)
                limits["" if grade == "default" and grade not in self._order else grade] = limit
        given = {"" if grade == "default" else grade for grade in rule.limit}
        if "" not in given:
            for grade in self._order:
                if grade not in given:
                    desk.report(("clocks", name), "limit_missing", on_key=True, clock=name, grade=grade)
        return limits

    def _refuse_circle(self, name: str, limit: x.Limit) -> None:
        for term in limit.terms:
            if isinstance(term.base, x.ClockRef) and term.base.clock == name:
                self._desk.problems.append(problem(term.pos, "clock_needs_itself", clock=name))

    def _steps(self) -> tuple[StepRule, ...]:
        desk = self._desk
        compiler = StepCompiler(desk, self._order)
        steps: list[StepRule] = []
        for index, shape in enumerate(self._shape.steps):
            path = ("steps", index)
            if twin := next((step for step in steps if step.name == shape.name), None):
                desk.report((*path, "name"), "repeated_name", name=shape.name, line=twin.pos.line)
            if step := compiler.step(shape, path):
                steps.append(step)
        return tuple(steps)


# --- what a policy reads -------------------------------------------------------------------------------------


def _grading_facts(grades: tuple[GradeRule, ...], grade_from: str | None) -> frozenset[str]:
    facts = {fact for rule in grades if rule.when is not None for fact in x.facts_read(rule.when)}
    return frozenset(facts | ({grade_from} if grade_from else set()))


def _with_thresholds(count: CountRule, grades: tuple[GradeRule, ...]) -> CountRule:
    values: set[Decimal] = set()
    for rule in grades:
        for node in x.walk(rule.when) if rule.when is not None else ():
            values |= _turning_points(node, count.name)
    return CountRule(
        count.name, count.of, count.same, count.distinct, count.within, tuple(sorted(values)), count.pos
    )


_TURNED: dict[str, x.CompareOp] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""`5 < x` is `x > 5`."""


def _turning_points(node: x.Node, name: str) -> set[Decimal]:
    """Whole numbers at which a comparison with the count answers differently than one below."""
    match node:
        case x.Compare(op=op, left=x.Fact(name=fact), right=x.Literal(value=Decimal() as value)) if fact == name:
            pass
        case x.Compare(op=turned, left=x.Literal(value=Decimal() as value), right=x.Fact(name=fact)) if (
            fact == name
        ):
            op = _TURNED.get(turned, turned)
        case x.In(item=x.Fact(name=fact), options=options) if fact == name:
            values = {option.value for option in options if isinstance(option.value, Decimal)}
            return {point for value in values for point in (_reached(value), _passed(value))}
        case _:
            return set()
    reached = {_reached(value)} if op not in (">", "<=") else set()
    passed = {_passed(value)} if op not in (">=", "<") else set()
    return reached | passed


def _reached(value: Decimal) -> Decimal:
    """The first whole number that is not below the value."""
    return value.to_integral_value(ROUND_CEILING)


def _passed(value: Decimal) -> Decimal:
    """The first whole number above the value."""
    return value.to_integral_value(ROUND_FLOOR) + 1


def conditions_in(policy: Policy) -> Iterable[x.Condition]:
    """Every condition of a policy, wherever it stands."""
    if policy.when is not None:
        yield policy.when
    yield from (rule.when for rule in policy.grades if rule.when is not None)
    yield from (step.when for step in policy.steps if step.when is not None)
    for trigger in triggers_in(policy):
        yield from x.conditions_of(trigger)


def triggers_in(policy: Policy) -> Iterable[x.Trigger]:
    """Every trigger of a policy, wherever it stands."""
    for count in policy.counts:
        yield count.of
    for clock in policy.clocks.values():
        yield from (t for t in (clock.start, clock.stop, clock.pause_from, clock.pause_to) if t is not None)
    for step in policy.steps:
        yield step.on
        if step.until is not None:
            yield step.until
    if policy.close is not None:
        yield policy.close


def with_reads(policy: Policy) -> Policy:
    reads: set[str] = set()
    for condition in conditions_in(policy):
        reads |= x.facts_read(condition)
        reads |= {f"event.{name}" if name else "event" for name in x.event_fields_read(condition)}
    for clock in policy.clocks.values():
        for limit in clock.limits.values():
            reads |= {term.base.name for term in limit.terms if isinstance(term.base, x.Fact)}
    for trigger in triggers_in(policy):
        reads |= {a.fact for a in trigger.alternatives if isinstance(a, x.OnFact)}
    if policy.grade_from is not None:
        reads.add(policy.grade_from)
    object.__setattr__(policy, "reads", frozenset(reads))
    return policy
