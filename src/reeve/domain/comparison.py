"""What other rules would have changed: two timelines of the same events held against each other, line by line.

The timelines come side by side, in virtual time. Lines that both have cancel out at once, so what is kept grows
with the differences alone: per case on a shelf (which may spill to disk), and as counts of what is few: policies,
clocks, grades, roles, days. No personal data beyond ids.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal as OneOf

from reeve.domain.case import CaseKey
from reeve.domain.effects import Effect
from reeve.domain.workset import Shelf

Side = OneOf[0, 1]
ACTIVE: Side = 0
CANDIDATE: Side = 1

MOST_LINES = 200
"""Differing lines kept of one case on one side; the rest are counted."""
_TOGETHER = 2_000
"""Lines without a match that are held before they are written to their cases."""

WEIGHTS = {"graded": 8, "opened": 6, "closed": 5, "breached": 5, "corrected": 5, "undeliverable": 4, "notify": 3}
"""How much a line that only one side has changes a case; any other counts 1."""
_UNCOMPARED = frozenset({"adopted"})
"""Said of every open case that follows other rules: counted, but no difference in what happens."""


@dataclass(slots=True)
class Pair:
    """The same thing counted under the active rules and under the candidate."""

    before: int = 0
    after: int = 0

    def add(self, side: Side, count: int = 1) -> None:
        """So many more on that side."""
        if side == ACTIVE:
            self.before += count
        else:
            self.after += count


@dataclass(slots=True)
class Breaches(Pair):
    """Breaches of one clock. A breach at another moment is neither gained nor lost but moved."""

    gained: int = 0
    lost: int = 0
    moved: int = 0


@dataclass(slots=True)
class Openings(Pair):
    """Cases of one policy that opened."""

    gained: int = 0
    """Opened by the candidate alone."""
    lost: int = 0
    """Opened by the active rules alone."""


@dataclass(slots=True)
class CaseDifference:
    """What differs in one case."""

    case: CaseKey
    lines: tuple[list[Effect], list[Effect]] = field(default_factory=lambda: ([], []))
    """Lines that only the active rules write, and those that only the candidate writes, as they came."""
    more: list[int] = field(default_factory=lambda: [0, 0])
    """Lines of each side beyond MOST_LINES."""
    weight: int = 0
    """How much is different, by WEIGHTS."""
    grades: tuple[str | None, str | None] | None = None
    """The grade on either side (None: no case, or no grade); None while it has never differed."""
    clocks: dict[str, list[int]] = field(default_factory=dict)
    """Clock → unmatched breaches of each side, less those corrected."""
    openings: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def count(self) -> int:
        """Lines that differ, both sides together."""
        return sum(map(len, self.lines)) + sum(self.more)

    @property
    def changed(self) -> bool:
        """Whether anything differs now."""
        return self.count > 0


@dataclass(frozen=True, slots=True)
class Telling:
    """One person told once on one channel, or a role of which no recipient is known."""

    role: str
    recipient: str | None
    """`<place>/<id>`; None: recipients are not known, and the role counts as one person."""
    channel: str
    segments: int = 0
    """SMS that the text takes; 0 on other channels."""
    stand_in: str | None = None
    """The message whose own template could not be used, so that Reeve's own text was counted."""


class Comparison:
    """See the module. `shelf` makes the maps for what may become large."""

    def __init__(self, shelf: Shelf) -> None:
        self._cases: MutableMapping[str, CaseDifference] = shelf("differences")
        self._people: MutableMapping[str, list[int]] = shelf("told")
        self.changed_cases = 0
        self.adopted = 0
        """Open cases that went on under the candidate's file."""
        self.touched: set[str] = set()
        """Ids of the cases whose difference is not what it was: for who keeps them elsewhere, and clears this."""
        self.grades: Counter[tuple[str, str | None, str | None]] = Counter()
        """(policy, grade under the active rules, grade under the candidate) → cases, where the two differ now."""
        self.gradings: dict[tuple[str, str], Pair] = {}
        """(policy, grade) → how often a case was given that grade."""
        self.openings: dict[str, Openings] = {}
        self.breaches: dict[tuple[str, str], Breaches] = {}
        """By policy and clock; a breach that was corrected is none."""
        self.undeliverable = Pair()
        self.told: dict[str, Pair] = {}
        """Role → notifications: one for each time the role is told, however many people that is."""
        self.told_on: dict[tuple[date, str], Pair] = {}
        """The same by local day."""
        self.deliveries: dict[str, Pair] = {}
        """Channel → messages to one person each."""
        self.segments: dict[str, Pair] = {}
        """Role → SMS segments."""
        self.stand_ins: dict[str, Pair] = {}
        """Message → texts counted as Reeve's own, because the template could not be used."""

    # --- lines ------------------------------------------------------------------------------------------------

    def hold(self, active: Iterable[Effect], candidate: Iterable[Effect]) -> Iterator[None]:
        """Both sides' lines of the same stretch of time are compared once this is exhausted; yields now and then,
        so that its caller can do something else in between."""
        unmatched: dict[tuple[str, str], list[tuple[Side, Effect]]] = {}
        open_sides: list[tuple[Side, Iterator[Effect]]] = [(ACTIVE, iter(active)), (CANDIDATE, iter(candidate))]
        held = 0
        while open_sides:
            for each in list(open_sides):
                side, lines = each
                effect = next(lines, None)
                if effect is None:
                    open_sides.remove(each)
                    continue
                self._count(side, effect)
                if effect.what not in _UNCOMPARED:
                    held += self._match(unmatched, side, effect)
            if held >= _TOGETHER:
                self._keep(unmatched)
                held = 0
            yield
        self._keep(unmatched)

    def _match(
        self, unmatched: dict[tuple[str, str], list[tuple[Side, Effect]]], side: Side, effect: Effect
    ) -> int:
        """How many more lines without a match there are: 1, or -1 where this is the match of one."""
        name = (str(effect.case), _said(effect))
        others = unmatched.setdefault(name, [])
        if others and others[0][0] != side:
            others.pop(0)
            if not others:
                del unmatched[name]
            return -1
        others.append((side, effect))
        return 1

    def _keep(self, unmatched: dict[tuple[str, str], list[tuple[Side, Effect]]]) -> None:
        """Lines without a match go to their cases; one whose match went there before takes that away again."""
        for (case_id, said), group in unmatched.items():
            for side, effect in group:
                found = self._cases.get(case_id) or CaseDifference(effect.case)
                self._count_case(found, -1)
                self._put(found, side, effect, said)
                self._count_case(found, 1)
                self._cases[case_id] = found
                self.touched.add(case_id)
        unmatched.clear()

    def _put(self, found: CaseDifference, side: Side, effect: Effect, said: str) -> None:
        weight = WEIGHTS.get(effect.what, 1)
        theirs = found.lines[1 - side]
        twin = next((place for place, other in enumerate(theirs) if _said(other) == said), None)
        if twin is not None:
            del theirs[twin]
            found.weight -= weight
        elif len(found.lines[side]) < MOST_LINES:
            found.lines[side].append(effect)
            found.weight += weight
        else:
            found.more[side] += 1
            found.weight += weight
        clock = effect.details.get("clock")
        if effect.what == "opened":
            found.openings[side] += 1
        elif effect.what in ("breached", "corrected") and isinstance(clock, str):
            found.clocks.setdefault(clock, [0, 0])[side] += 1 if effect.what == "breached" else -1
        elif effect.what == "graded":
            # Where nothing differed so far, the other side has the grade that this one had.
            was = effect.details.get("was")
            grades = list(found.grades or (was, was))
            grades[side] = effect.details.get("grade")
            found.grades = (grades[0], grades[1])

    # --- counts -----------------------------------------------------------------------------------------------

    def _count(self, side: Side, effect: Effect) -> None:
        policy = effect.case.policy
        match effect.what:
            case "opened":
                self.openings.setdefault(policy, Openings()).add(side)
            case "graded":
                self.gradings.setdefault((policy, str(effect.details.get("grade"))), Pair()).add(side)
            case "breached" | "corrected":
                name = (policy, str(effect.details.get("clock")))
                self.breaches.setdefault(name, Breaches()).add(side, 1 if effect.what == "breached" else -1)
            case "undeliverable":
                self.undeliverable.add(side)
            case "adopted":
                self.adopted += 1

    def _count_case(self, found: CaseDifference, sign: int) -> None:
        """The case's share of what is gained, lost and changed is in the sums (1), or out of them (-1)."""
        policy = found.case.policy
        self.changed_cases += sign * found.changed
        if found.grades is not None and found.grades[0] != found.grades[1]:
            name = (policy, *found.grades)
            self.grades[name] += sign
            if not self.grades[name]:
                del self.grades[name]
        for clock, (before, after) in found.clocks.items():
            tally = self.breaches.setdefault((policy, clock), Breaches())
            tally.gained += sign * max(0, after - before)
            tally.lost += sign * max(0, before - after)
            tally.moved += sign * max(0, min(before, after))
        before, after = found.openings
        if before or after:
            openings = self.openings.setdefault(policy, Openings())
            openings.gained += sign * max(0, after - before)
            openings.lost += sign * max(0, before - after)

    def tell(self, side: Side, on: date, roles: Iterable[str], tellings: Iterable[Telling]) -> None:
        """These roles were told on that local day, and these people for them."""
        for role in roles:
            self.told.setdefault(role, Pair()).add(side)
            self.told_on.setdefault((on, role), Pair()).add(side)
        for telling in tellings:
            self.deliveries.setdefault(telling.channel, Pair()).add(side)
            if telling.recipient is not None:
                self._people.setdefault(telling.recipient, [0, 0])[side] += 1
            if telling.segments:
                self.segments.setdefault(telling.role, Pair()).add(side, telling.segments)
            if telling.stand_in is not None:
                self.stand_ins.setdefault(telling.stand_in, Pair()).add(side)

    # --- answers ----------------------------------------------------------------------------------------------

    def difference(self, case_id: str) -> CaseDifference | None:
        """What differs in that case; None: nothing does."""
        found = self._cases.get(case_id)
        return found if found is not None and found.changed else None

    def most_changed(self, most: int) -> list[CaseDifference]:
        """The cases in which most is different, most changed first; at equal weight in the order of their ids."""
        changed = (found for found in self._cases.values() if found.changed)
        return heapq.nsmallest(most, changed, key=lambda found: (-found.weight, str(found.case)))

    def people(self, most: int) -> list[tuple[str, Pair]]:
        """`<place>/<id>` and how often they are told, those with the greatest change first."""
        everybody = ((name, Pair(*counts)) for name, counts in self._people.items())
        return heapq.nsmallest(most, everybody, key=lambda one: (-abs(one[1].after - one[1].before), one[0]))


def _said(effect: Effect) -> str:
    """What makes two lines of one case the same: not the rule's line, which moves whenever a file is edited."""
    return f"{effect.what} {effect.at.timestamp()} {effect.details!r}"
