"""The shadow's evaluation comes to the same differences whenever and in whatever portions it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reeve.domain.advance import apply_event
from reeve.domain.bundle import Bundle
from reeve.domain.events import Event
from reeve.domain.stored import dump_case
from reeve.domain.workset import Workset
from reeve.runtime.store.shadows import Accepted, StoredCase
from services.escalation.shadow_sides import ShadowSides
from tests.support.simulation import bundle_of, event, moment

FILE = """
takes: ticket
if: category == "complaint"
on_change: {on_change}
grades:
  - {{grade: serious, if: loss_cny >= {bound}}}
  - {{grade: ordinary}}
clocks:
  respond: {{start: ticket.opened, stop: ticket.acknowledged, limit: {limit}}}
steps:
  - {{name: late, on: respond breached, notify: front_desk, repeat: {{every: 5m, times: 3}}}}
close: ticket.closed
"""
SINCE = moment("2026-03-02 09:00")
DELAY = timedelta(seconds=30)


def rules(*, on_change: str = "pin", bound: int = 2000, limit: str = "10m") -> Bundle:
    return bundle_of(FILE.format(on_change=on_change, bound=bound, limit=limit))


ACTIVE, CANDIDATE, THIRD = rules(), rules(bound=1000, limit="4m"), rules(bound=500, limit="7m")


def accepted(minutes: float, verb: str, subject: str, *, arrives: float = 1.0, **data: Any) -> Accepted:
    """An event that the bus had `arrives` seconds after its own time."""
    at = SINCE + timedelta(minutes=minutes)
    posted = event("2026-03-02 09:00", f"ticket.{verb}", subject, **data)
    stamped = Event(posted.site, posted.source, posted.id, posted.type, subject, at, data, posted.key)
    return Accepted(stamped, at + timedelta(seconds=arrives))


def opened(minutes: float, subject: str, loss: int = 0, arrives: float = 1.0) -> Accepted:
    return accepted(minutes, "opened", subject, arrives=arrives, category="complaint", loss_cny=loss)


def sides(candidate: Bundle = CANDIDATE) -> ShadowSides:
    archive = {policy.digest: policy for policy in ACTIVE.policies.values()}
    return ShadowSides(ACTIVE, candidate, archive, SINCE, DELAY)


def evaluated(
    shadow: ShadowSides,
    portions: Sequence[Sequence[Accepted]],
    looks: Sequence[datetime | None],
    activations: Sequence[tuple[datetime, Bundle]] = (),
) -> dict[str, Any]:
    """Case → what differs, after these portions, each followed by a look at the clock."""
    found: dict[str, Any] = {}
    for place, (portion, look) in enumerate(zip(portions, looks, strict=True)):
        shadow.give(portion, activations if not place else (), look)
        while shadow.work(0.001):
            pass
        while True:
            changed, gone = shadow.taken()
            found |= {row["case"]: row for row in changed}
            for case_id in gone:
                found.pop(case_id, None)
            if not changed and not gone:
                break
    sums = shadow.found()
    shadow.close()
    return {"cases": found, "sums": sums, "events": shadow.events}


END = SINCE + timedelta(hours=3)


@st.composite
def traffic(draw: st.DrawFn) -> list[Accepted]:
    found: list[Accepted] = []
    for number in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, 60))
        loss = draw(st.sampled_from([0, 700, 1500, 9000]))
        found.append(opened(start, f"T-{number}", loss, draw(st.sampled_from([0.5, 20, 90]))))
        for verb in draw(st.lists(st.sampled_from(["acknowledged", "closed"]), max_size=2, unique=True)):
            later = start + draw(st.integers(0, 20))
            found.append(accepted(later, verb, f"T-{number}", arrives=draw(st.sampled_from([0.5, 45, 600]))))
    return sorted(found, key=lambda each: (each.published_at, each.event.key))


@settings(max_examples=25, deadline=None)
@given(traffic(), st.data())
def test_portions_and_looks_make_no_difference(found: list[Accepted], data: st.DataObject) -> None:
    at_once = evaluated(sides(), [found], [END])
    portions: list[list[Accepted]] = []
    looks: list[datetime | None] = []
    rest = list(found)
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        portions.append(rest[:size])
        rest = rest[size:]
        # A look at the clock comes before the next event is published, never after it.
        limit = rest[0].published_at if rest else END
        gap = (limit - portions[-1][-1].published_at).total_seconds()
        looks.append(portions[-1][-1].published_at + timedelta(seconds=gap * data.draw(st.floats(0, 1))))
    portions.append([])
    looks.append(END)
    assert evaluated(sides(), portions, looks) == at_once


def test_open_cases_go_on_from_where_they_were() -> None:
    workset, before = Workset(complete=True), opened(-5, "OLD", 1500)
    apply_event(workset, before.event, ACTIVE, before.event.at)
    shadow = sides()
    case = workset.case("s/complaint/OLD")
    assert case is not None
    shadow.load([StoredCase(case.digest, dump_case(case))], [])
    # The event that opened it is read again, because the copy was made meanwhile: it changes nothing.
    answer = evaluated(shadow, [[before, opened(1, "NEW", 1500)]], [END])
    assert set(answer["cases"]) == {"s/complaint/NEW"}, "OLD is pinned"
    (breaches,) = [row for row in answer["sums"]["breaches"] if row["clock"] == "respond"]
    assert (breaches["before"], breaches["after"]) == (2, 2)


def test_time_passes_without_events() -> None:
    shadow = sides()
    shadow.give([opened(1, "T-1")], [], SINCE + timedelta(minutes=2))
    while shadow.work(0.001):
        pass
    assert shadow.found()["breaches"] == []
    answer = evaluated(shadow, [[]], [SINCE + timedelta(minutes=6)])
    assert [(row["before"], row["after"]) for row in answer["sums"]["breaches"]] == [(0, 1)]


def test_other_rules_become_active_meanwhile() -> None:
    switched = SINCE + timedelta(minutes=10)
    found = [opened(1, "BEFORE", 700), opened(20, "AFTER", 700)]
    answer = evaluated(sides(), [found], [END], [(switched, THIRD)])
    graded = {case: row["grade"] for case, row in answer["cases"].items()}
    assert graded["s/complaint/AFTER"] == {"before": "serious", "after": "ordinary"}
    assert graded["s/complaint/BEFORE"] is None, "decided before they were"
    portions = [[found[0]], [found[1]]]
    again = evaluated(sides(), portions, [switched + timedelta(minutes=5), END], [(switched, THIRD)])
    assert again == answer


def test_work_stops_when_its_time_is_over() -> None:
    shadow = sides()
    shadow.give([opened(number / 10, f"T-{number}") for number in range(200)], [], END)
    slices = 1
    while shadow.work(0.0):
        slices += 1
    assert slices > 200
    assert shadow.events == 200
    shadow.close()
