"""Windows, days, digests, budgets and silences, each by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reeve.domain.bundle import Calendar, SiteSettings, Span
from reeve.domain.flood.budget import due_warnings, month_of, usage
from reeve.domain.flood.days import Days, Taken, late, reminded
from reeve.domain.flood.digests import next_digest
from reeve.domain.flood.settings import Digest
from reeve.domain.flood.silences import Matchers, Silence, SilenceRefused, check_silence, matches
from reeve.domain.flood.tempering import Ledger, Planned, held_group, held_until, temper
from reeve.domain.flood.windows import Window, through_window

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
TEN = timedelta(minutes=10)
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")

SITE = SiteSettings(
    site="garden",
    zone="Asia/Shanghai",
    locale="zh",
    calendar=Calendar("none", frozenset(), frozenset(), None),
    opening={"default": (Span(8 * 60 + 30, 18 * 60),)},
    channels={},
    ladder={},
)


def test_the_first_of_a_matter_goes_at_once_and_the_next_wait_for_the_windows_end() -> None:
    window, until = through_window(None, "a", NOW, TEN)
    assert until is None
    window, until = through_window(window, "b", NOW + timedelta(minutes=3), TEN)
    assert until == NOW + TEN
    window, until = through_window(window, "c", NOW + timedelta(minutes=9), TEN)
    assert until == NOW + TEN
    assert through_window(window, "a", NOW + timedelta(minutes=9), TEN)[1] is None, "planned again it says the same"


def test_what_a_window_held_opens_the_next_one_when_it_goes() -> None:
    held = Window(NOW + TEN, "a", True)
    window, until = through_window(held, "d", NOW + TEN + timedelta(minutes=1), TEN)
    assert until == NOW + 2 * TEN
    assert through_window(window, "e", NOW + 4 * TEN, TEN)[1] is None
    quiet = Window(NOW + TEN, "a")
    assert through_window(quiet, "d", NOW + TEN, TEN)[1] is None, "nothing went at its end: the next goes at once"


def test_a_repeat_as_often_as_the_window_is_long_is_no_second_message() -> None:
    window, _ = through_window(None, "a", NOW + timedelta(milliseconds=900), TEN)
    assert through_window(window, "b", NOW + TEN, TEN)[1] is None
    held = Window(NOW + TEN, "a", True)
    assert through_window(held, "b", NOW + TEN - timedelta(seconds=1), TEN)[1] == NOW + TEN, (
        "it goes with the others"
    )


def test_another_way_of_what_failed_waits_for_no_window() -> None:
    site, ledger = replace(SITE, flood=replace(SITE.flood, merge=TEN)), Ledger()
    failed = Planned(
        id="a",
        notification="n-1",
        site="garden",
        family="ticket",
        policy="any",
        subject="T-1",
        root="T-1",
        grade="ordinary",
        rank=3,
        place="garden",
        recipient="p-1",
        channel="sms",
        role="technician",
        message="text",
    )
    assert temper(failed, site, ledger, (), False, NOW).hold == ""
    later = replace(failed, id="b", notification="n-2")
    assert temper(later, site, ledger, (), False, NOW).hold == "merge"
    assert temper(replace(later, id="c", instead=True), site, ledger, (), False, NOW).hold == ""


def test_a_window_made_shorter_keeps_nobody_for_the_old_one() -> None:
    assert through_window(Window(NOW + TEN, "a"), "b", NOW, timedelta(minutes=2))[1] == NOW + timedelta(minutes=2)


def test_a_second_payment_reminder_of_the_day_waits_for_the_next_opening_with_all_others() -> None:
    days: Days = {}
    days, first = reminded(days, "n1", NOW, NOW, SITE)
    assert first == NOW
    days, second = reminded(days, "n2", NOW, NOW, SITE)
    monday = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)  # 08:30 in Shanghai; the 20th is a Friday
    assert second == monday
    days, third = reminded(days, "n3", NOW + timedelta(hours=3), NOW + timedelta(hours=3), SITE)
    assert third == monday
    days, again = reminded(days, "n1", NOW + timedelta(hours=1), NOW + timedelta(hours=1), SITE)
    assert again == NOW + timedelta(hours=1), "another channel of the same reminder is no other reminder"
    days, late = reminded(days, "n4", monday, monday, SITE)
    assert late == datetime(2026, 11, 24, 0, 30, tzinfo=UTC), "monday's message may be gone already"


def test_late_reminders_go_today_if_nobody_else_does_and_else_on_the_first_free_day() -> None:
    friday, monday = date(2026, 11, 20), datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
    yesterday: Days = {date(2026, 11, 19): Taken(NOW - timedelta(days=1), "n1")}
    days, due = late(yesterday, ["n1", "n2"], NOW, SITE)
    assert (due, days[friday].by) == (NOW, "n1")
    assert late(days, ["n2", "n1"], NOW, SITE) == (days, NOW), "the same reminder on another channel"
    days, due = late(days, ["n3"], NOW, SITE)
    assert (due, days[monday.date()].by) == (monday, "n3")
    assert late(days, ["n4"], NOW, SITE)[1] == monday, "those that had to wait come as one"
    later_today: Days = {friday: Taken(NOW + timedelta(hours=2), "n5")}
    assert late(later_today, ["n6"], NOW, SITE)[1] == NOW + timedelta(hours=2)


def test_the_name_of_a_group_says_until_when_it_waits() -> None:
    until = datetime(2026, 11, 23, 0, 30, tzinfo=SHANGHAI)
    assert held_until(held_group("garden", "o|1", "sms", until)) == until
    assert held_until("") is None
    assert held_until(f"merge|garden|o-1@{until.isoformat()}") is None


def test_a_site_that_never_opens_reminds_at_nine() -> None:
    closed = replace(SITE, opening={"default": ()})
    days, _ = reminded({}, "n1", NOW, NOW, closed)
    assert reminded(days, "n2", NOW, NOW, closed)[1] == datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


def test_a_digest_comes_at_its_local_times() -> None:
    twice = Digest(at=(9 * 60, 17 * 60))
    assert next_digest(twice, NOW, SHANGHAI) == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert next_digest(twice, datetime(2026, 11, 20, 9, 0, tzinfo=UTC), SHANGHAI) == datetime(
        2026, 11, 21, 1, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("after", "then"),
    [
        (datetime(2026, 11, 20, 10, 59, tzinfo=UTC), datetime(2026, 11, 20, 11, 0, tzinfo=UTC)),
        (datetime(2026, 11, 20, 11, 0, tzinfo=UTC), datetime(2026, 11, 20, 13, 0, tzinfo=UTC)),
        (datetime(2026, 11, 20, 22, 30, tzinfo=UTC), datetime(2026, 11, 20, 23, 0, tzinfo=UTC)),  # midnight
        (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), datetime(2026, 10, 25, 0, 0, tzinfo=UTC)),  # 01:00 → 02:00 CEST
    ],
)
def test_a_digest_every_two_hours_counts_from_local_midnight(after: datetime, then: datetime) -> None:
    assert next_digest(Digest(every=timedelta(hours=2)), after, BERLIN) == then


def test_a_months_forecast_is_its_pace_so_far() -> None:
    middle = datetime(2026, 11, 15, 16, 0, tzinfo=UTC)  # the 16th begins in Shanghai: half of November
    half = usage(2600, 5000, middle, SHANGHAI)
    assert (half.forecast, half.percent, half.degraded) == (5200, 52, True)
    assert not usage(2400, 5000, middle, SHANGHAI).degraded
    assert usage(5000, 5000, datetime(2026, 11, 30, 15, 59, tzinfo=UTC), SHANGHAI).degraded


def test_the_first_morning_says_little_about_the_month() -> None:
    first = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)  # 01:00 of 1 November
    assert usage(60, 5000, first, SHANGHAI).forecast < 700


def test_a_month_is_the_sites_own() -> None:
    assert month_of(datetime(2026, 11, 30, 16, 30, tzinfo=UTC), SHANGHAI) == "2026-12"


@pytest.mark.parametrize(("used", "told"), [(79, ()), (80, (80,)), (99, (80,)), (130, (80, 100))])
def test_somebody_is_warned_at_four_fifths_and_at_the_end(used: int, told: tuple[int, ...]) -> None:
    assert due_warnings(usage(used, 100, NOW, SHANGHAI)) == told


@dataclass(frozen=True)
class _Told:
    site: str = "garden"
    policy: str = "complaint"
    grade: str | None = "ordinary"
    subject: str = "T-100"
    role: str = "technician"
    recipient: str = "t-1"
    message: str = "nearly_late"
    rank: int = 3


def _silence(**changes: object) -> Silence:
    made = Silence("s-1", Matchers(policy="complaint"), NOW, NOW + timedelta(hours=20), "pm-1", "pipe works")
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("matchers", "held"),
    [
        (Matchers(site="garden", grade="ordinary"), True),
        (Matchers(subject="T-1"), True),
        (Matchers(subject="T-2"), False),
        (Matchers(role="technician", recipient="t-1", message="nearly_late"), True),
        (Matchers(role="guard"), False),
        (Matchers(policy="complaint", site="other"), False),
    ],
)
def test_everything_that_is_set_must_match(matchers: Matchers, held: bool) -> None:
    assert matches(matchers, _Told()) is held


def test_a_silence_hides_while_it_lasts_and_never_the_worst_unless_it_says_so() -> None:
    silence = _silence()
    assert silence.hides(_Told(), NOW)
    assert not silence.hides(_Told(), NOW - timedelta(seconds=1))
    assert not silence.hides(_Told(), silence.until)
    assert not silence.hides(_Told(rank=1), NOW)
    assert _silence(include_worst=True).hides(_Told(rank=0), NOW)


def test_no_silence_hides_that_it_is_about_to_end() -> None:
    everywhere = _silence(matchers=Matchers(site="garden"), include_worst=True)
    assert everywhere.hides(_Told(), NOW)
    assert not everywhere.hides(_Told(policy="upkeep"), NOW)


def test_the_author_is_warned_an_hour_before_or_a_tenth() -> None:
    assert _silence().warn_at == NOW + timedelta(hours=19)
    assert _silence(until=NOW + timedelta(hours=2)).warn_at == NOW + timedelta(minutes=108)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"matchers": Matchers()}, "everything"),
        ({"author": " "}, "author"),
        ({"reason": ""}, "reason"),
        ({"until": NOW}, "before it begins"),
        ({"until": NOW + timedelta(days=91)}, "90 days"),
        ({"since": NOW - timedelta(hours=9), "until": NOW - timedelta(hours=1)}, "past"),
    ],
)
def test_a_silence_without_an_end_an_author_or_a_reason_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(SilenceRefused, match=why):
        check_silence(_silence(**changes), NOW)
    check_silence(_silence(since=NOW + timedelta(days=30), until=NOW + timedelta(days=120)), NOW)


def test_days_long_past_are_forgotten() -> None:
    old: Days = {}
    old, _ = reminded(old, "n1", NOW, NOW, SITE)
    later = NOW + timedelta(days=10)
    assert date(2026, 11, 20) not in reminded(old, "n2", later, later, SITE)[0]
