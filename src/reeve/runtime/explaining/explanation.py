"""The whole explanation of a case, and who of it a person or role is concerned with."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from reeve.domain.recipients import ASSIGNEE, OWNER, Recipient
from reeve.runtime.explaining.conditions import Shows
from reeve.runtime.explaining.events import explain_untaken, line_answer
from reeve.runtime.explaining.grade import why_this_grade
from reeve.runtime.explaining.steps import every_step, lines_at_end
from reeve.runtime.explaining.story import Story
from reeve.runtime.explaining.teller import Answer, Teller


def explain_case(story: Story, at: datetime | None, shows: Shows, *, in_words: bool = False) -> dict[str, Any]:
    """Why the grade, what happened last and why, who was told, and why each other step did not act.

    `at`: as things stood then; None: as they stand. Later decisions are not looked at. `in_words`: facts go by the
    site's own words for them.
    """
    case, then = story.case, story.until(at)
    teller = Teller(then, shows, then.vocabulary if in_words else None)
    last, policy = then.last, then.policy
    return {
        "case": str(case.key),
        "at": teller.moment(at),
        "opened_at": teller.moment(case.opened_at),
        "state": _state(then),
        "version": last.bundle if last is not None else None,
        "file": policy.pos.file if policy is not None else None,
        "readable": policy is not None,
        "kept": then.traced,
        "grade": why_this_grade(then, teller),
        "opening": _opening(then, teller),
        "now": _now(then, teller),
        "steps": every_step(then, teller, at),
        "waited": [
            explain_untaken(each, then, teller) | {"taken_since": each.event_key in case.applied}
            for each in then.waited
            if each.event_key in then.events
        ],
    }


def _state(story: Story) -> str:
    turns = [line.effect for line in story.lines if line.effect in ("opened", "reopened", "closed")]
    if not turns:
        return "not opened yet"
    return "closed" if turns[-1] == "closed" else "open"


def _opening(story: Story, teller: Teller) -> Answer | None:
    """Why there is a case: the event that opened it, the policy's `if`, and the policies that did not take it."""
    opened = next((line for line in story.lines if line.effect == "opened"), None)
    if opened is None:
        return None
    found: Answer = {"at": teller.moment(opened.at), "cause": teller.cause(opened.decision, opened)}
    if story.case.parent is not None:
        return found | {"parent": story.case.parent}
    considered = opened.decision.trace.considered if opened.decision.trace is not None else None
    if considered is None:
        return found
    policy = story.policy_of(opened.decision)
    if policy is not None and policy.when is not None:
        facts = considered.seen_by(policy.name)
        found["condition"] = teller.condition(policy.when, facts, held=True)
    return found | {"refused_by": list(considered.refused)}


def _now(story: Story, teller: Teller) -> list[Answer]:
    """The latest moment: each line with what caused it, or the event that nothing followed from."""
    last = story.last
    lines = lines_at_end(story)
    found = [
        line_answer(line, teller) | {"clock": _clock_behind(story, teller, line.keys["because"].get("clock"))}
        for line in lines
    ]
    if last is not None and not last.lines and last.event is not None:
        silent = {"at": teller.moment(story.moment_of(last)), "effect": None, "cause": teller.cause(last)}
        if not lines or story.moment_of(last) >= lines[-1].at:
            found.append(silent)
    return found


def _clock_behind(story: Story, teller: Teller, clock: str | None) -> Answer | None:
    """The clock whose moment came: when it started, by which limit, and what might have stopped it and did not."""
    policy = story.policy
    rule = policy.clocks.get(clock or "") if policy is not None else None
    started = [line for line in story.lines if line.effect == "clock_started" and line.keys["clock"] == clock]
    if rule is None or not started:
        return None
    graded = [line.keys["grade"] for line in story.lines if line.effect == "graded"]
    limit = rule.limits.get(graded[-1] if graded else "") or rule.limits.get("")
    first = [line for line in started if not line.keys.get("changed")]
    return {
        "clock": clock,
        "started_at": teller.moment((first or started)[-1].at),
        "limit": limit.text if limit is not None else None,
        "rule": str(rule.pos),
        "not_stopped": teller.failed("stop", rule.name),
    }


def roles_of(person: Recipient, story: Story) -> frozenset[str]:
    """The roles that a person has for this case: those held, and `owner` or `assignee` by the case's facts."""
    facts = story.case.facts
    roles = set(person.all_roles)
    if facts.get("customer") is not None and str(facts["customer"]) in person.customers:
        roles.add(OWNER)
    if facts.get("assignee") is not None and str(facts["assignee"]) == person.id:
        roles.add(ASSIGNEE)
    return frozenset(roles)


def only_about(steps: list[Answer], who: str, roles: Collection[str]) -> list[Answer]:
    """The steps that concern a person (`who`, with these roles) or, where `who` is a role, that role.

    What was told is cut down to what went to that person or role. A step that told others of the role, or told the
    role while this person was not found for it, says so: `others`.
    """
    found: list[Answer] = []
    for step in steps:
        mine = [cut for told in step["told"] if (cut := _cut(told, who, roles)) is not None]
        if mine or (set(step["roles"]) & ({who} | set(roles))):
            found.append({**step, "told": mine})
    return found


_TELLING = {"delivered": 0, "sent": 1, "merged": 2, "suppressed": 4, "failed": 5, "undeliverable": 6}
"""What became of a person's deliveries in one word: of the states the first; any other, in the middle: it waits."""


def _cut(told: Answer, who: str, roles: Collection[str]) -> Answer | None:
    if who in told["to"]:
        return told
    own = [each for each in told["deliveries"] if each["recipient"] == who]
    if own:
        first = min(own, key=lambda each: _TELLING.get(each["state"], len(_TELLING) // 2))
        if first["state"] not in _TELLING:
            return {**told, "deliveries": own, "outcome": "waits"}
        of_others = {"why", "silence", "into", "hold", "until", "next_role"}
        kept = {name: value for name, value in told.items() if name not in of_others}
        more = {"into": first["into"]} if first["state"] == "merged" else {}
        if first["state"] == "suppressed":
            more = {"why": first["last_reason"], "silence": first["silence"]}
        return {**kept, "deliveries": own, "outcome": first["state"], **more}
    if set(told["to"]) & set(roles):
        others = sorted({each["recipient"] for each in told["deliveries"] if each["recipient"] is not None})
        if others:
            return {**told, "outcome": "others", "others": others}
        return told
    return None
