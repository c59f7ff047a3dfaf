"""Two sets of rules over the same events: what counts as a difference, and what does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest

from reeve.domain.bundle import Bundle
from reeve.domain.comparison import MOST_LINES, Breaches, Openings, Pair
from reeve.domain.events import Event
from reeve.domain.recipients import OnShift, Recipient
from reeve.runtime.backtest.findings import Findings, case_findings, differs, findings
from reeve.runtime.backtest.side_by_side import SideBySide
from reeve.runtime.spill import Spill
from tests.support.simulation import bundle_of, event, moment

FILE = """
takes: ticket
if: {when}
on_change: {on_change}
grades:
  - {{grade: serious, if: loss_cny >= {bound}}}
  - {{grade: ordinary}}
clocks:
  respond: {{start: ticket.opened, stop: ticket.acknowledged, limit: {limit}}}
steps:
  - {{name: tell, on: graded, notify: front_desk, via: [sms], message: told}}
  - {{name: late, on: respond breached, notify: [{roles}], via: [sms], message: told,
      repeat: {{every: 5m, times: {times}}}}}
close: ticket.closed
"""
MESSAGES = """
told:
  en:
    sms: "{text}"
    email: {{subject: s, body: b}}
"""


def rules(
    *,
    when: str = 'category == "complaint"',
    on_change: str = "pin",
    bound: int = 2000,
    limit: str = "10m",
    roles: str = "front_desk",
    times: int = 1,
    text: str = "please look",
) -> Bundle:
    file = FILE.format(when=when, on_change=on_change, bound=bound, limit=limit, roles=roles, times=times)
    return bundle_of(file, messages=MESSAGES.format(text=text))


@pytest.fixture
def spill() -> Iterator[Spill]:
    with Spill() as shelf:
        yield shelf


def compare(
    spill: Spill,
    active: Bundle,
    candidate: Bundle,
    events: Sequence[Event],
    *,
    since: str | None = None,
    until: str = "2026-03-03 00:00",
    people: Sequence[Recipient] | None = None,
    public_url: str = "",
    on_shift: OnShift | None = None,
) -> SideBySide:
    sides = SideBySide(active, candidate, spill, people, moment(since) if since else None, public_url, on_shift)
    for each in events:
        for _ in sides.feed(each):
            pass
    for _ in sides.finish(moment(until)):
        pass
    return sides


def opened(at: str, subject: str = "T-1", **data: Any) -> Event:
    return event(at, "ticket.opened", subject, **{"category": "complaint", "loss_cny": 0, **data})


def found_in(sides: SideBySide) -> Findings:
    return findings(sides.comparison, rules())


def test_the_same_rules_differ_in_nothing(spill: Spill) -> None:
    events = [opened("2026-03-02 09:00"), event("2026-03-02 09:20", "ticket.acknowledged")]
    sides = compare(spill, rules(), rules(), events)
    assert not differs(found_in(sides))
    assert sides.comparison.most_changed(10) == []
    assert sides.comparison.breaches == {("complaint", "respond"): Breaches(1, 1)}
    assert sides.events == 2


def test_an_edit_that_only_moves_lines_is_no_difference(spill: Spill) -> None:
    edited = bundle_of(
        "# a comment\n\n" + FILE.format(when='category == "complaint"', on_change="pin", bound=2000, limit="10m",
                                          roles="front_desk", times=1),
        messages=MESSAGES.format(text="please look"),
    )  # fmt: skip
    assert edited.version != rules().version
    sides = compare(spill, rules(), edited, [opened("2026-03-02 09:00")])
    assert not differs(found_in(sides))


def test_grades_are_counted_from_and_to(spill: Spill) -> None:
    events = [opened("2026-03-02 09:00", "T-1", loss_cny=1500), opened("2026-03-02 09:01", "T-2", loss_cny=3000)]
    found = found_in(compare(spill, rules(), rules(bound=1000), events))
    assert found["grades"] == [{"policy": "complaint", "from": "ordinary", "to": "serious", "cases": 1}]
    assert found["gradings"] == [
        {"policy": "complaint", "grade": "serious", "before": 1, "after": 2},
        {"policy": "complaint", "grade": "ordinary", "before": 1, "after": 0},
    ]
    assert found["changed_cases"] == 1


def test_a_case_that_comes_to_the_same_grade_later_has_no_other_grade(spill: Spill) -> None:
    events = [
        opened("2026-03-02 09:00", loss_cny=1500),
        event("2026-03-02 09:05", "ticket.updated", loss_cny=5000),
    ]
    found = found_in(compare(spill, rules(), rules(bound=1000), events))
    assert found["grades"] == []
    assert found["changed_cases"] == 1, "the way there differs"


@pytest.mark.parametrize(
    ("before", "after", "gained", "lost", "moved"),
    [("10m", "4m", 1, 0, 0), ("4m", "10m", 0, 1, 0), ("4m", "3m", 0, 0, 1), ("10m", "9m", 0, 0, 0)],
)
def test_breaches_are_gained_lost_or_moved(
    spill: Spill, before: str, after: str, gained: int, lost: int, moved: int
) -> None:
    events = [opened("2026-03-02 09:00"), event("2026-03-02 09:06", "ticket.acknowledged")]
    sides = compare(spill, rules(limit=before), rules(limit=after), events)
    tally = sides.comparison.breaches.get(("complaint", "respond"), Breaches())
    assert (tally.gained, tally.lost, tally.moved) == (gained, lost, moved)
    assert tally.after - tally.before == gained - lost


def test_a_breach_that_late_news_corrects_is_none(spill: Spill) -> None:
    events = [
        opened("2026-03-02 09:00"),
        opened("2026-03-02 09:30", "T-2"),
        event("2026-03-02 09:05", "ticket.acknowledged"),
    ]
    sides = compare(spill, rules(limit="4m"), rules(limit="8m"), events, until="2026-03-02 09:31")
    assert sides.comparison.breaches[("complaint", "respond")] == Breaches(1, 0, gained=0, lost=1, moved=0)


def test_cases_that_only_one_side_opens(spill: Spill) -> None:
    events = [opened("2026-03-02 09:00", loss_cny=500)]
    sides = compare(spill, rules(), rules(when='category == "complaint" and loss_cny >= 1000'), events)
    assert sides.comparison.openings == {"complaint": Openings(1, 0, gained=0, lost=1)}
    (case,) = sides.comparison.most_changed(10)
    assert case_findings(case, rules())["grade"] == {"before": "ordinary", "after": None}


def test_notifications_by_role_day_and_sms(spill: Spill) -> None:
    text = "x" * 161
    sides = compare(
        spill,
        rules(),
        rules(roles="front_desk, steward", times=2, text=text),
        [opened("2026-03-02 23:55")],
        until="2026-03-03 12:00",
    )
    found = found_in(sides)
    assert found["notifications"] == [
        {"role": "front_desk", "before": 2, "after": 3},
        {"role": "steward", "before": 0, "after": 2},
    ]
    assert [(row["day"], row["role"], row["after"]) for row in found["notifications_per_day"]] == [
        ("2026-03-02", "front_desk", 1),
        ("2026-03-03", "front_desk", 2),
        ("2026-03-03", "steward", 2),
    ]
    assert found["sms_segments"] == [
        {"role": "front_desk", "before": 2, "after": 6},
        {"role": "steward", "before": 0, "after": 4},
    ]
    assert found["people"] == []


def test_people_where_they_are_known(spill: Spill) -> None:
    people = [
        Recipient("ann", "s", frozenset({"front_desk"}), addresses={"sms": "+4407700900001"}),
        Recipient("bob", "s", frozenset({"front_desk"}), addresses={"email": "b@example.org"}),
    ]
    sides = compare(spill, rules(), rules(times=2), [opened("2026-03-02 09:00")], people=people)
    found = found_in(sides)
    assert found["people"] == [
        {"recipient": "s/ann", "before": 2, "after": 3},
        {"recipient": "s/bob", "before": 2, "after": 3},
    ]
    assert found["messages"] == [
        {"channel": "email", "before": 2, "after": 3},
        {"channel": "sms", "before": 2, "after": 3},
    ]
    assert found["sms_segments"] == [{"role": "front_desk", "before": 2, "after": 3}]


def test_people_on_shift_where_a_role_has_a_rota(spill: Spill) -> None:
    people = [
        Recipient(name, "s", frozenset({"front_desk"}), addresses={"email": f"{name}@example.org"})
        for name in ("ann", "bob")
    ]

    def on_shift(place: str, role: str, at: datetime) -> set[str]:
        return {"ann"} if at < moment("2026-03-02 09:10") else {"bob"}

    events = [opened("2026-03-02 09:00"), opened("2026-03-02 12:00", "T-2")]
    found = found_in(compare(spill, rules(), rules(times=2), events, people=people, on_shift=on_shift))
    assert found["people"] == [
        {"recipient": "s/bob", "before": 3, "after": 5},
        {"recipient": "s/ann", "before": 1, "after": 1},
    ]


def test_a_role_nobody_is_reached_for(spill: Spill) -> None:
    people = [Recipient("ann", "s", frozenset({"front_desk"}), addresses={"sms": "+4407700900001"})]
    sides = compare(spill, rules(), rules(roles="owner"), [opened("2026-03-02 09:00")], people=people)
    assert sides.comparison.undeliverable == Pair(0, 1)


def test_a_template_that_fails_is_said(spill: Spill) -> None:
    broken = rules(text="{% for each in loss_cny %}{{ each }}{% endfor %}")
    assert "told" in broken.messages
    found = found_in(compare(spill, rules(), broken, [opened("2026-03-02 09:00")]))
    assert found["sms_not_rendered"] == [{"message": "told", "before": 0, "after": 2}]


def test_links_cost_characters(spill: Spill) -> None:
    text = "x" * 130 + "{{ ack_url }}"
    without = compare(spill, rules(), rules(text=text), [opened("2026-03-02 09:00")])
    assert without.comparison.segments["front_desk"] == Pair(2, 2)
    with Spill() as other:
        linked = compare(
            other, rules(), rules(text=text), [opened("2026-03-02 09:00")], public_url="https://r.example.org"
        )
    assert linked.comparison.segments["front_desk"] == Pair(2, 4)


# --- what was before ------------------------------------------------------------------------------------------


def test_what_came_before_is_not_compared_and_a_pinned_case_keeps_its_file(spill: Spill) -> None:
    events = [
        opened("2026-03-02 09:00", "T-1", loss_cny=1500),
        opened("2026-03-02 09:08", "T-2", loss_cny=1500),
    ]
    sides = compare(spill, rules(), rules(bound=1000, limit="5m"), events, since="2026-03-02 09:05")
    (case,) = sides.comparison.most_changed(10)
    assert case.case.subject == "T-2", "T-1 opened before and is pinned"
    assert (sides.earlier, sides.events) == (1, 1)
    assert sides.comparison.breaches[("complaint", "respond")] == Breaches(2, 2, gained=0, lost=0, moved=1)


def test_a_case_that_follows_is_counted_and_judged_by_the_new_file(spill: Spill) -> None:
    events = [opened("2026-03-02 09:00", loss_cny=1500), opened("2026-03-02 09:30", "T-2", loss_cny=0)]
    active, candidate = rules(on_change="recompute"), rules(on_change="recompute", bound=1000)
    sides = compare(spill, active, candidate, events, since="2026-03-02 09:05")
    assert sides.comparison.adopted == 1
    assert found_in(sides)["grades"] == [{"policy": "complaint", "from": "ordinary", "to": "serious", "cases": 1}]


def test_nothing_after_since_still_compares_what_is_due(spill: Spill) -> None:
    active, candidate = rules(on_change="recompute", limit="2h"), rules(on_change="recompute", limit="20m")
    events = [opened("2026-03-02 09:00"), event("2026-03-02 08:00", "ticket.opened", "X", category="repair")]
    sides = compare(spill, active, candidate, events, since="2026-03-02 09:10", until="2026-03-02 10:00")
    assert sides.comparison.breaches[("complaint", "respond")] == Breaches(0, 1, gained=1)


# --- bounds ---------------------------------------------------------------------------------------------------


def test_the_most_changed_come_first_and_no_more_than_asked_for(spill: Spill) -> None:
    events = [
        opened("2026-03-02 09:00", f"T-{number}", loss_cny=1500 if number == 7 else 0) for number in range(20)
    ]
    sides = compare(spill, rules(), rules(bound=1000, limit="5m"), events)
    first, *rest = sides.comparison.most_changed(5)
    assert first.case.subject == "T-7"
    assert len(rest) == 4
    assert sides.comparison.changed_cases == 20
    assert [each.weight for each in rest] == sorted((each.weight for each in rest), reverse=True)


def test_a_case_with_very_many_lines_keeps_some_and_counts_the_rest(spill: Spill) -> None:
    many = rules(times=300)
    sides = compare(spill, rules(), many, [opened("2026-03-02 09:00")], until="2026-03-05 00:00")
    (case,) = sides.comparison.most_changed(1)
    assert len(case.lines[1]) == MOST_LINES
    assert case.more == [0, 299 - MOST_LINES]
    assert case_findings(case, many)["left_out"] == {"active": 0, "candidate": 299 - MOST_LINES}


def test_touched_says_which_cases_to_write_again(spill: Spill) -> None:
    sides = SideBySide(rules(), rules(limit="5m"), spill)
    for _ in sides.feed(opened("2026-03-02 09:00")):
        pass
    assert sides.comparison.touched == {"s/complaint/T-1"}
    sides.comparison.touched.clear()
    for _ in sides.feed(opened("2026-03-02 09:01", "T-2", category="repair")):
        pass
    assert sides.comparison.touched == set()


def test_little_memory_gives_the_same_answer() -> None:
    events = [
        opened(f"2026-03-02 09:{number:02}", f"T-{number}", loss_cny=number * 100, incident=f"I-{number % 3}")
        for number in range(60)
    ]
    answers = []
    for hot in (5, 5000):
        with Spill(hot) as shelf:
            sides = compare(shelf, rules(), rules(bound=1000, limit="5m"), events)
            cases = [case_findings(case, rules()) for case in sides.comparison.most_changed(10)]
            answers.append((found_in(sides), cases))
    assert answers[0] == answers[1]


def test_findings_hold_no_free_text(spill: Spill) -> None:
    told = {"title": "Mrs Li's ceiling", "room": "3-1201", "description": "call 13800000000", "customer": "C-88"}
    sides = compare(spill, rules(), rules(bound=0, limit="1m"), [opened("2026-03-02 09:00", **told)])
    cases = [case_findings(case, rules()) for case in sides.comparison.most_changed(10)]
    assert cases
    said = repr((found_in(sides), cases))
    assert not [value for value in told.values() if value in said]


def test_moments_are_at_the_site() -> None:
    assert moment("2026-03-02 09:00").utcoffset() == datetime.fromisoformat("2026-03-02T09:00+08:00").utcoffset()
