"""Points for what happens to a case, each a line of its timeline, so that every point can be traced. Source: SCORE.

Scores are those of the active bundle, whatever file the case itself runs on.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from reeve.domain.bundle import ScoreRule, Scores
from reeve.domain.case import ClockState, Scored
from reeve.domain.expressions import Position
from reeve.domain.facts import scope_of
from reeve.domain.turn import Turn
from reeve.domain.waiters import Happening, Whens, named_happenings

Listening = dict[Happening, list[tuple[ScoreRule, Whens]]]


class _ById:
    """Scores as a cache key: by identity, since they are immutable."""

    __slots__ = ("scores",)

    def __init__(self, scores: Scores) -> None:
        self.scores = scores

    def __hash__(self) -> int:
        return id(self.scores)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.scores is self.scores


@lru_cache(maxsize=1024)
def _listening(key: _ById) -> Listening:
    found: Listening = {}
    for rule in key.scores.rules:
        for happening, whens in named_happenings(rule.on):
            found.setdefault(happening, []).append((rule, whens))
    return found


def on_happening(turn: Turn, happening: Happening) -> None:
    """Everything that scores because of this stands on the timeline."""
    scores = turn.bundle.scores.get(turn.case.key.policy)
    if scores is None:
        return
    waiting = _listening(_ById(scores)).get(happening)
    if not waiting:
        return
    matcher = turn.bundle.matcher
    scope = scope_of(scores.reads, turn.case, turn.event, turn.at, turn.site.zone, turn.count)
    for rule, whens in waiting:
        if any(when is None or matcher.holds(when, scope) for when in whens) and (
            rule.when is None or matcher.holds(rule.when, scope)
        ):
            to = turn.case.facts.get(rule.to) if rule.to_fact else rule.to
            name = to if isinstance(to, str) else None
            scored = Scored(rule.points, name, rule.fact, rule.pos.file, rule.pos.line)
            _emit(turn, scored)
            if (happening.kind, happening.what) == ("clock", "breached"):
                turn.clock_state(happening.clock).scored.append(scored)


def take_back(turn: Turn, state: ClockState) -> None:
    """The breach was none: what it scored is given back, line by line."""
    for scored in state.scored:
        _emit(turn, replace(scored, points=-scored.points))
    state.scored.clear()


def _emit(turn: Turn, scored: Scored) -> None:
    details = {"points": scored.points, "to": scored.to} | ({"fact": scored.fact} if scored.fact else {})
    turn.emit("scored", Position(scored.file, scored.line, 1), details)
