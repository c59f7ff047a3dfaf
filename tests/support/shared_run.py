"""A program that runs events once alone and once shared among processes, and prints whether anything differs.

A program of its own: the processes are copies of it, and a test run has threads that must not be copied.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
from datetime import timedelta
from itertools import pairwise

from reeve.domain.effects import Effect
from reeve.domain.events import Event, event_key
from reeve.domain.simulate import Simulation
from reeve.runtime import shared_simulation
from reeve.runtime.shared_simulation import SharedRun, WorkerLost
from tests.support.simulation import bundle_of, moment

POLICY = """
policy: complaint
takes: ticket
if: category == "complaint"
counts:
  times: {of: ticket.opened, same: customer, within: 90d}
grades:
  - {grade: major, if: times >= 3}
  - {grade: ordinary}
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: {major: 5m, ordinary: 10m}}
steps:
  - {name: late, on: respond breached, notify: front_desk, repeat: {every: 5m, times: 3}}
close: ticket.closed
"""
DUTIES = "- {duty: walk, every: day at 09:30, who: front_desk, limit: 15m}\n"
BLOCK = 7
SITES = 5
EVENTS = 300


def events() -> list[Event]:
    """Some come late, some twice, many at the same moment as one of another site."""
    chance = random.Random(20260302)
    found: list[Event] = []
    for number in range(EVENTS):
        at = moment("2026-03-02 09:00") + timedelta(minutes=number // 3)
        if chance.random() < 0.2:
            at -= timedelta(minutes=chance.randrange(40))
        kind = chance.choice(("opened", "opened", "acknowledged", "closed"))
        site, own = f"site-{chance.randrange(SITES)}", f"e{number}"
        data = {"category": "complaint", "customer": f"C-{chance.randrange(9)}"}
        subject, key = f"T-{chance.randrange(60)}", event_key(site, "/test", own)
        found.append(Event(site, "/test", own, f"ticket.{kind}", subject, at, data, key))
        if chance.random() < 0.1:
            found.append(chance.choice(found))
    return found


def told(effect: Effect) -> str:
    """Everything that an effect says."""
    return repr(effect)


def main(how: str) -> None:
    """Prints `same`, the number of effects, and how many events were late; or, for `killed`, what was raised."""
    bundle, given = bundle_of(POLICY, duties=DUTIES), events()
    until = given[-1].at if how == "until" else None
    wanted = [event for event in given if until is None or event.at <= until]
    shared_simulation.BLOCK = BLOCK
    shared = SharedRun(bundle, told, until, duties=True, processes=3)
    if how == "killed":
        try:
            with shared.started() as run:
                for child in multiprocessing.active_children():
                    child.kill()
                list(run(wanted))
        except WorkerLost as lost:
            print(lost)
        return
    alone = Simulation(bundle)
    one = [told(effect) for event in wanted for effect in alone.feed(event)]
    one += [told(effect) for effect in alone.finish(until)]
    with shared.started() as run:
        several = list(run(wanted))
    late = sum(after.at < before.at for before, after in pairwise(wanted))
    print("same" if one == several else "different", len(one), late)


if __name__ == "__main__":
    main(sys.argv[1])
