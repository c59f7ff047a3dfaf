"""From lark's tree to the typed tree: what each form means where it stands, or one plain sentence why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal as OneOf
from typing import NoReturn, Protocol, cast

from lark import Token, Tree

from reeve.domain import expressions as x
from reeve.domain.durations import Duration, Elapsed, Months, SameDay, WorkingDays, WorkingHours
from reeve.rulelang.known_names import (
    ALL_EVENT_TYPES,
    ALL_FIELDS,
    CASE_MOMENTS,
    CLOCK_MOMENTS,
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


_Branch = Tree[Token]


class Builder:
    """Builds one expression. Raises BadRule at the first thing that has no meaning."""

    def __init__(self, normal: Normal, place: Place, names: Names) -> None:
        self._normal = normal
        self._place = place
        self._names = names

    # --- positions and names ---

    def pos(self, node: _Branch | Token) -> x.Position:
        start = node.start_pos if isinstance(node, Token) else node.meta.start_pos
        return self._place.position(self._normal.offset(start or 0))

    def fail(self, node: _Branch | Token, code: str, **particulars: Particular) -> NoReturn:
        raise BadRule(problem(self.pos(node), code, **particulars))

    def source(self, node: _Branch) -> str:
        return self._normal.text[node.meta.start_pos : node.meta.end_pos]

    def _name(self, token: Token) -> str:
        name = self._names.vocabulary.get(str(token), str(token))
        if name.lower() in KEYWORDS and (name != name.lower() or name not in ("event", "same", "working")):
            self.fail(token, "keyword_case", found=name, right=name.lower())
        if name.lower() in ("null", "none", "nil"):
            self.fail(token, "no_null", found=name)
        if name.lower() in _TRUTHS:
            self.fail(token, "truth_word", found=name, right=_TRUTHS[name.lower()])
        return name

    def _clock(self, token: Token) -> str:
        name = self._name(token)
        if name not in self._names.clocks:
            choice = Choice(name, tuple(sorted(self._names.clocks)))
            self.fail(token, "unknown_clock", found=name, choice=choice)
        return name

    # --- conditions ---

    def condition(self, node: _Branch) -> x.Condition:
        """The condition of a tree; a bare value must be something that can be true."""
        match node.data:
            case "or_expr" | "and_expr":
                items = tuple(self.condition(cast("_Branch", child)) for child in node.children)
                return x.Or(items, self.pos(node)) if node.data == "or_expr" else x.And(items, self.pos(node))
            case "negation":
                return x.Not(self.condition(_first(node)), self.pos(node))
            case "bracket":
                return self.condition(_first(node))
            case "compare":
                return self._compare(node)
            case "is_in" | "not_in":
                return self._in(node)
            case "contains":
                whole, part = (self.value(cast("_Branch", child)) for child in node.children)
                return x.Contains(whole, part, self.pos(node))
            case "matches":
                return self._matches(node)
            case "known":
                return self._known(node)
        return self._bare(node)

    def _bare(self, node: _Branch) -> x.Condition:
        value = self.value(node)
        if isinstance(value, x.Fact | x.EventField):
            return x.IsTrue(value, value.pos)
        if isinstance(value, x.Literal) and isinstance(value.value, bool):
            return x.IsTrue(value, value.pos)
        return self.fail(node, "not_a_condition", found=self.source(node))

    def _compare(self, node: _Branch) -> x.Condition:
        left, operator, right, *more = node.children
        if more:
            self.fail(node, "chained_comparison", found=self.source(node))
        sign = cast("Token", operator)
        mended = {"=": "==", "<>": "!=", "=<": "<=", "=>": ">="}
        if sign in mended:
            self.fail(sign, "wrong_operator", found=str(sign), right=mended[sign])
        a, b = self.value(cast("_Branch", left)), self.value(cast("_Branch", right))
        return x.Compare(cast("x.CompareOp", str(sign)), a, b, self.pos(node))

    def _in(self, node: _Branch) -> x.Condition:
        item = self.value(_first(node))
        options: list[x.Literal] = []
        for child in cast("_Branch", node.children[-1]).children:
            option = self.value(cast("_Branch", child))
            if not isinstance(option, x.Literal):
                self.fail(cast("_Branch", child), "list_needs_quotes", found=self.source(cast("_Branch", child)))
            options.append(option)
        if not options:
            self.fail(node, "empty_list")
        found = x.In(item, tuple(options), self.pos(node))
        return found if node.data == "is_in" else x.Not(found, found.pos)

    def _matches(self, node: _Branch) -> x.Condition:
        text, pattern = (self.value(cast("_Branch", child)) for child in node.children)
        where = cast("_Branch", node.children[1])
        if not (isinstance(pattern, x.Literal) and isinstance(pattern.value, str)):
            self.fail(where, "pattern_not_text", found=self.source(where))
        if why := pattern_problem(pattern.value):
            self.fail(where, "bad_pattern", why=why)
        return x.Matches(text, pattern.value, self.pos(node))

    def _known(self, node: _Branch) -> x.Condition:
        inner = _first(node)
        item = self.value(inner) if inner.data in ("name", "dotted") else None
        if not isinstance(item, x.Fact | x.EventField):
            self.fail(inner, "known_needs_name", found=self.source(inner))
        return x.Known(item, self.pos(node))

    # --- values ---

    def value(self, node: _Branch) -> x.Value:
        """The value of a tree."""
        match node.data:
            case "name":
                token = cast("Token", node.children[0])
                name = self._name(token)
                return x.EventType(self.pos(token)) if name == "event" else x.Fact(name, self.pos(token))
            case "dotted":
                return self._dotted(node)
            case "shifted":
                return self._shifted(node)
            case "bracket" if _first(node).data in _VALUES:
                return self.value(_first(node))
        return x.Literal(self._constant(node), self.pos(node))

    def _dotted(self, node: _Branch) -> x.EventField:
        first, second = (cast("Token", child) for child in node.children)
        if first == "event":
            return x.EventField(self._name(second), self.pos(node))
        if first in EVENT_TYPES:
            self.fail(node, "type_in_condition", found=f"{first}.{second}")
        return self.fail(node, "unknown_dotted", found=f"{first}.{second}", field=str(second))

    def _shifted(self, node: _Branch) -> x.Shifted:
        left, sign, right = node.children
        base = self.value(cast("_Branch", left))
        if cast("_Branch", right).data not in _LENGTHS or not isinstance(base, x.Fact | x.EventField):
            self.fail(node, "no_arithmetic", found=self.source(node))
        return x.Shifted(base, _sign(sign), self.length(cast("_Branch", right)), self.pos(node))

    def _constant(self, node: _Branch) -> x.Constant:
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
        if node.data in _LENGTHS:
            return self.length(node)
        return self.fail(node, "condition_as_value", found=self.source(node))

    def _date(self, node: _Branch, text: str) -> date:
        try:
            return date(*map(int, text.split("-")))
        except ValueError as error:
            raise BadRule(problem(self.pos(node), "no_such_date", found=text)) from error

    def _instant(self, node: _Branch, text: str) -> datetime:
        try:
            moment = datetime.fromisoformat(text.replace(" ", "T"))
        except ValueError as error:
            raise BadRule(problem(self.pos(node), "no_such_date", found=text)) from error
        if moment.tzinfo is None:
            self.fail(node, "moment_without_offset", found=text)
        return moment

    # --- lengths ---

    def length(self, node: _Branch) -> Duration:
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

    def _count(self, node: _Branch, text: str) -> int:
        number = re.match(r"\d+", text)
        count = int(number[0][:9]) if number else 0
        most = 1200 if "month" in text else 100 if "year" in text else 876_600 if "hour" in text else 36_525
        if not 0 < count <= most:
            self.fail(node, "length_zero" if not count else "length_too_long", found=text)
        return count

    # --- limits ---

    def limit(self, node: _Branch, text: str) -> x.Limit:
        """A limit: its terms in the order they are tried."""
        terms = tuple(self._limit_term(cast("_Branch", child)) for child in node.children)
        return x.Limit(terms, text, self.pos(node))

    def _limit_term(self, node: _Branch) -> x.LimitTerm:
        if node.data == "negative_length":
            self.fail(node, "negative_limit", found=self.source(node))
        inner = _first(node)
        while inner.data == "bracket":
            inner = _first(inner)
        if inner.data in _LENGTHS:
            return x.LimitTerm(None, 1, self.length(inner), self.pos(node))
        if inner.data == "name":
            return x.LimitTerm(self._limit_base(inner), 1, None, self.pos(node))
        if inner.data == "shifted":
            left, sign, right = inner.children
            if cast("_Branch", left).data == "name" and cast("_Branch", right).data in _LENGTHS:
                by = self.length(cast("_Branch", right))
                return x.LimitTerm(self._limit_base(cast("_Branch", left)), _sign(sign), by, self.pos(node))
        if inner.data == "number":
            self.fail(node, "limit_without_unit", found=self.source(node))
        return self.fail(node, "not_a_limit", found=self.source(node))

    def _limit_base(self, node: _Branch) -> x.Fact | x.ClockRef:
        token = cast("Token", node.children[0])
        name = self._name(token)
        if name in self._names.clocks:
            return x.ClockRef(name, self.pos(token))
        if name == "event":
            self.fail(token, "not_a_limit", found=name)
        if not (name.endswith(("_at", "_on")) or name == "today"):
            moments = tuple(sorted(field for field in ALL_FIELDS if field.endswith(("_at", "_on"))))
            self.fail(token, "limit_not_a_moment", found=str(token), choice=Choice(name, moments))
        return x.Fact(name, self.pos(token))

    # --- triggers ---

    def trigger(self, node: _Branch, text: str) -> x.Trigger:
        """A trigger: its alternatives as written."""
        alternatives = tuple(self._alternative(cast("_Branch", child)) for child in node.children)
        return x.Trigger(alternatives, text, self.pos(node))

    def _alternative(self, node: _Branch) -> x.Alternative:
        head = _first(node)
        guard = self.condition(cast("_Branch", node.children[1])) if node.data == "guarded" else None
        while head.data == "bracket" and _first(head).data in ("name", "dotted", "shifted"):
            head = _first(head)
        match head.data:
            case "dotted" if head.children[0] != "event":
                return self._on_event(head, guard)
            case "moment":
                return self._on_moment(head, guard)
            case "share":
                return self._on_share(head, guard)
            case "shifted":
                return self._on_shifted(head, guard)
            case "name":
                return self._on_name(head, guard)
        if guard is not None:
            self.fail(head, "if_after_condition", found=self.source(head))
        return x.OnCondition(self.condition(head), self.pos(head))

    def _on_event(self, node: _Branch, guard: x.Condition | None) -> x.OnEvent:
        name = f"{node.children[0]}.{node.children[1]}"
        if name not in ALL_EVENT_TYPES:
            family = str(node.children[0])
            allowed = tuple(t for t in ALL_EVENT_TYPES if family not in EVENT_TYPES or t.startswith(f"{family}."))
            self.fail(node, "unknown_event_type", found=name, choice=Choice(name, allowed))
        return x.OnEvent(name, guard, self.pos(node))

    def _on_moment(self, node: _Branch, guard: x.Condition | None) -> x.OnClock | x.OnUndated:
        name, what = (cast("Token", child) for child in node.children[:2])
        length = cast("_Branch", node.children[2]) if len(node.children) > 2 else None
        if what not in (*CLOCK_MOMENTS, "undated"):
            self.fail(
                what, "unknown_moment", found=str(what), choice=Choice(str(what), (*CLOCK_MOMENTS, "undated"))
            )
        clock = self._clock(name)
        if what == "undated":
            if length is None:
                self.fail(what, "undated_needs_length", clock=clock)
            return x.OnUndated(clock, self.length(length), guard, self.pos(node))
        if length is not None:
            self.fail(length, "length_after_moment", clock=clock, length=self.source(length))
        return x.OnClock(clock, cast("x.ClockMoment", str(what)), guard, self.pos(node))

    def _on_share(self, node: _Branch, guard: x.Condition | None) -> x.OnShare:
        name, share = (cast("Token", child) for child in node.children)
        percent = Decimal(share.rstrip("% "))
        if not 0 < percent < 100:
            self.fail(share, "share_out_of_range", found=str(share), clock=str(name))
        return x.OnShare(self._clock(name), percent, guard, self.pos(node))

    def _on_shifted(self, node: _Branch, guard: x.Condition | None) -> x.OnClockOffset | x.OnFact:
        shifted = self._shifted(node)
        if isinstance(shifted.base, x.EventField):
            self.fail(node, "event_field_as_moment", found=self.source(node))
        name = shifted.base.name
        if name in self._names.clocks:
            return x.OnClockOffset(name, shifted.sign, shifted.by, guard, self.pos(node))
        return x.OnFact(name, shifted.sign, shifted.by, guard, self.pos(node))

    def _on_name(self, node: _Branch, guard: x.Condition | None) -> x.Alternative:
        token = cast("Token", node.children[0])
        name = self._name(token)
        if name in CASE_MOMENTS:
            return x.OnCase(cast("x.CaseMoment", name), guard, self.pos(node))
        if name in self._names.clocks:
            self.fail(node, "bare_clock", clock=name)
        if name.endswith(("_at", "_on")):
            return x.OnFact(name, 1, None, guard, self.pos(node))
        if guard is not None:
            self.fail(node, "unknown_trigger", found=name, choice=Choice(name, CASE_MOMENTS))
        return x.OnCondition(self.condition(node), self.pos(node))


_LENGTHS = frozenset({"elapsed", "working", "months", "same_day"})
_VALUES = _LENGTHS | {"name", "dotted", "shifted", "number", "negative", "text", "true", "false", "date", "bracket"}


def _first(node: _Branch) -> _Branch:
    return cast("_Branch", node.children[0])


def _sign(token: object) -> OneOf[1, -1]:
    return 1 if str(token) == "+" else -1
