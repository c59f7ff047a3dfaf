"""What durable-rules is never given, and what happens when its process dies all the same."""

from __future__ import annotations

import json
import os
import signal
from decimal import Decimal
from typing import Any

import pytest

from reeve.domain.expressions import And, Compare, Condition, Fact, In, Known, Literal, Not, Or
from reeve.rulelang.fence import OutsideFence, chunks_of, fence_problems
from reeve.runtime.durable_process import EngineMissing, EngineProcess, ProcessDied
from reeve.runtime.durable_rules import DurableRules, MatcherMissing
from tests.support.matchers import durable_rules


def at_least(name: str, n: int | str) -> Condition:
    return Compare(">=", Fact(name), Literal(Decimal(n)))


def either(*items: Condition) -> Condition:
    return Or(items)


class DyingProcess(EngineProcess):
    """Answers as told, in order, without any process: an exception is raised, a list returned."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def ask(self, what: str, name: str, payload: str) -> list[str]:
        self.asked.append(what)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    def stop(self) -> None:
        self.asked.append("stop")


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        (And(tuple(either(*(at_least(f"a{i}", j) for j in range(2))) for i in range(15))), "groups"),
        (And(tuple(either(*(at_least(f"a{i}", j) for j in range(5))) for i in range(3))), "combinations"),
        (either(*(at_least("a", j) for j in range(39))), "alternatives"),
        (And(tuple(Not(Known(Fact(f"a{i}"))) for i in range(41))), "absence"),
        (And(tuple(at_least(f"a{i}", 1) for i in range(201))), "tests"),
        (at_least("loss_cny", "0.00001"), "finer"),
        (at_least("loss_cny", 10**11), "beyond"),
        (Compare("==", Fact("title"), Literal("a" * 60_001)), "too long"),
        (In(Fact("title"), (Literal("\ud800"),)), "Unicode"),
    ],
)
def test_what_is_too_much_for_the_engine_is_refused_with_a_reason(condition: Condition, word: str) -> None:
    assert any(word in problem for problem in fence_problems(condition))
    with pytest.raises(OutsideFence, match=word):
        chunks_of((condition,))


def test_many_rules_are_spread_over_sets_that_the_engine_can_hold() -> None:
    chunks = chunks_of(tuple(at_least("a", i) for i in range(130)))
    assert len(chunks) == 3
    names = [len(chunk.fact({"a": 1})) for chunk in chunks]
    assert names == [6, 6, 4]  # id, guard of the set, up to three inner guards, the one field


def test_a_process_that_dies_is_replaced_and_asked_again() -> None:
    first = DyingProcess([[], ProcessDied("ended by signal 11")])
    second = DyingProcess([[], ["0"]])
    processes = [first, second]
    engine = DurableRules(start=lambda seconds: processes.pop(0))
    assert engine.holds(at_least("a", 1), {"a": 1})
    assert first.asked == ["load", "ask", "stop"]
    assert second.asked == ["load", "ask"]
    assert (engine.deaths, engine.stand_ins) == (1, 0)


def test_rules_that_kill_every_process_are_answered_by_the_closures() -> None:
    started: list[DyingProcess] = []

    def start(seconds: float) -> EngineProcess:
        started.append(DyingProcess([ProcessDied("ended by signal 11")]))
        return started[-1]

    engine = DurableRules(start=start)
    condition = at_least("a", 1)
    assert [engine.holds(condition, {"a": n}) for n in range(5)] == [False, True, True, True, True]
    assert engine.deaths == 3  # after that it is not tried again
    assert engine.stand_ins == 5


def test_a_condition_outside_the_fence_is_answered_by_the_closures() -> None:
    process = DyingProcess([])
    engine = DurableRules(start=lambda seconds: process)
    assert engine.holds(at_least("loss_cny", 10**12), {"loss_cny": 10**12})
    assert process.asked == []
    assert engine.stand_ins == 1


def test_a_missing_engine_says_how_to_get_it() -> None:
    def start(seconds: float) -> EngineProcess:
        raise EngineMissing("No module named 'durable_rules_engine'")

    with pytest.raises(MatcherMissing, match=r"pip install 'reeve\[durable-rules\]'"):
        DurableRules(start=start)


def test_a_killed_process_loses_no_answer() -> None:
    durable_rules()
    engine = DurableRules()
    condition = at_least("a", 1)
    assert engine.holds(condition, {"a": 1})
    running = engine._running
    assert running is not None
    os.kill(running.process.pid, signal.SIGKILL)
    assert engine.holds(condition, {"a": 1})
    assert engine.deaths == 1
    engine.close()


def test_a_call_that_never_returns_ends_in_time() -> None:
    durable_rules()
    process = EngineProcess(seconds=0.5)
    # 513 different conditions under one node make the engine loop for ever; the fence never lets them through.
    endless = {f"r{i}": {"all": [{"m": {"$gte": {"x": i}}}]} for i in range(513)}
    with pytest.raises(ProcessDied):
        process.ask("load", "endless", json.dumps(endless))
