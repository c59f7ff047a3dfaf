"""What became of one event: which cases took it, or why none did: each `if` with the facts as they were posted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reeve.domain.case import Case, CaseKey
from reeve.domain.events import Event
from reeve.ports import NO_CASE
from reeve.runtime.explaining.conditions import Shows
from reeve.runtime.explaining.story import DecisionRead, Line, Story
from reeve.runtime.explaining.teller import Answer, Teller

_SAID = ("at", "case", "policy", "effect", "because")


def without_case(event: Event) -> Case:
    """Stands for the case of a subject that has none."""
    return Case(CaseKey(event.site, NO_CASE, event.subject), event.family, "", event.at)


def explain_event(
    event: Event,
    stored: Mapping[str, Any],
    story: Story,
    taken: list[tuple[str, DecisionRead]],
    shows: Shows,
    *,
    in_words: bool = False,
) -> dict[str, Any]:
    """`state` is one of

    refused      it can't be applied, and is in the dead letters (`why`)
    undecided    it is accepted, and escalation has not decided it yet
    waits        no case takes it so far (`untaken`)
    taken        cases have taken it (`cases`), at once or after it had waited (`untaken`)

    `stored` is its document, `story` that of its subject without a case, `taken` the decisions it caused.
    """
    teller = Teller(story, shows, story.vocabulary if in_words else None)
    untaken = next((each for each in story.decisions if each.event_key == event.key), None)
    found: dict[str, Any] = {
        "event": event.id,
        "key": event.key,
        "type": event.type,
        "site": event.site,
        "subject": event.subject,
        "source": event.source,
        "at": teller.moment(event.at),
        "received_at": teller.moment(stored.get("received_at")),
        "state": _state(stored, taken),
    }
    if found["state"] == "refused":
        found["why"] = stored["refused"]
    if untaken is not None:
        found["untaken"] = explain_untaken(untaken, story, teller)
    found["cases"] = [
        {
            "case": case,
            "version": decision.bundle,
            "lines": [line_answer(line, teller) for line in decision.lines],
            "refused_by": list(considered.refused) if (considered := _considered(decision)) is not None else [],
        }
        for case, decision in taken
    ]
    return found


def _considered(decision: DecisionRead) -> Any:
    return decision.trace.considered if decision.trace is not None else None


def _state(stored: Mapping[str, Any], taken: list[tuple[str, DecisionRead]]) -> str:
    if stored.get("refused"):
        return "refused"
    if taken:
        return "taken"
    return "undecided" if stored.get("applied_at") is None else "waits"


def line_answer(line: Line, teller: Teller) -> Answer:
    """One line of the timeline and what caused it."""
    return {
        "at": teller.moment(line.at),
        "effect": line.effect,
        "keys": {name: value for name, value in line.keys.items() if name not in _SAID},
        "rule": line.rule,
        "cause": teller.cause(line.decision, line),
    }


def explain_untaken(decision: DecisionRead, story: Story, teller: Teller) -> Answer:
    """An event that no case took: each policy whose `if` did not hold, with the facts as posted."""
    event = story.events[decision.event_key or ""]
    bundle = story.bundles.get(decision.bundle)
    considered = decision.trace.considered if decision.trace is not None else None
    refused: list[Answer] = []
    for name in considered.refused if considered is not None else ():
        policy = bundle.policies.get(name) if bundle is not None else None
        facts = considered.seen_by(name) if considered is not None else {}
        condition = None
        if policy is not None and policy.when is not None:
            condition = teller.condition(policy.when, facts, held=False)
        refused.append({"policy": name, "condition": condition})
    return {
        "event": event.id,
        "type": event.type,
        "subject": event.subject,
        "at": teller.moment(event.at),
        "version": decision.bundle,
        "opens": considered is not None and bool(considered.refused),
        "refused_by": refused,
    }
