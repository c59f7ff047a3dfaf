"""What stands in one cell of a recipients file, read and written: roles with dates and areas, absences, hours.

What is written reads back as the same. Sentences never quote what might be an address or a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from rapidfuzz import process

from reeve.cli.recipients.columns import CHANNEL_WORDS, ROLE_WORDS, URGENCY_WORDS
from reeve.domain.recipients import ASSIGNEE, CHANNELS, OWNER, ROLES, Absence, Area, QuietHours, Term

Say = Callable[[str, str], None]
"""Notes a fault: column, sentence."""

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
EARLIEST_YEAR, LATEST_YEAR = 1900, 2999

_SPACES = r"\s,;|、，；"
_BETWEEN = re.compile(rf"[{_SPACES}/]+")
_DATE = r"[0-9]{4}(?:-|/|\.|年)[0-9]{1,2}(?:-|/|\.|月)[0-9]{1,2}日?"
_TO = r"\s*(?:\.\.+|~|至|到|–|—)\s*"
_RANGE = rf"{_DATE}{_TO}{_DATE}|{_DATE}{_TO}|{_TO}{_DATE}|{_DATE}"
_TOKEN = re.compile(
    rf"(?P<days>{_RANGE})"
    rf'|@\s*(?:"(?P<quoted>[^"]*)"|(?P<area>[^{_SPACES}@"]+))'
    rf'|(?P<word>[^{_SPACES}/@"]+)'
    rf"|(?P<between>[{_SPACES}/]+)|(?P<odd>.)",
    re.DOTALL,
)
_AREA = re.compile(rf'@?\s*"(?P<quoted>[^"]*)"|@?(?P<area>[^{_SPACES}@"]+)')
_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*(?:-|~|–|—|至|到|\.\.)\s*([0-9]{1,2}):([0-9]{2})")
_URGENCY = re.compile(r"[^\s:;|,]{1,64}")
_NUMBER = re.compile(r"[0-9]{5}")
_NEEDS_QUOTES = re.compile(rf"[{_SPACES}]")


def cell_text(value: Any) -> str:
    """A cell as text: full-width characters plain, a date as such, a number as sheets keep it without its `.0`."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime):
        value = value.date()
    return unicodedata.normalize("NFKC", str(value)).strip()


def words_of(value: Any) -> list[str]:
    """The words of a cell, or of a list in JSON."""
    if isinstance(value, list | tuple):
        return [word for item in value if (word := cell_text(item))]
    return [word for word in _BETWEEN.split(cell_text(value)) if word]


def read_roles(text: str, row: Term, fault: Say) -> tuple[frozenset[str], tuple[Term, ...]]:
    """Roles held always and everywhere, and the others: `front_desk; steward @3 @5/2 2026-01-01..2026-06-30`.

    Areas and dates belong to the role before them; where it has none, those of `row` count.
    """
    entries: list[tuple[str, list[Area], list[tuple[date | None, date | None]]]] = []
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "word":
            if (role := _role(token.group(), fault)) is not None:
                entries.append((role, [], []))
        elif kind in ("quoted", "area") and (area := _area(token.group(kind), "roles", fault)) is not None:
            if entries:
                entries[-1][1].append(area)
            else:
                fault("roles", "an area stands after its role, like steward @3")
        elif kind == "days":
            _days_of_role(token.group(), entries, fault)
        elif kind == "odd":
            fault("roles", 'must be like: front_desk; steward @3 @"Tower A/2" 2026-01-01..2026-06-30')
    plain: set[str] = set()
    terms: set[Term] = set()
    for role, areas, days in entries:
        if role == OWNER and (areas or days):
            fault("roles", "an owner is found by customers, so owner has neither areas nor dates")
        own = days or [(row.since, row.until)]
        for since, until in own if role != OWNER else [(None, None)]:
            term = Term(role, since, until, frozenset(areas) or (row.areas if role != OWNER else frozenset()))
            if term == Term(role):
                plain.add(role)
            else:
                terms.add(term)
    return frozenset(plain), in_order(terms)


def in_order(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Terms as a file has them: by role, first day, last day, areas."""
    return tuple(
        sorted(
            terms,
            key=lambda term: (
                term.role,
                term.since or date.min,
                term.until or date.max,
                [str(area) for area in sorted(term.areas)],
            ),
        )
    )


def write_roles(roles: Iterable[str], terms: Iterable[Term]) -> str:
    """The cell that `read_roles` reads."""
    return "; ".join([*sorted(roles), *(" ".join(_written(term)) for term in terms)])


def read_areas(value: Any, fault: Say) -> frozenset[Area]:
    """Areas of a whole row: `3, 5/2`."""
    found: set[Area] = set()
    texts = [cell_text(one) for one in value] if isinstance(value, list | tuple) else None
    for text in (
        texts if texts is not None else [m["quoted"] or m["area"] for m in _AREA.finditer(cell_text(value))]
    ):
        if (area := _area(text, "areas", fault)) is not None:
            found.add(area)
    return frozenset(found)


def read_day(value: Any, column: str, fault: Say) -> date | None:
    """One date; None if the cell is empty or wrong."""
    text = cell_text(value)
    return _day(text, column, fault) if text else None


def read_away(text: str, fault: Say) -> tuple[Absence, ...]:
    """Absences: `2026-07-01..2026-07-14 li-02; 2026-10-01`, each with the id of the stand-in, if there is one."""
    found: list[Absence] = []
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "days":
            days = _days(token.group(), "away", fault)
            if days is None:
                continue
            since, until = days
            if since is None:
                fault("away", "needs its first day, like 2026-07-01..2026-07-14")
            else:
                alone = re.fullmatch(_DATE, token.group()) is not None
                found.append(Absence(since, since if alone else until))
        elif kind == "word" and found and not found[-1].stand_in and ID.fullmatch(token.group()):
            found[-1] = Absence(found[-1].since, found[-1].until, token.group())
        elif kind != "between":
            fault("away", "must be like 2026-07-01..2026-07-14 li-02: the days, then the id of the stand-in")
            return ()
    return tuple(sorted(set(found), key=lambda each: (each.since, each.until or date.max, each.stand_in)))


def write_away(away: Iterable[Absence]) -> str:
    """The cell that `read_away` reads."""
    return "; ".join(
        f"{each.since}..{each.until or ''}" + (f" {each.stand_in}" if each.stand_in else "") for each in away
    )


def read_order(value: Any, fault: Say) -> dict[str, tuple[str, ...]]:
    """Urgency → channels: `default: email sms; major: sms email`; without an urgency it is `default`."""
    if isinstance(value, Mapping):
        entries = [(cell_text(urgency), words_of(channels)) for urgency, channels in value.items()]
    else:
        parts = [part for part in re.split(r"[;|\n]", cell_text(value)) if part.strip()]
        named = [(":" + part if ":" not in part else part).partition(":") for part in parts]
        entries = [(urgency.strip(), words_of(channels.replace(">", " "))) for urgency, _, channels in named]
    order: dict[str, tuple[str, ...]] = {}
    for written, names in entries:
        urgency = URGENCY_WORDS.get(written, written) or "default"
        channels = tuple(dict.fromkeys(read_channels(names, "channel_order", fault)))
        if not _URGENCY.fullmatch(urgency) or not names or urgency in order:
            fault("channel_order", "must be like default: email sms; major: sms email, each grade once")
        elif channels:
            order[urgency] = channels
    return order


def write_order(order: Mapping[str, tuple[str, ...]]) -> str:
    """The cell that `read_order` reads."""
    return "; ".join(f"{urgency}: {' '.join(channels)}" for urgency, channels in sorted(order.items()))


def read_channels(names: Iterable[str], column: str, fault: Say) -> list[str]:
    """The channels of these names; others are faults."""
    found: list[str] = []
    for name in names:
        channel = CHANNEL_WORDS.get(name.lower(), name.lower())
        if channel in CHANNELS:
            found.append(channel)
        else:
            fault(column, f"channels are {', '.join(CHANNELS)}")
    return found


def read_quiet(value: Any, fault: Say) -> QuietHours | None:
    """Quiet hours: `22:00-07:00`."""
    if isinstance(value, Mapping):
        value = f"{value.get('from', '')}-{value.get('to', '')}"
    text = cell_text(value)
    if not text:
        return None
    hours = _HOURS.fullmatch(text)
    if hours is not None:
        first, first_minute, last, last_minute = (int(part) for part in hours.groups())
        if max(first_minute, last_minute) < 60 and first < 24 and (last < 24 or (last, last_minute) == (24, 0)):
            quiet = QuietHours(time(first, first_minute), time(last % 24, last_minute))
            if quiet.start != quiet.end:
                return quiet
    fault("quiet", "must be like 22:00-07:00")
    return None


def write_quiet(quiet: QuietHours | None) -> str:
    """The cell that `read_quiet` reads."""
    return f"{quiet.start:%H:%M}-{quiet.end:%H:%M}" if quiet is not None else ""


def _written(term: Term) -> Iterable[str]:
    yield term.role
    for area in sorted(term.areas):
        yield f'@"{area}"' if _NEEDS_QUOTES.search(str(area)) else f"@{area}"
    if term.since is not None or term.until is not None:
        yield f"{term.since or ''}..{term.until or ''}"


def _role(word: str, fault: Say) -> str | None:
    role = ROLE_WORDS.get(word, word.lower())
    if role in ROLES:
        return role
    if role == ASSIGNEE:
        fault("roles", "nobody holds assignee: a ticket names its assignee by recipient id; leave it out")
    else:
        close = process.extractOne(role, ROLES, score_cutoff=60)
        # What stands in the wrong column may be a telephone number.
        shown = "" if _NUMBER.search(word) else f" {word[:40]!r}"
        fault("roles", f"unknown role{shown}" + (f"; did you mean {close[0]}?" if close else ""))
    return None


def _area(text: str, column: str, fault: Say) -> Area | None:
    area = Area.parse(text)
    if area is None or '"' in str(area):
        fault(column, "an area is a building or building/unit, like 3 or 3/2")
        return None
    return area


def _days_of_role(
    text: str, entries: list[tuple[str, list[Area], list[tuple[date | None, date | None]]]], fault: Say
) -> None:
    if not entries:
        fault("roles", "dates stand after their role, like steward 2026-01-01..2026-06-30")
    elif re.fullmatch(_DATE, text):
        fault("roles", "dates are from..until, like 2026-01-01..2026-06-30; 2026-01-01.. has no end")
    elif (days := _days(text, "roles", fault)) is not None:
        entries[-1][2].append(days)


def _days(text: str, column: str, fault: Say) -> tuple[date | None, date | None] | None:
    """First and last day of a range; None if one is wrong."""
    dates = list(re.finditer(_DATE, text))
    found = [_day(each.group(), column, fault) for each in dates]
    if None in found:
        return None
    if len(found) == 2 and found[0] and found[1] and found[1] < found[0]:
        fault(column, "the last day is before the first")
        return None
    first = found[0] if dates[0].start() == 0 else None
    last = found[-1] if dates[-1].end() == len(text.rstrip()) and (len(found) == 2 or first is None) else None
    return first, last


def _day(text: str, column: str, fault: Say) -> date | None:
    if re.fullmatch(_DATE, text):
        year, month, day = (int(part) for part in re.findall(r"[0-9]+", text))
        try:
            if EARLIEST_YEAR <= year <= LATEST_YEAR:
                return date(year, month, day)
        except ValueError:
            pass
    fault(column, "must be a date like 2026-01-31")
    return None
