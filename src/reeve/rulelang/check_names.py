"""Facts that no event carries, kinds that never agree, values that never occur, names that can't stand there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from reeve.domain import expressions as x
from reeve.domain.bundle import Policy
from reeve.rulelang.compile import triggers_in
from reeve.rulelang.known_names import (
    ALL_EVENT_TYPES,
    ALL_FIELDS,
    COMPUTED,
    FIELD_KINDS,
    FIELD_VALUES,
    Kind,
    kind_of,
)
from reeve.rulelang.problems import Choice, Hint, Problem, closest, problem
from reeve.rulelang.regions import Cases
from reeve.rulelang.show import show_constant, spoken
from reeve.rulelang.value_cells import Facts


@dataclass(frozen=True)
class Use:
    """A condition and where it stands."""

    condition: x.Condition
    steps_or_close: bool
    """Where `open_for` may be asked for."""
    without_event: str = ""
    """The moment it is looked at, where that is no event."""


def uses_in(policy: Policy) -> Iterator[Use]:
    """Every condition of a policy with what is at hand there."""
    for when in (policy.when, *(rule.when for rule in policy.grades)):
        if when is not None:
            yield Use(when, False)
    for step in policy.steps:
        moments = [_moment(alternative) for alternative in step.on.alternatives]
        if step.when is not None:
            yield Use(step.when, True, step.on.text if all(moments) else "")
    late = {id(step.on) for step in policy.steps} | {id(step.until) for step in policy.steps} | {id(policy.close)}
    for trigger in triggers_in(policy):
        for alternative in trigger.alternatives:
            if alternative.when is not None:
                yield Use(alternative.when, id(trigger) in late, _moment(alternative))


def _moment(alternative: x.Alternative) -> str:
    match alternative:
        case x.OnClock(clock=clock, what="breached"):
            return f"{clock} breached"
        case x.OnShare(clock=clock, percent=percent):
            return f"{clock} {percent}%"
        case x.OnUndated(clock=clock):
            return f"{clock} undated"
        case x.OnClockOffset(clock=name) | x.OnFact(fact=name):
            return name
    return ""


Words = Mapping[str, str]
"""The words of the vocabulary that the file in hand uses → the names they stand for."""


def check_names(policy: Policy, words: Words) -> Iterator[Problem]:
    """Everything wrong with the names and values in one policy's conditions, in the words that its file uses."""
    counts = frozenset(count.name for count in policy.counts)
    facts = Facts.of(policy)
    of_grades = frozenset(rule.when.pos for rule in policy.grades if rule.when is not None)
    for use in uses_in(policy):
        may_clash = isinstance(use.condition, x.And | x.Or | x.Not | x.Compare | x.IsTrue)
        if may_clash and use.condition.pos not in of_grades and _never(facts, use.condition):
            yield problem(use.condition.pos, "contradiction")
        for node in x.walk(use.condition):
            yield from _stands_right(use, node, counts)
            yield from _Comparisons(policy, counts, words).problems(node)
    yield from _steps_that_never_act(policy, facts)
    for count in policy.counts:
        for name in (*count.same, *((count.distinct,) if count.distinct else ())):
            if name in COMPUTED or name in counts:
                yield problem(count.pos, "reserved_name", found=name, what="`same` / `distinct`")


def _never(facts: Facts, *conditions: x.Condition) -> bool:
    cases = Cases(facts, conditions)
    return cases.possible(*((condition, True) for condition in conditions)) is False


def _steps_that_never_act(policy: Policy, facts: Facts) -> Iterator[Problem]:
    """Steps whose `on`, `if` and `grades` can each hold, but never together."""
    for step in policy.steps:
        given = [step.when] if step.when is not None else []
        if step.grades and given:
            given.append(x.In(x.Fact("grade"), tuple(x.Literal(grade) for grade in step.grades)))
        asked = [*given, *x.conditions_of(step.on)]
        of_type = any("" in x.event_fields_read(condition) for condition in asked)
        together = [[*given, *_asked_by(alternative, of_type)] for alternative in step.on.alternatives]
        apart = [condition for one in together for condition in one]
        if any(len(one) < 2 or not _never(facts, *one) for one in together):
            continue
        if not any(_never(facts, condition) for condition in apart):
            pos = step.when.pos if step.when is not None else step.on.pos
            yield problem(pos, "step_never", step=step.name)


def _asked_by(alternative: x.Alternative, asks_for_type: bool) -> list[x.Condition]:
    asked: list[x.Condition] = [alternative.when] if alternative.when is not None else []
    if isinstance(alternative, x.OnEvent) and asks_for_type:
        asked.append(x.Compare("==", x.EventType(), x.Literal(alternative.type)))
    return asked


def _stands_right(use: Use, node: x.Node, counts: frozenset[str]) -> Iterator[Problem]:
    match node:
        case x.Fact(name="open_for", pos=pos) if not use.steps_or_close:
            yield problem(pos, "open_for_here")
        case x.EventField(name=name, pos=pos) if name in counts or (name in COMPUTED and name != "grade"):
            yield problem(pos, "event_computed", found=name)
        case x.EventField(name=name, pos=pos) if use.without_event:
            yield problem(pos, "no_event_here", on=use.without_event, found=f"event.{name}", right=name)
        case x.EventType(pos=pos) if use.without_event:
            yield problem(pos, "no_event_here", on=use.without_event, found="event", right="…")


@dataclass(frozen=True)
class _Comparisons:
    """Whether what is compared is of one kind, and whether values occur."""

    policy: Policy
    counts: frozenset[str]
    words: Words

    def _said(self, node: x.Node) -> str:
        return spoken(node, self.words)

    def problems(self, node: x.Node) -> Iterator[Problem]:
        match node:
            case x.Compare(op=op, left=left, right=right):
                yield from self._pair(left, right, op)
            case x.In(item=item, options=options):
                for option in options:
                    yield from self._pair(item, option, "==")
            case x.Contains(whole=whole, part=part) | x.Matches(text=whole, pattern=part):
                kind = _kind(self.policy, whole, self.counts)
                if kind not in (None, "text"):
                    other = part if isinstance(part, str) else self._said(part)
                    hint = _hint(kind, "==")
                    yield problem(node.pos, "kinds_differ", name=self._said(whole), other=other, hint=hint)
            case x.IsTrue(item=(x.Fact() | x.EventField()) as item):
                kind = _kind(self.policy, item, self.counts)
                if kind not in (None, "truth"):
                    name = self._said(item)
                    hint = _hint(kind, f"{name} ==")
                    yield problem(item.pos, "kinds_differ", name=name, other="true", hint=hint)

    def _pair(self, left: x.Value, right: x.Value, op: str) -> Iterator[Problem]:
        a, b = _kind(self.policy, left, self.counts), _kind(self.policy, right, self.counts)
        if isinstance(left, x.Literal) and not isinstance(right, x.Literal):
            left, right, a, b = right, left, b, a
        if a is not None and b is not None and a != b:
            hint = _hint(a, f"{self._said(left)} {op}")
            yield problem(right.pos, "kinds_differ", name=self._said(left), other=self._said(right), hint=hint)
        elif isinstance(right, x.Literal) and isinstance(right.value, str):
            yield from self._value_occurs(left, right.value, right.pos)

    def _value_occurs(self, left: x.Value, value: str, pos: x.Position) -> Iterator[Problem]:
        if isinstance(left, x.EventType):
            if value not in ALL_EVENT_TYPES:
                yield problem(pos, "unknown_event_type", found=value, choice=Choice(value, ALL_EVENT_TYPES))
            return
        if not isinstance(left, x.Fact | x.EventField):
            return
        if left.name in ("grade", "grade_was"):
            allowed = self.policy.grade_order
            if allowed and value not in allowed:
                yield problem(pos, "unknown_grade", found=value, choice=Choice(value, allowed))
            return
        allowed = FIELD_VALUES.get(self.policy.family, {}).get(left.name, ())
        if allowed and value not in allowed:
            choice = Choice(value, allowed)
            yield problem(pos, "unknown_value", name=self._said(left), found=value, choice=choice)


def _kind(policy: Policy, value: x.Value, counts: frozenset[str]) -> Kind | None:
    match value:
        case x.Fact(name):
            return "number" if name in counts else kind_of(name, policy.family)
        case x.EventField(name):
            return kind_of(name, policy.family, in_event=True)
        case x.EventType():
            return "text"
        case x.Shifted(base=base):
            return _kind(policy, base, counts)
        case x.Literal(constant):
            return _kind_of_constant(constant)


def _kind_of_constant(value: x.Constant) -> Kind:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, Decimal):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, datetime):
        return "moment"
    return "date" if show_constant(value)[:4].isdigit() and "-" in show_constant(value) else "length"


def _hint(kind: Kind | None, before: str) -> Hint:
    return Hint(f"hint_{kind or 'text'}", before)


# --- facts that nothing carries ------------------------------------------------------------------------------


def check_unknown(policies: Mapping[str, Policy], elsewhere: Counter[str], vocabulary: Words) -> Iterator[Problem]:
    """Facts that stand in no contract and are used only once: most likely misspelt.

    `elsewhere` counts the names that scenarios post and the vocabulary speaks of.
    """
    used = Counter(elsewhere)
    places: list[tuple[Policy, str, x.Position]] = []
    for policy in policies.values():
        own = {count.name for count in policy.counts}
        for name, pos in facts_named(policy):
            used[name] += 1
            if name not in own and name not in COMPUTED and name not in ALL_FIELDS:
                places.append((policy, name, pos))
    for policy, name, pos in places:
        own_counts = (count.name for count in policy.counts)
        own_names = (*FIELD_KINDS.get(policy.family, {}), *COMPUTED, *own_counts, *vocabulary)
        if used[name] == 1:
            others = tuple(sorted(other for other in used if other not in own_names and other != name))
            choice = Choice(name, own_names if closest(name, own_names) else (*own_names, *others))
            yield problem(pos, "unknown_fact", found=name, choice=choice)


def facts_named(policy: Policy) -> Iterator[tuple[str, x.Position]]:
    """Every fact, count and event field that a policy names, with each place where it does."""
    for use in uses_in(policy):
        for node in x.walk(use.condition):
            if isinstance(node, x.Fact | x.EventField):
                yield node.name, node.pos
    yield from _facts_outside_conditions(policy)


def _facts_outside_conditions(policy: Policy) -> Iterator[tuple[str, x.Position]]:
    for clock in policy.clocks.values():
        for limit in clock.limits.values():
            bases = (term.base for term in limit.terms)
            yield from ((base.name, base.pos) for base in bases if isinstance(base, x.Fact))
    moments = (one for trigger in triggers_in(policy) for one in trigger.alternatives)
    yield from ((one.fact, one.pos) for one in moments if isinstance(one, x.OnFact))
    for count in policy.counts:
        for name in (*count.same, *((count.distinct,) if count.distinct else ())):
            yield name, count.pos
    for step in policy.steps:
        if step.once_per is not None:
            yield step.once_per, step.pos
