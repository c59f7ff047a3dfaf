"""From branches to typed triggers and limits: what sets a step off, and when a clock runs out."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from reeve.domain import expressions as x
from reeve.rulelang.branches import Branch, Word
from reeve.rulelang.build import LENGTHS, Builder, first_of, sign_of
from reeve.rulelang.known_names import ALL_EVENT_TYPES, ALL_FIELDS, CASE_MOMENTS, CLOCK_MOMENTS, EVENT_TYPES
from reeve.rulelang.problems import Choice


class TriggerBuilder(Builder):
    """Builds one trigger or limit. Raises BadRule at the first thing that has no meaning."""

    # --- limits ---

    def limit(self, node: Branch, text: str) -> x.Limit:
        """A limit: its terms in the order they are tried."""
        terms = tuple(self._limit_term(cast("Branch", child)) for child in node.children)
        return x.Limit(terms, text, self.pos(node))

    def _limit_term(self, node: Branch) -> x.LimitTerm:
        if node.data == "negative_length":
            self.fail(node, "negative_limit", found=self.source(node))
        inner = first_of(node)
        while inner.data == "bracket":
            inner = first_of(inner)
        if inner.data in LENGTHS:
            return x.LimitTerm(None, 1, self.length(inner), self.pos(node))
        if inner.data == "name":
            return x.LimitTerm(self._limit_base(inner), 1, None, self.pos(node))
        if inner.data == "shifted":
            left, sign, right = inner.children
            if cast("Branch", left).data == "name" and cast("Branch", right).data in LENGTHS:
                by = self.length(cast("Branch", right))
                return x.LimitTerm(self._limit_base(cast("Branch", left)), sign_of(sign), by, self.pos(node))
        if inner.data == "number":
            self.fail(node, "limit_without_unit", found=self.source(node))
        return self.fail(node, "not_a_limit", found=self.source(node))

    def _limit_base(self, node: Branch) -> x.Fact | x.ClockRef:
        token = cast("Word", node.children[0])
        name = self.name(token)
        if name in self.names.clocks:
            return x.ClockRef(name, self.pos(token))
        if name == "event":
            self.fail(token, "not_a_limit", found=name)
        if not (name.endswith(("_at", "_on")) or name == "today"):
            moments = tuple(sorted(field for field in ALL_FIELDS if field.endswith(("_at", "_on"))))
            self.fail(token, "limit_not_a_moment", found=str(token), choice=Choice(name, moments))
        return x.Fact(name, self.pos(token))

    # --- triggers ---

    def trigger(self, node: Branch, text: str) -> x.Trigger:
        """A trigger: its alternatives as written."""
        alternatives = tuple(self._alternative(cast("Branch", child)) for child in node.children)
        return x.Trigger(alternatives, text, self.pos(node))

    def _alternative(self, node: Branch) -> x.Alternative:
        head = first_of(node)
        guard = self.condition(cast("Branch", node.children[1])) if node.data == "guarded" else None
        while head.data == "bracket" and first_of(head).data in ("name", "dotted", "shifted"):
            head = first_of(head)
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

    def _on_event(self, node: Branch, guard: x.Condition | None) -> x.OnEvent:
        name = f"{node.children[0]}.{node.children[1]}"
        if name not in ALL_EVENT_TYPES:
            family = str(node.children[0])
            allowed = tuple(t for t in ALL_EVENT_TYPES if family not in EVENT_TYPES or t.startswith(f"{family}."))
            self.fail(node, "unknown_event_type", found=name, choice=Choice(name, allowed))
        return x.OnEvent(name, guard, self.pos(node))

    def _on_moment(self, node: Branch, guard: x.Condition | None) -> x.OnClock | x.OnUndated:
        name, what = (cast("Word", child) for child in node.children[:2])
        length = cast("Branch", node.children[2]) if len(node.children) > 2 else None
        if what not in (*CLOCK_MOMENTS, "undated"):
            self.fail(
                what, "unknown_moment", found=str(what), choice=Choice(str(what), (*CLOCK_MOMENTS, "undated"))
            )
        clock = self.clock(name)
        if what == "undated":
            if length is None:
                self.fail(what, "undated_needs_length", clock=clock)
            return x.OnUndated(clock, self.length(length), guard, self.pos(node))
        if length is not None:
            self.fail(length, "length_after_moment", clock=clock, length=self.source(length))
        return x.OnClock(clock, cast("x.ClockMoment", str(what)), guard, self.pos(node))

    def _on_share(self, node: Branch, guard: x.Condition | None) -> x.OnShare:
        name, share = (cast("Word", child) for child in node.children)
        percent = Decimal(share.rstrip("% "))
        if not 0 < percent < 100:
            self.fail(share, "share_out_of_range", found=str(share), clock=str(name))
        return x.OnShare(self.clock(name), percent, guard, self.pos(node))

    def _on_shifted(self, node: Branch, guard: x.Condition | None) -> x.OnClockOffset | x.OnFact:
        shifted = self.shifted(node)
        if isinstance(shifted.base, x.EventField):
            self.fail(node, "event_field_as_moment", found=self.source(node))
        name = shifted.base.name
        if name in self.names.clocks:
            return x.OnClockOffset(name, shifted.sign, shifted.by, guard, self.pos(node))
        return x.OnFact(name, shifted.sign, shifted.by, guard, self.pos(node))

    def _on_name(self, node: Branch, guard: x.Condition | None) -> x.Alternative:
        token = cast("Word", node.children[0])
        name = self.name(token)
        if name in CASE_MOMENTS:
            return x.OnCase(cast("x.CaseMoment", name), guard, self.pos(node))
        if name in self.names.clocks:
            self.fail(node, "bare_clock", clock=name)
        if name.endswith(("_at", "_on")):
            return x.OnFact(name, 1, None, guard, self.pos(node))
        if guard is not None:
            self.fail(node, "unknown_trigger", found=name, choice=Choice(name, CASE_MOMENTS))
        return x.OnCondition(self.condition(node), self.pos(node))
