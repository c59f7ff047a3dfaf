"""Recurring duties: on which days they come, and the chain of cases they make. Source: DUTY-01…07.

The next occurrence of a duty at a site is a case in the record that is not open yet (`Case.scheduled`), due at
its moment like any deadline. When it opens it leaves its successor behind, so that duties need no other timer.
"""

from __future__ import annotations

import calendar as gregorian
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from reeve.domain.bundle import Bundle, SiteSettings
from reeve.domain.calendar import DAY, add_months, at_minute, is_working, local_day
from reeve.domain.case import Case, CaseKey
from reeve.domain.facts import UTC, zone_of
from reeve.domain.sampling import in_sample
from reeve.domain.schedules import Duty, Period, Schedule

POLICY = "duty"
"""The policy that all duties of a bundle make together; its conditions read `DUTY`."""
DUTY = "duty"
"""Fact: the duty's name."""
SCHEDULED = "scheduled_at"
"""Fact: the moment at which it came."""

FOREVER = datetime.max.replace(tzinfo=UTC)
_LOOK_DAYS = 366 * 9
"""A leap day comes within eight years; a schedule without a day in nine has none."""
_MONTHS: dict[Period, int] = {"month": 1, "quarter": 3, "half year": 6, "year": 12}
_NEAR = timedelta(days=3)
"""Months differ by this much in length: `month on 30` comes on 28 February."""
_LONGEST_PAUSE = timedelta(days=14)
"""A duty of working days pauses over the longest holidays, and its next report is about those days too."""


def comes_on(schedule: Schedule, day: date, site: SiteSettings) -> bool:
    """Whether the duty comes on that day of the site."""
    match schedule.rhythm:
        case "day":
            return not schedule.working or is_working(day, site.calendar)
        case "week":
            return day.weekday() in schedule.weekdays and (not schedule.working or is_working(day, site.calendar))
    if not schedule.working:
        return _is_its_day(schedule, day)
    if not is_working(day, site.calendar):
        return False
    # The last working day not after its day: this one, if only days off lie between.
    meant = day
    while not _is_its_day(schedule, meant):
        meant += DAY
        if is_working(meant, site.calendar) or (meant - day).days > 31:
            return False
    return True


def _is_its_day(schedule: Schedule, day: date) -> bool:
    if day.month not in schedule.months:
        return False
    # The month's length is asked for only where it matters: a duty far off is looked for day by day.
    return day.day == schedule.day or (
        day.day < schedule.day and day.day == gregorian.monthrange(day.year, day.month)[1]
    )


def occurrences(schedule: Schedule, after: datetime, site: SiteSettings) -> Iterator[tuple[date, datetime]]:
    """The days and moments at which the duty comes, later than `after`, in order."""
    zone = zone_of(site.zone)
    day = local_day(after, zone)
    for _ in range(_LOOK_DAYS):
        if comes_on(schedule, day, site):
            at = at_minute(day, schedule.minute, zone)
            if at > after:
                yield day, at
        day += DAY


def period_start(duty: Duty, at: datetime, site: SiteSettings) -> datetime:
    """The beginning of the period that a report at the moment `at` is about; it ends at `at`.

    One period back on the site's calendar; but from the moment at which the duty came about then, or last, if that
    was before: no case falls between two reports or into both.
    """
    period: Period = duty.report.period if duty.report else "month"
    zone = zone_of(site.zone)
    local = at.astimezone(zone)
    minute = local.hour * 60 + local.minute
    if period in _MONTHS:
        day = add_months(local.date(), -_MONTHS[period])
    else:
        day = local.date() - (DAY if period == "day" else 7 * DAY)
    start = at_minute(day, minute, zone)
    near = timedelta(0) if period == "day" else _NEAR
    came = [moment for _, moment in _between(duty.schedule, start - _LONGEST_PAUSE, at, site) if moment < at]
    nearest = min(came, key=lambda moment: abs(moment - start), default=start)
    if abs(nearest - start) <= near or not came:
        return nearest
    return min(start, came[-1])


def _between(
    schedule: Schedule, first: datetime, last: datetime, site: SiteSettings
) -> Iterator[tuple[date, datetime]]:
    for day, at in occurrences(schedule, first - timedelta(microseconds=1), site):
        if at > last:
            return
        yield day, at


def next_case(bundle: Bundle, duty: Duty, site: str, after: datetime) -> Case | None:
    """The case of the duty's next occurrence later than `after`, not open yet; None if it never comes."""
    policy = bundle.policies[POLICY]
    settings = bundle.site(site)
    for day, at in occurrences(duty.schedule, after, settings):
        key = CaseKey(site, POLICY, f"{duty.name}/{day.isoformat()}")
        if duty.sample is None or in_sample(key, duty.sample):
            return _scheduled(key, duty, policy.family, policy.digest, at, settings)
    return None


def _scheduled(key: CaseKey, duty: Duty, family: str, digest: str, at: datetime, site: SiteSettings) -> Case:
    facts = {DUTY: duty.name, SCHEDULED: at.astimezone(zone_of(site.zone)).isoformat()}
    return Case(
        key,
        family,
        digest,
        at,
        open=False,
        scheduled=True,
        facts=facts,
        fact_times=dict.fromkeys(facts, FOREVER),  # no event says which duty this is
        root=key.subject,
        next_due=at,
    )


def duty_of(case: Case) -> str:
    """Name of the duty that a case of policy `duty` belongs to."""
    return str(case.facts.get(DUTY, case.key.subject.partition("/")[0]))


HandsOver = Callable[[str, str, datetime], bool]
"""Place, role and moment: whether a rota speaks of them, and tells its hand-overs."""


def told_by_rota(duty: Duty | None, site: str, at: datetime, hands_over: HandsOver) -> bool:
    """Whether rotas tell everybody of the duty at that moment, so that it does not come."""
    return duty is not None and bool(duty.by_rota) and all(hands_over(site, role, at) for role in duty.by_rota)


def runs_at(duty: Duty, site: str) -> bool:
    """Whether the duty is one of that site."""
    return not duty.sites or site in duty.sites
