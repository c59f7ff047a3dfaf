"""The filters of messages, `hm`, `date` and `money`, and moments that read as 24:00 of a day."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from reeve.domain.case import Due


class EndOfDay(datetime):
    """24:00 of a local day: the instant is 00:00 of the next one, but people read the day that ends."""

    ended: date
    """The day."""

    def __str__(self) -> str:
        return f"{self.ended.isoformat()} 24:00"


def local_due(due: Due, zone: ZoneInfo) -> datetime:
    """The moment a clock runs out, in the site's zone; an EndOfDay where that is 24:00 of a day."""
    at = due.at.astimezone(zone)
    if due.day is None:
        return at
    end = EndOfDay(at.year, at.month, at.day, at.hour, at.minute, at.second, tzinfo=zone, fold=at.fold)
    end.ended = due.day
    return end


def hm(value: Any) -> Any:
    """A moment as hours and minutes; what is none stays as it is."""
    if isinstance(value, EndOfDay):
        return "24:00"
    return f"{value:%H:%M}" if isinstance(value, datetime) else value


def day(value: Any) -> Any:
    """A moment or date as 2026-11-20; what is none stays as it is."""
    if isinstance(value, EndOfDay):
        return value.ended.isoformat()
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else value


def money(value: Any) -> Any:
    """Yuan with thousands separated, and cents only where there are some; what is no number stays as it is."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    exact = Decimal(value)
    return f"{exact:,.0f}" if exact == exact.to_integral_value() else f"{exact:,.2f}"


FILTERS = {"hm": hm, "date": day, "money": money}
