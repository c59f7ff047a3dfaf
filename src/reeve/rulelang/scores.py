"""score.yaml: what happens to a case and scores, `complaint.resolve breached` or an event. Source: SCORE-01…05."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reeve.domain import expressions as x
from reeve.domain.bundle import Policy, ScopeReads, ScoreRule, Scores
from reeve.rulelang.build import Names, Place
from reeve.rulelang.desk import Desk
from reeve.rulelang.files import ScoreShape, ScoresShape
from reeve.rulelang.known_names import ALL_FIELDS, EVENT_TYPES
from reeve.rulelang.parse import parse_trigger
from reeve.rulelang.problems import Choice, Problem
from reeve.rulelang.reading import read_shape
from reeve.rulelang.yamltree import Document

FREE_TEXT = ("title", "description", "room", "reason")
"""Fields that may hold what a person typed: no timeline shows them (PRIVACY-01)."""
_OF_POLICY = re.compile(r"\s*([^\W\d][\w-]*)\s*\.\s*(?=\S)")
_LATER = x.OnShare | x.OnUndated | x.OnClockOffset | x.OnFact | x.OnCondition


@dataclass(frozen=True)
class ScoreFile:
    """What scores, by policy, and where it stands."""

    scores: Mapping[str, Scores]
    doc: Document


@dataclass(frozen=True, slots=True)
class _After:
    """A place in a text, some characters further on."""

    place: Place
    by: int

    def position(self, offset: int) -> x.Position:
        return self.place.position(offset + self.by)


def read_scores(
    doc: Document,
    policies: Mapping[str, Policy],
    broken: frozenset[str],
    vocabulary: Mapping[str, str],
    locale: str,
) -> tuple[ScoreFile | None, list[Problem]]:
    """The scores of each policy, and what is wrong with them. Nothing is said of `broken` policies."""
    shaped = read_shape(doc, ScoresShape)
    shape, doc, problems = shaped.model, shaped.doc, shaped.problems
    if shape is None:
        return None, problems
    desk = Desk(doc, Names(vocabulary), locale, problems)
    rules: dict[str, list[ScoreRule]] = {}
    for index, score in enumerate(shape.root):
        for policy, rule in _Reader(desk, index, score, policies, broken).rules():
            rules.setdefault(policy, []).append(rule)
    scores = {name: Scores(tuple(found), _reads(policies[name], found)) for name, found in rules.items()}
    return ScoreFile(scores, doc), problems


def _reads(policy: Policy, rules: list[ScoreRule]) -> ScopeReads:
    whens = [when for rule in rules for when in (*x.conditions_of(rule.on), rule.when) if when is not None]
    return policy.sorted_reads(frozenset[str]().union(*(x.names_read(when) for when in whens)))


class _Reader:
    """Reads one score."""

    def __init__(
        self, desk: Desk, index: int, shape: ScoreShape, policies: Mapping[str, Policy], broken: frozenset[str]
    ) -> None:
        self._desk = desk
        self._index = index
        self._shape = shape
        self._policies = policies
        self._broken = broken

    def rules(self) -> list[tuple[str, ScoreRule]]:
        """The rule with each policy that it is for."""
        text = self._shape.on
        found = _OF_POLICY.match(text)
        name = found[1] if found else ""
        if name in self._broken:
            return []
        if found is not None and name in self._policies:
            trigger = self._trigger(text[found.end() :], found.end(), name)
            named = [name]
        elif found is not None and name not in EVENT_TYPES:
            known = (*sorted(self._policies), *EVENT_TYPES)
            self._desk.report((self._index, "on"), "unknown_policy", found=name, choice=Choice(name, known))
            return []
        else:
            trigger = self._trigger(text, 0, None)
            named = [] if trigger is None else self._of_family(trigger)
        if trigger is None:
            return []
        return [(each, rule) for each in named if (rule := self._rule(trigger, each)) is not None]

    def _trigger(self, text: str, offset: int, policy: str | None) -> x.Trigger | None:
        clocks = frozenset(self._policies[policy].clocks) if policy else frozenset[str]()
        place = _After(self._desk.doc.scalar(self._index, "on"), offset)
        names = Names(self._desk.names.vocabulary, clocks)
        trigger = self._desk.attempt(lambda: parse_trigger(text, place, names))
        if trigger is not None and any(isinstance(each, _LATER) for each in trigger.alternatives):
            self._desk.report((self._index, "on"), "score_on", found=self._shape.on[:60])
            return None
        return trigger

    def _of_family(self, trigger: x.Trigger) -> list[str]:
        families = {each.type.partition(".")[0] for each in trigger.alternatives if isinstance(each, x.OnEvent)}
        if len(families) != 1 or not all(isinstance(each, x.OnEvent) for each in trigger.alternatives):
            self._desk.report((self._index, "on"), "score_on", found=self._shape.on[:60])
            return []
        policies = self._policies.values()
        return [policy.name for policy in policies if policy.family in families and not policy.child_only]

    def _rule(self, trigger: x.Trigger, policy: str) -> ScoreRule | None:
        shape, desk = self._shape, self._desk
        when = desk.condition(shape.if_, self._index, "if") if shape.if_ is not None else None
        if shape.if_ is not None and when is None:
            return None
        to = desk.names.vocabulary.get(shape.to, shape.to)
        if to in FREE_TEXT:
            desk.report((self._index, "to"), "score_to", found=shape.to)
            return None
        return ScoreRule(
            points=shape.points,
            on=trigger,
            to=to,
            to_fact=to in ALL_FIELDS or to in self._policies[policy].reads,
            when=when,
            fact=shape.fact,
            pos=desk.doc.at(self._index),
        )
