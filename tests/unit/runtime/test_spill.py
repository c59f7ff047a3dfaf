"""A spilled map is a dict that does not grow in memory, and a simulation on it says the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reeve.contracts.timeline import timeline_line
from reeve.domain.simulate import Simulation
from reeve.runtime.spill import Spill
from tests.support.simulation import ZONE, event
from tests.unit.domain.test_language_example import RULES

operations = st.lists(st.tuples(st.sampled_from("sdg"), st.integers(0, 30)), max_size=200)


@settings(max_examples=50, deadline=None)
@given(operations)
def test_it_is_a_dict(steps: list[tuple[str, int]]) -> None:
    plain: dict[str, list[int]] = {}
    with Spill(hot=5) as shelf:
        spilled = shelf("things")
        for index, (what, number) in enumerate(steps):
            key = str(number)
            if what == "s":
                plain[key], spilled[key] = [index], [index]
            elif what == "d":
                assert (plain.pop(key, None) is None) == (spilled.pop(key, None) is None)
            elif key in plain:
                plain[key].append(index)
                spilled[key].append(index)
        assert dict(spilled) == plain
        assert len(spilled) == len(plain)


def test_a_simulation_on_disk_says_what_one_in_memory_says() -> None:
    events = [
        event(
            f"2026-03-02 {9 + n // 60:02}:{n % 60:02}",
            verb,
            f"T-{n % 40}",
            category="complaint",
            incident=f"I-{n % 7}",
        )
        for n in range(200)
        for verb in ("ticket.opened", "ticket.updated")
    ]
    with Spill(hot=5) as shelf:
        spilled, plain = Simulation(RULES, shelf=shelf), Simulation(RULES)
        for one in events:
            lines = [[timeline_line(e, ZONE) for e in s.feed(one)] for s in (spilled, plain)]
            assert lines[0] == lines[1]
