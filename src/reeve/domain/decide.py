"""The decision core: `decide(case, given, facts, bundle, now)` is pure and the only place where cases change.

Services, `rules test` and `rules simulate` call this one function. All logic runs on the events' own times;
`now` is only the moment at which the deciding is done.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from reeve.domain import answering, clocks, grading, moments, scores, steps
from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.counts import count_key
from reeve.domain.duties import duty_of
from reeve.domain.effects import Decision, Effect
from reeve.domain.events import Event
from reeve.domain.facts import book, merge
from reeve.domain.inputs import ChildOpening, DutyOpening, Facts, Input, Opening, Recount, Revise, Tick
from reeve.domain.openings import due_duty, opening_case
from reeve.domain.pinning import chosen_policy, policy_of
from reeve.domain.trace import Trace
from reeve.domain.turn import Turn
from reeve.domain.waiters import Happening

MOST_HAPPENINGS = 1000
"""Rules that set each other off without end stop here."""


def decide(case: Case | None, given: Input, facts: Facts, bundle: Bundle, now: datetime) -> Decision:
    """The case after `given`, and what happened, in order. The case handed in is not touched.

    `case` is None only for an opening. An event already applied, and a tick before anything is due, change
    nothing (`changed` False). Raises NotLoaded if `facts` lacks something, PolicyMissing (permanent) if the
    case's rule file is gone.
    """
    if case is not None and isinstance(given, Event) and given.key in case.applied:
        return Decision(case, (), changed=False)
    turn = _turn_for(case, given, facts, bundle, now)
    if case is not None and case.open:
        _recalculate_provisional(turn)
    match given:
        case Opening(event=event):
            _open(turn, event, event.at)
        case ChildOpening(at=at, event=child_event):
            _open(turn, child_event, at)
        case DutyOpening(at=at):
            _open(turn, None, at, clock=duty_of(turn.case))
            _run_until(turn, now, inclusive=True)
        case Event():
            _take(turn, given)
        case Recount(event=event, at=at):
            _recount(turn, event, at)
        case Tick(until=until) | Revise(at=until):
            _run_until(turn, until, inclusive=True)
    _finish(turn)
    if case is not None and isinstance(given, Tick | Revise) and not turn.effects and turn.case == case:
        return Decision(case, (), changed=False)
    turn.case.version += 1
    effects = tuple(turn.effects) if isinstance(given, Opening | ChildOpening) else _sent(turn, given)
    trace = Trace(turn.policy.digest, tuple(turn.scenes), turn.policy.pos.file)
    return Decision(turn.case, effects, True, tuple(turn.claims), tuple(turn.children), trace)


# --- which case, which policy ---------------------------------------------------------------------------------


def _turn_for(case: Case | None, given: Input, facts: Facts, bundle: Bundle, now: datetime) -> Turn:
    if isinstance(given, Opening | ChildOpening):
        policy = bundle.policies[given.key.policy]
        return Turn(opening_case(case, given, policy), policy, bundle, facts, now)
    if case is None:
        wrong = "only an opening may come without a case"
        raise TypeError(wrong)
    if isinstance(given, DutyOpening):
        policy = bundle.policies[case.key.policy]
        return Turn(due_duty(case, given, policy), policy, bundle, facts, now)
    policy = (
        chosen_policy(given, case, bundle) if isinstance(given, Revise) and given.to else policy_of(case, bundle)
    )
    turn = Turn(case.copy(), policy, bundle, facts, now)
    if policy.digest != case.digest:
        _adopt(turn, given)
    return turn


def _adopt(turn: Turn, given: Input) -> None:
    """The case goes on with another file, and says so; what is due under it counts from now on.

    A closed case only gets the file: nothing of it is decided any more until it is reopened.
    """
    case, policy = turn.case, turn.policy
    was, case.digest = case.digest, policy.digest
    chosen = given if isinstance(given, Revise) and given.to else None
    current = turn.bundle.policies.get(case.key.policy)
    case.kept = chosen is not None and current is not None and current.digest != policy.digest
    moment = max(case.decided_until or case.opened_at, case.opened_at)
    turn.begin(max(moment, given.at) if isinstance(given, Revise) else moment)
    if not case.open:
        return
    details = {"on_change": "person" if chosen else policy.on_change, "was": was, "now": policy.digest}
    said = {"by": chosen.by, "reason": chosen.reason} if chosen else {}
    turn.emit("adopted", policy.pos, details | {name: text for name, text in said.items() if text})
    _decided(turn)
    if chosen.recompute if chosen else policy.on_change == "recompute":
        turn.recount = True
        grading.grade_case(turn)
        clocks.recalculate(turn, force=True)
        _settle(turn)


def _recalculate_provisional(turn: Turn) -> None:
    """A due reckoned beyond the calendar follows the calendar as it is now, before anything is due by it."""
    case = turn.case
    if any(clock.live and clock.due is not None and clock.due.provisional for clock in case.clocks.values()):
        turn.begin(max(case.decided_until or case.opened_at, case.opened_at))
        clocks.recalculate(turn)


# --- the inputs -----------------------------------------------------------------------------------------------


def _open(turn: Turn, event: Event | None, at: datetime, *, clock: str | None = None) -> None:
    turn.begin(at, event=event, clock=clock)
    if event is not None:
        turn.case.applied.append(event.key)
        _merge(turn, event)
    turn.emit("opened", turn.policy.pos, {})
    if event is not None:
        turn.happen("event", event.type)
    turn.happen("case", "opened")
    grading.grade_case(turn)
    _settle(turn)
    _close_if_due(turn)


def _take(turn: Turn, event: Event) -> None:
    """An event of an open case, or one that reopens a closed one."""
    case = turn.case
    at = max(event.at, case.opened_at)
    if not case.open and event.verb != "reopened":
        _take_after_closing(turn, event, at)
        return
    _run_until(turn, at, inclusive=False)
    decided_until = case.decided_until
    turn.late = decided_until is not None and at < decided_until
    turn.begin(at, event=event)
    case.applied.append(event.key)
    _merge(turn, event)
    if event.verb == "reopened" and case.parent is None:
        steps.reopen(turn)
    elif event.verb == "regraded":
        grading.regrade(turn)
    if case.open:
        grading.grade_case(turn)
        clocks.recalculate(turn)
        answering.answer(turn, event)
        turn.happenings.appendleft(happening := Happening("event", event.type))
        turn.seen.append(happening)
        _settle(turn)
        _close_if_due(turn)
    if turn.late and decided_until is not None:
        _run_until(turn, decided_until, inclusive=True)


def _take_after_closing(turn: Turn, event: Event, at: datetime) -> None:
    """Late news of a closed case, older than its closing: clocks it would have stopped are set right."""
    turn.late = True
    turn.begin(at, event=event)
    turn.case.applied.append(event.key)
    _merge(turn, event)
    clocks.stop_late(turn, Happening("event", event.type))
    turn.happenings.clear()


def _merge(turn: Turn, event: Event) -> None:
    changed = merge(turn.case, event)
    if book(turn.case, event):
        changed.add("owed_cny")
    turn.facts_changed(changed)


def _recount(turn: Turn, event: Event, at: datetime) -> None:
    """A count crossed a compared value: the grade is decided again at that moment."""
    at = max(at, turn.case.opened_at)
    _run_until(turn, at, inclusive=False)
    if not turn.case.open:
        return
    turn.begin(at, event=event)
    turn.case.held = None
    turn.recount = True
    grading.grade_case(turn)
    clocks.recalculate(turn)
    _settle(turn)
    _close_if_due(turn)


def _run_until(turn: Turn, until: datetime, *, inclusive: bool) -> None:
    """Everything due before `until` (and at it, if inclusive) has happened, each at its own moment, in order."""
    if turn.fresh and not _due_by(turn, until):
        return
    while (moment := moments.next_moment(turn)) is not None:
        if moment.at > until or (moment.at == until and not inclusive):
            return
        turn.begin(moment.at)
        moments.happen(turn, moment)
        clocks.recalculate(turn)
        _settle(turn)
        _close_if_due(turn)
        _decided(turn)
        turn.begin(moment.at)


def _due_by(turn: Turn, until: datetime) -> bool:
    """Whether the case as it was saved has anything due by then: its `next_due` says so without a look round."""
    return turn.case.next_due is not None and turn.case.next_due <= until


# --- what follows ---------------------------------------------------------------------------------------------


def _settle(turn: Turn) -> None:
    """Everything that happened has reached the clocks and steps that wait for it, and so has what they caused."""
    for _ in range(MOST_HAPPENINGS):
        if not turn.happenings:
            if turn.event is None or not turn.listening.conditional:
                break
            clocks.on_conditions(turn)
            steps.on_conditions(turn)
            if not turn.happenings:
                break
            continue
        happening = turn.happenings.popleft()
        graded = turn.graded
        clocks.on_happening(turn, happening)
        steps.on_happening(turn, happening)
        scores.on_happening(turn, happening)
        if turn.graded and not graded:
            clocks.recalculate(turn)
    _decided(turn)


def _decided(turn: Turn) -> None:
    turn.case.decided_until = max(turn.at, turn.case.decided_until or turn.at)


def _close_if_due(turn: Turn) -> None:
    """The case is closed if its file says so of what happened or of its facts; never right after a reopening."""
    case, close = turn.case, turn.policy.close
    if close is None or not case.open or turn.reopened:
        return
    by_condition = turn.any_holds(turn.listening.close_conditions)
    if not by_condition and not any(
        turn.any_holds(whens) for happening in turn.seen for whens in turn.waiters(happening).closes
    ):
        return
    outcome = turn.event.verb if turn.event else "rule"
    case.open, case.closed_at, case.outcome = False, turn.at, outcome
    for name, state in case.steps.items():
        if state.ladder is not None:
            state.ladder = None
            turn.note(name, "ended", "closed")
    turn.emit("closed", close.pos, {"outcome": outcome})
    turn.happen("case", "closed")
    _settle(turn)


def _finish(turn: Turn) -> None:
    """What the store and the timers look at agrees with the state."""
    case = turn.case
    moment = moments.next_moment(turn)
    case.next_due = moment.at if moment else None
    if not case.open:
        case.count_keys = []
    elif case.version == 0 or not case.count_keys or turn.ever_changed & turn.policy.counted_facts:
        keys = (count_key(case.key.site, rule, case.facts) for rule in turn.policy.counts)
        case.count_keys = sorted({key for key in keys if key is not None})


def _sent(turn: Turn, given: Input) -> tuple[Effect, ...]:
    """Of the rounds that one late decision had to catch up on, only the newest of each rung is sent; of a duty
    whose next occurrence is due already, none.

    Every round keeps its `notify` line; a `suppressed` line behind it says that it was not sent.
    """
    newest: dict[tuple[str, int], int] = {}
    for index in turn.ran_by_time:
        notification = turn.effects[index].notification
        if notification is not None:
            newest[notification.step, notification.level] = index
    overtaken = isinstance(given, DutyOpening) and given.overtaken
    stale = set(turn.ran_by_time) - (set() if overtaken else set(newest.values()))
    effects: list[Effect] = []
    for index, effect in enumerate(turn.effects):
        notification = effect.notification
        if index not in stale or notification is None:
            effects.append(effect)
            continue
        details = {"step": notification.step, "to": list(notification.to), "round": notification.round}
        effects.append(replace(effect, notification=None))
        effects.append(replace(effect, what="suppressed", key=f"{effect.key}~suppressed", details=details))
    return tuple(effects)
