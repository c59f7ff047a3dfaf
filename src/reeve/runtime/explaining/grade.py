"""Why a case has the grade it has, and why none worse."""

from __future__ import annotations

from reeve.domain.bundle import Policy
from reeve.runtime.explaining.story import DecisionRead, Line, Story
from reeve.runtime.explaining.teller import Answer, Teller
from reeve.runtime.traces import SceneRead


def why_this_grade(story: Story, teller: Teller) -> Answer:
    """`reason` is one of

    condition    its condition held (`condition`), or it has none and takes what no worse grade took
    fact         it stands in a fact (`fact`, `value`)
    person       a person set it (`cause` names the event)
    step         a step made it worse (`step`)
    reopened     the case was reopened, which makes it worse by one
    not_kept     decided before explanations were kept: only the rule and the event are known
    no_grades    the policy has none
    none         nothing has graded it yet
    """
    graded = next((line for line in reversed(story.lines) if line.effect == "graded"), None)
    policy = story.policy_of(graded.decision if graded is not None else story.last)
    if graded is None:
        return teller.answer("none" if policy is None or policy.grade_order else "no_grades", grade=None)
    keys = {
        "grade": graded.keys["grade"],
        "was": graded.keys["was"],
        "at": graded.at,
        "rule": graded.rule,
        "title": None if policy is None else _title(policy, graded.keys["grade"]),
    }
    found = teller.answer(_kind(story, graded, policy), **keys)
    found["cause"] = teller.cause(graded.decision, graded)
    if found["reason"] == "condition" and policy is not None:
        found |= _own_condition(story, teller, graded, policy)
    elif found["reason"] == "fact" and policy is not None:
        found |= {"fact": policy.grade_from, "value": teller.value(policy.grade_from or "", _graded_by(graded))}
    elif found["reason"] == "step" and policy is not None:
        found["step"] = _step_at(policy, graded.rule)
    return found | _not_worse(story, teller, str(graded.keys["grade"]))


def _title(policy: Policy, grade: str) -> dict[str, str] | None:
    return next((dict(rule.title) for rule in policy.grades if rule.grade == grade and rule.title), None)


def _kind(story: Story, graded: Line, policy: Policy | None) -> str:
    event = story.events.get(graded.decision.event_key or "")
    if event is not None and event.verb == "regraded" and event.data.get("grade") == graded.keys["grade"]:
        return "person"
    beside = [line for line in graded.decision.lines if line.at == graded.at and line.rule == graded.rule]
    if any(line.effect == "reopened" for line in beside):
        return "reopened"
    if policy is None or graded.decision.trace is None:
        return "not_kept"
    if _step_at(policy, graded.rule) is not None:
        return "step"
    return "fact" if policy.grade_from is not None else "condition"


def _step_at(policy: Policy, rule: str) -> str | None:
    return next(
        (
            step.name
            for step in policy.steps
            if rule in {str(step.pos), *(str(level.pos) for level in step.levels if level.raise_grade)}
        ),
        None,
    )


def _graded_by(graded: Line) -> str | None:
    notes = [
        note[2]
        for scene in (graded.decision.trace.scenes if graded.decision.trace else ())
        for note in scene.notes
        if note[1] == "grade_from" and scene.at == graded.at
    ]
    return notes[-1] if notes else None


def _own_condition(story: Story, teller: Teller, graded: Line, policy: Policy) -> Answer:
    for scene in graded.decision.trace.scenes if graded.decision.trace else ():
        if scene.grades is None or scene.grades < 0 or scene.at != graded.at:
            continue
        rule = policy.grades[scene.grades]
        if rule.grade == graded.keys["grade"]:
            held = None if rule.when is None else teller.condition(rule.when, scene.facts, held=True)
            return {"condition": held}
    return {"condition": None}


def _not_worse(story: Story, teller: Teller, grade: str) -> Answer:
    """The worse grades, and why their conditions did not hold when they were last looked at."""
    looked: tuple[DecisionRead, SceneRead] | None = None
    for decision, scene in story.scenes():
        if scene.grades is not None:
            looked = decision, scene
    if looked is None:
        return {"not_worse": []}
    decision, scene = looked
    policy = story.policy_of(decision)
    if policy is None or scene.grades is None:
        return {"not_worse": []}
    first = len(policy.grades) if scene.grades < 0 else scene.grades
    worse = [
        {"grade": rule.grade, "condition": teller.condition(rule.when, scene.facts, held=False)}
        for rule in policy.grades[:first]
        if rule.when is not None and policy.worse(rule.grade, grade)
    ]
    calls_for = policy.grades[first].grade if first < len(policy.grades) else None
    milder = calls_for is not None and calls_for != grade and policy.worse(grade, calls_for)
    return {
        "not_worse": worse,
        "looked_at": teller.moment(scene.at),
        # A grade only gets worse by itself: the facts may call for a milder one by now.
        "facts_call_for": calls_for if milder else None,
    }
