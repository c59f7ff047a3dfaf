"""Where a length of time ends on a site's calendar: working days, opening hours, months, 24:00.

Pure; every instant is aware UTC, every day is the site's own. Source: GAP-5, GAP-6, GAP-8.
"""

from __future__ import annotations

import calendar as gregorian
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal as OneOf
from zoneinfo import ZoneInfo

from reeve.domain.bundle import Calendar, Quiet, SiteSettings, Span
from reeve.domain.case import Due
from reeve.domain.durations import Duration, Elapsed, Months, SameDay, WorkingDays, WorkingHours
from reeve.domain.facts import zone_of

DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_DAYS = 366 * 120
"""No walk over days goes further: `rules check` refuses lengths above 100 years."""

Pauses = Sequence[tuple[datetime, datetime]]


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The site's date at an instant."""
    return at.astimezone(zone).date()


def at_minute(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The instant of a local wall time, minutes since midnight (1440: 24:00), as UTC."""
    day, minute = (day + DAY, 0) if minute == 1440 else (day, minute)
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """24:00 of a local day."""
    return at_minute(day, 1440, zone)


def is_working(day: date, calendar: Calendar) -> bool:
    """Whether a day is worked: Monday to Friday, less holidays, plus make-up days. Source: GAP-6."""
    if day in calendar.workdays:
        return True
    return day.weekday() < 5 and day not in calendar.holidays


def beyond(day: date, calendar: Calendar) -> bool:
    """Whether the calendar no longer speaks for that day."""
    return calendar.known_until is not None and day > calendar.known_until


def nth_working_day(day: date, count: int, calendar: Calendar) -> date:
    """The count-th working day after `day` (before it for a negative count)."""
    step = DAY if count >= 0 else -DAY
    left = abs(count)
    for _ in range(LONGEST_DAYS):
        if left == 0:
            break
        day += step
        left -= is_working(day, calendar)
    return day


def add_months(day: date, months: int) -> date:
    """The same day of another month, clamped to that month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, gregorian.monthrange(year, month + 1)[1]))


def spans_of(day: date, site: SiteSettings) -> tuple[Span, ...]:
    """Opening spans of a day, in order.

    A working day has its weekday's own spans or the default. A weekend day is open only if it is named itself.
    """
    weekday = WEEKDAYS[day.weekday()]
    if is_working(day, site.calendar):
        return site.opening.get(weekday) or site.opening.get("default", (Span(0, 1440),))
    if day.weekday() >= 5 and day not in site.calendar.holidays:
        return site.opening.get(weekday, ())
    return ()


def _open_times(
    start: datetime, site: SiteSettings, direction: OneOf[1, -1]
) -> Iterator[tuple[datetime, datetime]]:
    """Opening spans from `start` on (or back from it), each cut at `start`, as instants."""
    zone = zone_of(site.zone)
    day = local_day(start, zone)
    for _ in range(LONGEST_DAYS):
        spans = spans_of(day, site)
        for span in spans if direction == 1 else reversed(spans):
            begin, end = at_minute(day, span.start, zone), at_minute(day, span.end, zone)
            begin, end = (max(begin, start), end) if direction == 1 else (begin, min(end, start))
            if begin < end:
                yield begin, end
        day += direction * DAY


def working_time(start: datetime, seconds: int, site: SiteSettings, pauses: Pauses = ()) -> datetime:
    """The instant at which that much opening time has passed since `start`, pauses left out."""
    left = timedelta(seconds=seconds)
    end = start
    for begin, end in _open_times(start, site, 1):
        for piece_begin, piece_end in _without(begin, end, pauses):
            if piece_end - piece_begin >= left:
                return piece_begin + left
            left -= piece_end - piece_begin
    return end


def working_time_before(end: datetime, seconds: int, site: SiteSettings) -> datetime:
    """The instant from which that much opening time passes until `end`."""
    left = timedelta(seconds=seconds)
    begin = end
    for begin, span_end in _open_times(end, site, -1):
        if span_end - begin >= left:
            return span_end - left
        left -= span_end - begin
    return begin


def _without(begin: datetime, end: datetime, pauses: Pauses) -> Iterator[tuple[datetime, datetime]]:
    for pause_from, pause_to in pauses:
        if pause_to <= begin or pause_from >= end:
            continue
        if pause_from > begin:
            yield begin, pause_from
        begin = max(begin, pause_to)
    if begin < end:
        yield begin, end


def days_touched(pauses: Pauses, zone: ZoneInfo, working: Calendar | None = None) -> int:
    """How many local days the pauses touch, each once; with `working`, only working days."""
    days: set[date] = set()
    for pause_from, pause_to in pauses:
        day, last = local_day(pause_from, zone), local_day(pause_to, zone)
        while day <= last:
            if working is None or is_working(day, working):
                days.add(day)
            day += DAY
    return len(days)


def from_start(start: datetime, by: Duration, site: SiteSettings, pauses: Pauses = ()) -> Due:
    """When a limit counted from a clock's start runs out, its pauses taken into account.

    Elapsed lengths grow by the pauses' length, calendar lengths by the days touched (working days for
    working-day lengths); `pauses` are closed, in order, and do not overlap.
    """
    if isinstance(by, Elapsed):  # the common case, and no calendar is needed
        end = start + by.timedelta
        for pause_from, pause_to in pauses:
            end += pause_to - pause_from
        return Due(end)
    zone = zone_of(site.zone)
    day = last = local_day(start, zone)
    match by:
        case WorkingHours(seconds):
            at = working_time(start, seconds, site, pauses)
            return Due(at, provisional=beyond(local_day(at, zone), site.calendar))
        case WorkingDays(count):
            last = nth_working_day(day, count + days_touched(pauses, zone, site.calendar), site.calendar)
            return Due(end_of(last, zone), last, beyond(last, site.calendar))
        case Months(months):
            last = add_months(day, months)
        case SameDay():
            pass
    last += days_touched(pauses, zone) * DAY
    return Due(end_of(last, zone), last)


def shift(base: Due, sign: OneOf[1, -1], by: Duration, site: SiteSettings) -> Due:
    """A due moment moved by a length. Calendar lengths move the day of the base and end at its 24:00."""
    provisional = base.provisional
    if isinstance(by, Elapsed):
        return Due(base.at + sign * by.timedelta, None, provisional)
    zone = zone_of(site.zone)
    day = base.day or local_day(base.at, zone)
    match by:
        case WorkingHours(seconds):
            at = (working_time if sign == 1 else working_time_before)(base.at, seconds, site)
            return Due(at, None, provisional or beyond(local_day(at, zone), site.calendar))
        case WorkingDays(count):
            day = nth_working_day(day, sign * count, site.calendar)
            provisional = provisional or beyond(day, site.calendar)
        case Months(months):
            day = add_months(day, sign * months)
        case SameDay():
            pass
    return Due(end_of(day, zone), day, provisional)


def times(by: Duration, count: int) -> Duration:
    """A length taken several times over."""
    match by:
        case Elapsed(seconds):
            return Elapsed(seconds * count)
        case WorkingHours(seconds):
            return WorkingHours(seconds * count)
        case WorkingDays(days):
            return WorkingDays(days * count)
        case Months(months):
            return Months(months * count)
        case SameDay():
            return by


def after_quiet(at: datetime, quiet: Quiet, zone: ZoneInfo) -> datetime | None:
    """The end of the quiet hours that `at` falls into; None if it does not."""
    local = at.astimezone(zone)
    now = local.time()
    overnight = quiet.start > quiet.end
    if overnight and now >= quiet.start:
        day = local.date() + DAY
    elif (overnight and now < quiet.end) or (not overnight and quiet.start <= now < quiet.end):
        day = local.date()
    else:
        return None
    return at_minute(day, quiet.end.hour * 60 + quiet.end.minute, zone)


def next_opening(at: datetime, site: SiteSettings) -> datetime | None:
    """`at` if the site is open then, else the next moment it opens; None if it never does."""
    return next((begin for begin, _ in _open_times(at, site, 1)), None)
