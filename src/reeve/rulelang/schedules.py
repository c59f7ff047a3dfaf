"""`every: day at 17:00 working days` to a Schedule."""

from __future__ import annotations

import re

from reeve.domain.calendar import WEEKDAYS
from reeve.domain.schedules import Schedule

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_RECURRING = {"month": tuple(range(1, 13)), "quarter": (1, 4, 7, 10), "half year": (1, 7), "year": (1,)}
"""`half year` alone is 1 January and 1 July."""

_MONTH = "|".join(f"{name}|{name[:3]}" for name in _MONTHS)
_DAY = "|".join(WEEKDAYS)
_EVERY = re.compile(
    rf"(?:(?P<working_day>working )?(?P<day>days?)"
    rf"|week on (?P<weekdays>(?:{_DAY})(?: ?, ?(?:{_DAY}))*)"
    rf"|(?P<months>month|quarter|half year|year|(?:{_MONTH})(?: ?, ?(?:{_MONTH}))*)"
    r"(?: on (?:(?P<number>[1-9]|[12]\d|3[01])|(?P<last>last day)))?)"
    r"(?P<working>(?: working days)?)(?: at (?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d))?"
    r"(?P<working_after> working days)?"
)


def parse_schedule(text: str) -> Schedule | None:
    """The rhythm a text means; None if it means none.

    `day`, `week on mon,thu`, `month on 30`, `june, december on 1`, `quarter`, `half year`, `year`, each with
    `at 17:00` and `working days` behind it. Without a time it is 00:00, without a day the 1st.
    """
    found = _EVERY.fullmatch(re.sub(r"\s+", " ", text.strip().lower()))
    if found is None or not _possible(found):
        return None
    minute = int(found["hour"] or 0) * 60 + int(found["minute"] or 0)
    working = bool(found["working"] or found["working_after"] or found["working_day"])
    if found["day"]:
        return Schedule("day", minute=minute, working=working)
    if found["weekdays"]:
        days = sorted({WEEKDAYS.index(name.strip()) for name in found["weekdays"].split(",")})
        return Schedule("week", weekdays=tuple(days), minute=minute, working=working)
    months = _months(found["months"])
    day = 31 if found["last"] else int(found["number"] or 1)
    return Schedule("month", months=months, day=day, minute=minute, working=working)


def _months(text: str) -> tuple[int, ...]:
    if text in _RECURRING:
        return _RECURRING[text]
    starts = [name[:3] for name in _MONTHS]
    return tuple(sorted({starts.index(word.strip()[:3]) + 1 for word in text.split(",")}))


def _possible(found: re.Match[str]) -> bool:
    """A month must say its day: `month` alone could be its first or its last."""
    return found["months"] != "month" or bool(found["number"] or found["last"])
