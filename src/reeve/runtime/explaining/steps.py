"""What each step of a case's policy did, and why it did not act: the record's answer, never a new decision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reeve.domain.bundle import Policy, StepRule
from reeve.runtime.explaining.clocks_then import clocks_then
from reeve.runtime.explaining.pending import what_it_waits_for
from reeve.runtime.explaining.story import DecisionRead, Line, Story
from reeve.runtime.explaining.teller import Answer, Teller
from reeve.runtime.explaining.told import notifications_of
from reeve.runtime.traces import SceneRead


def every_step(story: Story, teller: Teller, at: datetime | None) -> list[Answer]:
    """Each step with what it told (`told`), what else it did (`did`) and why it did not act (`not`).

    `not` holds the latest answer of each kind since the case was opened or reopened; besides those of `pending`:

    grade       it is for other grades (`grades`) than the case had (`grade`)
    condition   its `if`, or the `if` of its trigger (`on`), did not hold (`condition`)
    sample      the case is not among the step's sample
    claimed     another case of the same matter had the sending (`holder`; null: this one had it before)
    ended       its repeats were ended (`what`: acknowledged, stopped, until, closed, reopened)
    closed      the case was closed before its moment came
    not_kept    its moment came, but was decided before explanations were kept
    """
    policy = story.policy
    if policy is None:
        return []
    reasons = _reasons(story, teller, policy)
    return [_step(story, teller, policy, step, reasons.get(step.name, []), at) for step in policy.steps]


def _step(
    story: Story, teller: Teller, policy: Policy, step: StepRule, reasons: list[Answer], at: datetime | None
) -> Answer:
    told = notifications_of(story, teller, step.name)
    did = _deeds(story, teller, step)
    since = _run_began(story)
    now_told = any(line.at >= since for line in story.lines if line.keys.get("step") == step.name)
    if not reasons and not now_told and not did:
        reasons = _nothing_yet(story, teller, policy, step, at)
    return {
        "step": step.name,
        "rule": str(step.pos),
        "on": step.on.text,
        "roles": sorted({role for level in step.levels for role in level.notify}),
        "told": told,
        "did": did,
        "not": reasons,
    }


def _nothing_yet(story: Story, teller: Teller, policy: Policy, step: StepRule, at: datetime | None) -> list[Answer]:
    closed = next((line for line in reversed(story.lines) if line.effect in ("closed", "opened", "reopened")), None)
    if closed is not None and closed.effect == "closed":
        return [teller.answer("closed", at=closed.at) | {"cause": teller.cause(closed.decision, closed)}]
    clocks = clocks_then(story.lines)
    found = what_it_waits_for(story, teller, policy, step, clocks, at)
    if not story.traced:
        return [
            {**each, "reason": "not_kept"}
            if each["reason"] in ("past", "condition_never", "clock_breached")
            else each
            for each in found
        ]
    return found


def _deeds(story: Story, teller: Teller, step: StepRule) -> list[Answer]:
    """What the step did besides telling: a worse grade, a reopening, another case opened."""
    own = {str(step.pos), *(str(level.pos) for level in step.levels)}
    effects = ("graded", "reopened", "child_opened")
    return [
        {"effect": line.effect, "at": teller.moment(line.at), "cause": teller.cause(line.decision, line)}
        | {name: line.keys[name] for name in ("grade", "child", "run") if name in line.keys}
        for line in story.lines
        if line.effect in effects and line.rule in own and line.keys.get("step", step.name) == step.name
    ]


def _run_began(story: Story) -> datetime:
    """When the case was opened or last reopened."""
    began = [line.at for line in story.lines if line.effect in ("opened", "reopened")]
    return began[-1] if began else story.case.opened_at


def _reasons(story: Story, teller: Teller, policy: Policy) -> dict[str, list[Answer]]:
    """Step → the latest answer of each kind, oldest first."""
    since = _run_began(story)
    found: dict[str, dict[object, Answer]] = {}
    for decision, scene in story.scenes():
        if scene.at < since:
            continue
        for name, answer in _of_scene(story, teller, policy, decision, scene):
            kind = (answer["reason"], answer.get("condition", {}).get("rule"))
            kept = found.setdefault(name, {})
            times = kept.pop(kind, {"times": 0})["times"] + 1
            kept[kind] = answer | {"times": times}
    return {name: list(kept.values()) for name, kept in found.items()}


def _of_scene(
    story: Story, teller: Teller, policy: Policy, decision: DecisionRead, scene: SceneRead
) -> Iterable[tuple[str, Answer]]:
    for test in scene.tests:
        place = story.place_of(decision, test)
        if place is not None and place.use in ("on", "if") and not test.held:
            weighed = teller.condition(place.condition, scene.facts, test.held)
            keys = {"at": scene.at, "condition": weighed, "part": place.use}
            yield place.name, teller.answer("condition", decision, **keys) | _in_hand(scene)
    by_name = {step.name: step for step in policy.steps}
    for name, kind, what in scene.notes:
        if kind == "grade_from":
            continue
        step = by_name.get(name)
        answer = teller.answer(kind, decision, at=scene.at) | _in_hand(scene)
        match kind:
            case "grade":
                answer |= {"grade": what, "grades": list(step.grades) if step is not None else []}
            case "claimed":
                answer |= {"holder": what or None, "fact": step.once_per if step is not None else None}
            case "ended":
                answer |= {"what": what}
            case "sample":
                answer |= {"share": str(step.sample) if step is not None and step.sample is not None else None}
        yield name, answer


def _in_hand(scene: SceneRead) -> Answer:
    """What was in hand: an event, or time that had passed (of a clock, where one was)."""
    return {"clock": scene.clock} if not scene.event and scene.clock is not None else {}


def lines_at_end(story: Story) -> list[Line]:
    """The lines of the latest moment of the story."""
    lines = story.lines
    return [line for line in lines if line.at == lines[-1].at] if lines else []
