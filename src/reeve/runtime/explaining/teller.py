"""How the pieces of an answer are written: moments at the site, conditions weighed, facts that may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from reeve.domain.expressions import Condition
from reeve.domain.facts import zone_of
from reeve.runtime.explaining.conditions import Shows, shown_value, weigh
from reeve.runtime.explaining.places import Use
from reeve.runtime.explaining.story import DecisionRead, Line, Story

Answer = dict[str, Any]
"""A piece of an explanation, ready for JSON: `reason` says what it is, the other keys are its particulars."""


class Teller:
    """Writes down answers about one story.

    `words` None: names as the rules' language has them; else in these words (`SiteSettings.vocabulary`).
    """

    def __init__(self, story: Story, shows: Shows, words: Mapping[str, str] | None = None) -> None:
        self.story = story
        self.words = words or {}
        self._shows = shows
        self._zone = _zone_of(story)

    def moment(self, at: datetime | None) -> str | None:
        """RFC 3339 with the site's offset."""
        return None if at is None else at.astimezone(self._zone).isoformat()

    def condition(self, condition: Condition, facts: Mapping[str, Any] | None, held: bool) -> Answer:
        """A condition that was looked at, and what its answer rests on."""
        return weigh(condition, facts or {}, held, self.words).as_json(self._shows)

    def failed(self, use: Use, name: str) -> Answer | None:
        """The latest condition of that use that did not hold, and what came then; None: none failed."""
        failed = self.story.failed(use, name)
        if failed is None:
            return None
        decision, scene, place = failed
        weighed = self.condition(place.condition, scene.facts, held=False)
        return {"at": self.moment(scene.at), "cause": self.cause(decision), "condition": weighed}

    def value(self, name: str, value: Any) -> Any:
        """A fact's value, if it may be shown."""
        return shown_value(name, value, self._shows)

    def cause(self, decision: DecisionRead | None, line: Line | None = None) -> Answer:
        """What made it happen: the event with its type, or the clock whose moment came; and the rules' version."""
        because = line.keys["because"] if line is not None else {}
        found: Answer = {}
        event = self.story.events.get(decision.event_key or "") if decision is not None else None
        posted = because.get("event") if line is not None else (decision.event if decision is not None else None)
        if posted is not None:
            found["event"] = posted
            # A line says which event; the decision's own is another one where time passed before it.
            if event is not None and event.id == posted:
                found |= {"type": event.type, "event_at": self.moment(event.at)}
        elif because.get("clock") is not None:
            found["clock"] = because["clock"]
        if decision is not None:
            found["version"] = decision.bundle
        return found

    def answer(self, reason: str, decision: DecisionRead | None = None, **keys: Any) -> Answer:
        """An answer with its particulars; moments in them are written at the site."""
        told = {name: self.moment(value) if isinstance(value, datetime) else value for name, value in keys.items()}
        return {"reason": reason, **told, **({"cause": self.cause(decision)} if decision is not None else {})}


def _zone_of(story: Story) -> tzinfo:
    site = story.site
    if site is not None:
        return zone_of(site.zone)
    lines = story.lines
    zone = lines[-1].at.tzinfo if lines else None
    return zone or UTC
