"""Cases that leave memory come back equal."""

from __future__ import annotations

from reeve.domain.simulate import Simulation
from reeve.runtime.spill import Spill
from tests.support.simulation import bundle_of, event

POLICY = """
policy: complaint
takes: ticket
if: category == "complaint"
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: 10m}
steps:
  - {name: late, on: respond breached, notify: front_desk, repeat: {every: 5m, times: 3}}
close: ticket.closed
"""


def test_a_simulation_with_spilled_cases_is_no_different() -> None:
    bundle = bundle_of(POLICY)
    given = []
    for n in range(240):
        at = f"2026-03-02 {9 + n // 300:02}:{n % 300 // 5:02}:{n % 5 * 10:02}"
        kind = "ticket.opened" if n % 3 else "ticket.acknowledged"
        given.append(event(at, kind, f"T-{n if n % 3 else max(n - 100, 1)}", category="complaint"))
    with Spill(hot=20) as shelf:
        runs = [Simulation(bundle), Simulation(bundle, shelf=shelf)]
        plain, other = (
            [effect for one in given for effect in run.feed(one)] + list(run.finish(given[-1].at)) for run in runs
        )
    assert other == plain
    assert len(plain) > 400
