"""The second matcher: durable-rules behind its fence, in a process of its own that may die.

`REEVE_MATCHER=durable-rules` chooses it; it needs the extra `reeve[durable-rules]` and a C compiler to install.
It is slower than closures and answers the same; it is here as the engine the project's owner named, and as an
independent check of our own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from reeve.domain.bundle import Scope
from reeve.domain.errors import ReeveError
from reeve.domain.expressions import Condition
from reeve.rulelang.closures import Closures
from reeve.rulelang.fence import Chunk, OutsideFence, chunks_of
from reeve.rulelang.kept import MOST_KEPT, Group, Kept
from reeve.runtime.durable_process import EngineMissing, EngineProcess, ProcessDied
from reeve.runtime.telemetry import get_log

log = get_log(__name__)

_MOST_SETS = 2_000
"""Sets of rules that one process is given before a fresh one takes over: the engine leaks with every reload."""
_MOST_DEATHS = 3
"""Deaths over one set of rules after which it is not asked again."""


class MatcherMissing(ReeveError):
    """durable-rules can't be used here; `reason` is a sentence for the operator. Permanent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Set:
    """One set of rules, and how it has fared in the engine."""

    name: str
    chunk: Chunk
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A group's sets of rules; `always` is the index of its first None, `trusted` false: outside the fence."""

    sets: tuple[_Set, ...]
    always: int | None
    trusted: bool = True


@dataclass(slots=True)
class _Running:
    """The engine's process, and the sets of rules it has loaded."""

    process: EngineProcess
    loaded: set[str] = field(default_factory=set)


class DurableRules:
    """A matcher (`reeve.domain.bundle.Matcher`) on durable-rules; safe to share between threads, one at a time.

    A process that dies or hangs over a question is replaced and asked once more; if that one dies as well, the
    closures answer and the log says so. Conditions outside the fence are answered by the closures too: a bundle
    that has any is refused when it is activated, so only a policy of an earlier bundle can bring one here.
    """

    def __init__(self, seconds: float = 2.0, start: Callable[[float], EngineProcess] = EngineProcess) -> None:
        """The engine answers. `seconds`: how long one question may take. Raises MatcherMissing."""
        self._seconds = seconds
        self._start = start
        self._lock = threading.Lock()
        self._count = 0
        self._closures = Closures()
        self._groups = Kept(self._prepare)
        self._singles: dict[int, tuple[Condition]] = {}
        self.deaths = 0
        """How often the engine's process had to be replaced."""
        self.stand_ins = 0
        """How many questions the closures answered in the engine's place."""
        self._running: _Running | None = self._started()

    def holds(self, condition: Condition, scope: Scope) -> bool:
        """Whether the condition holds, as the closures would say."""
        group = self._singles.get(id(condition))
        if group is None:
            if len(self._singles) >= MOST_KEPT:
                self._singles.clear()
            group = self._singles[id(condition)] = (condition,)
        return self.first(group, scope) is not None

    def first(self, group: Group, scope: Scope) -> int | None:
        """Index of the first condition that holds; None in the group always holds; None if nothing does."""
        prepared = self._groups.get(group)
        if not prepared.trusted:
            self.stand_ins += 1
            return self._closures.first(group, scope)
        for rules in prepared.sets:
            fired = self._ask(rules, json.dumps(rules.chunk.fact(scope), ensure_ascii=False))
            if fired is None:
                self.stand_ins += 1
                return self._closures.first(group, scope)
            if fired:
                return min(map(int, fired))
        return prepared.always

    def close(self) -> None:
        """The process has ended; a later question starts another."""
        with self._lock:
            if self._running is not None:
                self._running.process.stop()
                self._running = None

    def _prepare(self, group: Group) -> _Prepared:
        always = next((index for index, item in enumerate(group) if item is None), None)
        asked = tuple(item for item in group[:always] if item is not None)
        try:
            chunks = chunks_of(asked)
        except OutsideFence as outside:
            log.warning(
                "A condition is outside durable-rules' fence; the closures answer for it.",
                action="matcher_outside_fence",
                rule=str(outside.pos),
                problems=outside.problems,
            )
            return _Prepared((), always, trusted=False)
        sets = []
        for chunk in chunks:
            self._count += 1
            sets.append(_Set(f"rules{self._count}", chunk))
        return _Prepared(tuple(sets), always)

    def _ask(self, rules: _Set, fact: str) -> list[str] | None:
        """Names of the rules that fired; None when the engine can't be trusted with this set or this fact."""
        with self._lock:
            for _ in range(2):
                if rules.deaths >= _MOST_DEATHS:
                    return None
                try:
                    return self._answer(rules, fact)
                except ProcessDied as died:
                    self._bury(rules, died)
                except MatcherMissing as missing:
                    log.warning(
                        "durable-rules does not start again.", action="matcher_missing", reason=missing.reason
                    )
                    return None
        return None

    def _answer(self, rules: _Set, fact: str) -> list[str]:
        running = self._running
        if running is not None and rules.name not in running.loaded and len(running.loaded) >= _MOST_SETS:
            running.process.stop()
            running = None
        if running is None:
            running = self._running = self._started()
        if rules.name not in running.loaded:
            running.process.ask("load", rules.name, rules.chunk.rules)
            running.loaded.add(rules.name)
        return running.process.ask("ask", rules.name, fact)

    def _bury(self, rules: _Set, died: ProcessDied) -> None:
        self.deaths += 1
        rules.deaths += 1
        if self._running is not None:
            self._running.process.stop()
            self._running = None
        log.error(
            "The process of durable-rules died over a question; another one takes over.",
            action="matcher_died",
            rules=rules.name,
            reason=died.reason,
            given_up=rules.deaths >= _MOST_DEATHS,
        )

    def _started(self) -> _Running:
        try:
            return _Running(self._start(self._seconds))
        except EngineMissing as missing:
            raise MatcherMissing(
                f"durable-rules can't be used here: {missing.reason}. Install it with "
                "pip install 'reeve[durable-rules]' (it needs a C compiler), or unset REEVE_MATCHER."
            ) from missing
