"""From branches to typed conditions, values and lengths: what each form means, or one plain sentence why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal as OneOf
from typing import NoReturn, Protocol, cast

from reeve.domain import expressions as x
from reeve.domain.durations import Duration, Elapsed, Months, SameDay, WorkingDays, WorkingHours
from reeve.rulelang.branches import Branch, Word
from reeve.rulelang.known_names import (
    EVENT_TYPES,
    KEYWORDS,
)
from reeve.rulelang.normalise import Normal
from reeve.rulelang.patterns import pattern_problem
from reeve.rulelang.problems import BadRule, Choice, Particular, problem

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TRUTHS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
"""What YAML once took for true and false, and people still do."""
_LONGEST = 100 * 366 * 86400
"""Seconds; a length beyond a hundred years is a slip of the finger."""


class Place(Protocol):
    """Tells where in its file a character of a written text stands."""

    def position(self, offset: int) -> x.Position: ...


@dataclass(frozen=True, slots=True)
class Names:
    """What names mean where an expression stands."""

    vocabulary: Mapping[str, str] = field(default_factory=dict)
    """The operator's word → the English name."""
    clocks: frozenset[str] = frozenset()
    """Clocks of the policy."""


class Builder:
    """Builds one condition or value. Raises BadRule at the first thing that has no meaning."""

    def __init__(self, normal: Normal, place: Place, names: Names) -> None:
        self._normal = normal
        self._place = place
        self.names = names

    # --- positions and names ---

    def pos(self, node: Branch | Word) -> x.Position:
        return self._place.position(self._normal.offset(node.start))

    def fail(self, node: Branch | Word, code: str, **particulars: Particular) -> NoReturn:
        raise BadRule(problem(self.pos(node), code, **particulars))

    def source(self, node: Branch) -> str:
        return self._normal.text[node.start : node.end]

    def name(self, token: Word) -> str:
        """The English name that a word stands for."""
        name = self.names.vocabulary.get(str(token), str(token))
        if name.lower() in KEYWORDS and (name != name.lower() or name not in ("event", "same", "working")):
            self.fail(token, "keyword_case", found=name, right=name.lower())
        if name.lower() in ("null", "none", "nil"):
            self.fail(token, "no_null", found=name)
        if name.lower() in _TRUTHS:
            self.fail(token, "truth_word", found=name, right=_TRUTHS[name.lower()])
        return name

    def clock(self, token: Word) -> str:
        """A clock of the policy."""
        name = self.name(token)
        if name not in self.names.clocks:
            choice = Choice(name, tuple(sorted(self.names.clocks)))
            self.fail(token, "unknown_clock", found=name, choice=choice)
        return name

    # --- conditions ---

    def condition(self, node: Branch) -> x.Condition:
        """The condition of a tree; a bare value must be something that can be true."""
        match node.data:
            case "or_expr" | "and_expr":
                items = tuple(self.condition(cast("Branch", child)) for child in node.children)
                return x.Or(items, self.pos(node)) if node.data == "or_expr" else x.And(items, self.pos(node))
            case "negation":
                return x.Not(self.condition(first_of(node)), self.pos(node))
            case "bracket":
                return self.condition(first_of(node))
            case "compare":
                return self._compare(node)
            case "is_in" | "not_in":
                return self._in(node)
            case "contains":
                whole, part = (self.value(cast("Branch", child)) for child in node.children)
                return x.Contains(whole, part, self.pos(node))
            case "matches":
                return self._matches(node)
            case "known":
                return self._known(node)
        return self._bare(node)

    def _bare(self, node: Branch) -> x.Condition:
        value = self.value(node)
        if isinstance(value, x.Fact | x.EventField):
            return x.IsTrue(value, value.pos)
        if isinstance(value, x.Literal) and isinstance(value.value, bool):
            return x.IsTrue(value, value.pos)
        return self.fail(node, "not_a_condition", found=self.source(node))

    def _compare(self, node: Branch) -> x.Condition:
        left, operator, right, *more = node.children
        if more:
            self.fail(node, "chained_comparison", found=self.source(node))
        sign = cast("Word", operator)
        mended = {"=": "==", "<>": "!=", "=<": "<=", "=>": ">="}
        if sign in mended:
            self.fail(sign, "wrong_operator", found=str(sign), right=mended[sign])
        a, b = self.value(cast("Branch", left)), self.value(cast("Branch", right))
        return x.Compare(cast("x.CompareOp", str(sign)), a, b, self.pos(node))

    def _in(self, node: Branch) -> x.Condition:
        item = self.value(first_of(node))
        options: list[x.Literal] = []
        for child in cast("Branch", node.children[-1]).children:
            option = self.value(cast("Branch", child))
            if not isinstance(option, x.Literal):
                self.fail(cast("Branch", child), "list_needs_quotes", found=self.source(cast("Branch", child)))
            options.append(option)
        if not options:
            self.fail(node, "empty_list")
        found = x.In(item, tuple(options), self.pos(node))
        return found if node.data == "is_in" else x.Not(found, found.pos)

    def _matches(self, node: Branch) -> x.Condition:
        text, pattern = (self.value(cast("Branch", child)) for child in node.children)
        where = cast("Branch", node.children[1])
        if not (isinstance(pattern, x.Literal) and isinstance(pattern.value, str)):
            self.fail(where, "pattern_not_text", found=self.source(where))
        if why := pattern_problem(pattern.value):
            self.fail(where, "bad_pattern", why=why)
        return x.Matches(text, pattern.value, self.pos(node))

    def _known(self, node: Branch) -> x.Condition:
        inner = first_of(node)
        item = self.value(inner) if inner.data in ("name", "dotted") else None
        if not isinstance(item, x.Fact | x.EventField):
            self.fail(inner, "known_needs_name", found=self.source(inner))
        return x.Known(item, self.pos(node))

    # --- values ---

    def value(self, node: Branch) -> x.Value:
        """The value of a tree."""
        match node.data:
            case "name":
                token = cast("Word", node.children[0])
                name = self.name(token)
                return x.EventType(self.pos(token)) if name == "event" else x.Fact(name, self.pos(token))
            case "dotted":
                return self._dotted(node)
            case "shifted":
                return self.shifted(node)
            case "bracket" if first_of(node).data in _VALUES:
                return self.value(first_of(node))
        return x.Literal(self._constant(node), self.pos(node))

    def _dotted(self, node: Branch) -> x.EventField:
        first, second = (cast("Word", child) for child in node.children)
        if first == "event":
            return x.EventField(self.name(second), self.pos(node))
        if first in EVENT_TYPES:
            self.fail(node, "type_in_condition", found=f"{first}.{second}")
        return self.fail(node, "unknown_dotted", found=f"{first}.{second}", field=str(second))

    def shifted(self, node: Branch) -> x.Shifted:
        """A moment, so much earlier or later."""
        left, sign, right = node.children
        base = self.value(cast("Branch", left))
        if cast("Branch", right).data not in LENGTHS or not isinstance(base, x.Fact | x.EventField):
            self.fail(node, "no_arithmetic", found=self.source(node))
        return x.Shifted(base, sign_of(sign), self.length(cast("Branch", right)), self.pos(node))

    def _constant(self, node: Branch) -> x.Constant:
        text = str(node.children[-1]) if node.children else ""
        match node.data:
            case "number":
                return Decimal(text)
            case "negative":
                return -Decimal(text)
            case "text":
                return text[1:-1]
            case "true" | "false":
                return node.data == "true"
            case "date":
                return self._date(node, text)
            case "instant":
                return self._instant(node, text)
            case "percent":
                self.fail(node, "percent_here", found=text)
        if node.data in LENGTHS:
            return self.length(node)
        return self.fail(node, "condition_as_value", found=self.source(node))

    def _date(self, node: Branch, text: str) -> date:
        try:
            return date(*map(int, text.split("-")))
        except ValueError as error:
            raise BadRule(problem(self.pos(node), "no_such_date", found=text)) from error

    def _instant(self, node: Branch, text: str) -> datetime:
        try:
            moment = datetime.fromisoformat(text.replace(" ", "T"))
        except ValueError as error:
            raise BadRule(problem(self.pos(node), "no_such_date", found=text)) from error
        if moment.tzinfo is None:
            self.fail(node, "moment_without_offset", found=text)
        return moment

    # --- lengths ---

    def length(self, node: Branch) -> Duration:
        """A length of time, longer than nothing and shorter than a hundred years."""
        text = re.sub(r"\s+", " ", str(node.children[0]))
        match node.data:
            case "same_day":
                return SameDay()
            case "working":
                number = self._count(node, text)
                return WorkingHours(number * 3600) if "hour" in text else WorkingDays(number)
            case "months":
                return Months(self._count(node, text) * (12 if "year" in text else 1))
        seconds = sum(
            (Decimal(number) * _UNIT_SECONDS[unit[0]] for number, unit in re.findall(r"([\d.]+)\s*([a-z]+)", text)),
            Decimal(0),
        )
        if seconds != int(seconds):
            self.fail(node, "part_of_second", found=text)
        if not 0 < seconds <= _LONGEST:
            self.fail(node, "length_zero" if not seconds else "length_too_long", found=text)
        return Elapsed(int(seconds))

    def _count(self, node: Branch, text: str) -> int:
        number = re.match(r"\d+", text)
        count = int(number[0][:9]) if number else 0
        most = 1200 if "month" in text else 100 if "year" in text else 876_600 if "hour" in text else 36_525
        if not 0 < count <= most:
            self.fail(node, "length_zero" if not count else "length_too_long", found=text)
        return count


LENGTHS = frozenset({"elapsed", "working", "months", "same_day"})
_VALUES = LENGTHS | {"name", "dotted", "shifted", "number", "negative", "text", "true", "false", "date", "bracket"}


def first_of(node: Branch) -> Branch:
    """The first branch of a branch."""
    return cast("Branch", node.children[0])


def sign_of(token: object) -> OneOf[1, -1]:
    """1 for plus, -1 for minus."""
    return 1 if str(token) == "+" else -1
