"""The process that runs durable-rules, and may die of it: `python -m reeve.runtime.durable_worker SECONDS`.

Says "ready" (or why it can't be), then reads one JSON array a line and answers one JSON value a line, in order:
`["load", name, rules]` → null, the set of rules is ready; `["ask", name, fact]` → the names of the rules that
fired. It ends when its input does, when a call into the engine takes longer than SECONDS (the engine holds the
interpreter, so only the watch-dog's own thread can end it), and on any doubt about the engine's state.
Nothing but the standard library and the engine is imported here, so a new one is ready in a tenth of a second.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import resource
import sys
from typing import Any

_MOST_MEMORY = 2 * 1024**3
_LAST = "__end"
_RETRACT = '{"id":"e"}'


class Distrusted(RuntimeError):
    """The engine did something the fence rules out: nothing it says from now on counts."""


class RuleSet:
    """One set of rules in the engine: one state, one fact at a time, taken back after each question."""

    def __init__(self, engine: Any, name: str, rules: str) -> None:
        self._engine = engine
        self._handle = engine.create_ruleset(name, rules)
        # The state's memory is initialised only when a first fact has matched something.
        self.fired('{"id":"e","_k":"s"}')

    def fired(self, fact: str) -> list[str]:
        """Names of the rules that fire for the fact, each once, in order of priority."""
        engine, handle = self._engine, self._handle
        refused, state = engine.assert_fact(handle, fact)
        names: list[str] = []
        action = engine.start_action_for_state(handle, state)
        message = action[1] if action else None
        while message is not None:
            names.append(next(iter(json.loads(message))))
            message = engine.complete_and_start_action(handle, state)
        engine.retract_fact(handle, _RETRACT)
        if refused or not names or names[-1] != _LAST:
            raise Distrusted("the rule that always fires last did not")
        return list(dict.fromkeys(names[:-1]))


def main() -> None:
    """Serves questions until the input ends."""
    seconds = float(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        engine = importlib.import_module("durable_rules_engine")
    except ImportError as error:
        _say(str(error))
        return
    _say("ready")
    sets: dict[str, RuleSet] = {}
    for line in sys.stdin:
        what, name, payload = json.loads(line)
        faulthandler.dump_traceback_later(seconds, exit=True)
        answer: list[str] | None = None
        if what == "load":
            sets[name] = RuleSet(engine, name, payload)
        else:
            answer = sets[name].fired(payload)
        faulthandler.cancel_dump_traceback_later()
        _say(answer)


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
