"""Why a step's moment has not come: what its trigger waits for, as the case stood at the end of the story."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from reeve.domain import expressions as x
from reeve.domain.bundle import Policy, StepRule
from reeve.domain.calendar import end_of, from_start, shift
from reeve.domain.case import Due
from reeve.domain.facts import typed, zone_of
from reeve.rulelang.show import show_length, spoken
from reeve.runtime.explaining.clocks_then import ClockThen
from reeve.runtime.explaining.story import Story
from reeve.runtime.explaining.teller import Answer, Teller

ClockAlternative = x.OnClock | x.OnShare | x.OnUndated | x.OnClockOffset


def what_it_waits_for(
    story: Story,
    teller: Teller,
    policy: Policy,
    step: StepRule,
    clocks: dict[str, ClockThen],
    at: datetime | None,
) -> list[Answer]:
    """One answer for each alternative of the trigger; `reason` is one of

    no_event           no event `type` has come
    not_happened       the case was not `what` (graded, reopened, acknowledged, closed …)
    clock_not_started  `clock` has not started; `start` is what starts it, `condition` the `if` that did not hold
                       when (`at`) it might have
    clock_running      `clock` runs and has not come so far; `due`, and the step's own `moment` where it has one
    clock_undated      `clock` runs and its due is not known
    clock_dated        the step is for a `clock` whose due is not known, and it is: `due`
    clock_paused       `clock` is paused
    clock_stopped      `clock` was stopped before (`stopped_at`, `met`)
    clock_breached     `clock` had run out before (`breached_at`): that moment had no turn of this step
    fact_unknown       the moment is named by `fact`, which is not known
    moment_ahead       the step's `moment` has not come
    condition_never    the condition that sets it off was not looked at yet
    past               it came, and the record does not say what was decided
    """
    waiting = _Waiting(story, teller, policy, clocks, at)
    return [waiting.answer(alternative) for alternative in step.on.alternatives]


class _Waiting:
    def __init__(
        self, story: Story, teller: Teller, policy: Policy, clocks: dict[str, ClockThen], at: datetime | None
    ) -> None:
        self._story = story
        self._tell = teller.answer
        self._words = teller.words
        self._failed = teller.failed
        self._policy = policy
        self._clocks = clocks
        self._at = at

    def answer(self, alternative: x.Alternative) -> Answer:
        match alternative:
            case x.OnEvent(type=type_):
                return self._tell("past" if self._came(type_) else "no_event", type=type_)
            case x.OnCase(what=what):
                happened = any(line.effect == what for line in self._story.lines)
                return self._tell("past" if happened else "not_happened", what=what)
            case x.OnCondition(when=when):
                return self._tell("condition_never", condition=spoken(when, self._words))
            case x.OnFact():
                return self._fact(alternative)
            case _:
                return self._clock(alternative)

    def _came(self, type_: str) -> bool:
        keys = {decision.event_key for decision in self._story.decisions}
        return any(event.type == type_ for key, event in self._story.events.items() if key in keys)

    def _clock(self, alternative: ClockAlternative) -> Answer:
        name = alternative.clock
        clock = self._clocks.get(name)
        if clock is None:
            rule = self._policy.clocks.get(name)
            start = rule.start.text if rule is not None else None
            return self._tell("clock_not_started", clock=name, start=start) | (self._failed("start", name) or {})
        keys: dict[str, Any] = {"clock": name, "due": clock.due}
        if isinstance(alternative, x.OnClock) and alternative.what != "breached":
            happened = {"started": True, "stopped": clock.status == "stopped", "paused": clock.status == "paused"}
            return self._tell("past" if happened.get(alternative.what) else "clock_running", **keys)
        if clock.status == "stopped":
            return self._tell("clock_stopped", **keys, stopped_at=clock.stopped_at, met=clock.met)
        if isinstance(alternative, x.OnUndated):
            if clock.due is not None:
                return self._tell("clock_dated", **keys)
            return self._tell("moment_ahead", clock=name, moment=self._moment(alternative, clock))
        if clock.breached_at is not None and not isinstance(alternative, x.OnClockOffset):
            return self._tell("clock_breached", **keys, breached_at=clock.breached_at)
        if clock.due is None:
            return self._tell("clock_undated", **keys)
        if clock.status == "paused":
            return self._tell("clock_paused", **keys)
        return self._tell("clock_running", **keys, moment=self._moment(alternative, clock))

    def _moment(self, alternative: ClockAlternative, clock: ClockThen) -> datetime | None:
        """The step's own moment, where that is not the clock's due."""
        site = self._story.site
        match alternative:
            case x.OnShare(percent=percent) if clock.due is not None:
                length = (clock.due - clock.started_at) // timedelta(microseconds=1)
                return clock.started_at + timedelta(microseconds=int(length * percent / 100))
            case x.OnClockOffset(sign=sign, by=by) if clock.due is not None and site is not None:
                return shift(Due(clock.due), sign, by, site).at
            case x.OnUndated(after=after) if site is not None:
                return from_start(clock.started_at, after, site).at
        return None

    def _fact(self, alternative: x.OnFact) -> Answer:
        name, site = alternative.fact, self._story.site
        value = typed(name, fact_then(self._story, name, self._at))
        moment: datetime | None = value if isinstance(value, datetime) else None
        if moment is None and site is not None and value is not None and not isinstance(value, str):
            moment = end_of(value, zone_of(site.zone))
        word = spoken(name, self._words)
        if moment is None:
            return self._tell("fact_unknown", fact=word)
        by = alternative.by
        if by is not None and site is not None:
            moment = shift(Due(moment), alternative.sign, by, site).at
        sign = "+" if alternative.sign > 0 else "-"
        text = word if by is None else f"{word} {sign} {show_length(by)}"
        ahead = self._at is None or moment > self._at
        return self._tell("moment_ahead" if ahead else "past", moment=moment, text=text)


def fact_then(story: Story, name: str, at: datetime | None) -> Any:
    """A fact as it was known at `at` (None: as it is), from the case or the events it took."""
    case = story.case
    if at is None or case.fact_times.get(name, case.opened_at) <= at:
        return case.facts.get(name)
    told = [event for event in story.events.values() if name in event.data and event.at <= at]
    return max(told, key=lambda event: event.at).data[name] if told else None
