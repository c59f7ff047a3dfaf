"""What commands print: one JSON object a line, or plain text that has colours only on a terminal.

Rich is loaded when a terminal wants colours: into a file or pipe a command writes without it, and starts sooner.
"""

from __future__ import annotations

import os
import sys
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """Standard output for people. Nothing in a text is taken for markup, and nothing is cut off."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def errors() -> Console:
    """Standard error for people."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def on_terminal() -> bool:
    """Whether standard output is a terminal, or is to be taken for one, by the variables that Rich goes by."""
    return sys.stdout.isatty() or os.environ.get("TTY_COMPATIBLE") == "1" or bool(os.environ.get("FORCE_COLOR"))


def print_json(row: dict[str, Any]) -> None:
    """One object on one line, out at once, so that a reader at the other end of a pipe sees it."""
    sys.stdout.write(orjson.dumps(row, default=str).decode() + "\n")
    sys.stdout.flush()


def print_line(*parts: str | tuple[str, str]) -> None:
    """One line of plain text; a part may be (text, style)."""
    styled = [(shown(part), "") if isinstance(part, str) else (shown(part[0]), part[1]) for part in parts]
    if not on_terminal():
        sys.stdout.write("".join(text for text, _ in styled) + "\n")
        return
    from rich.text import Text

    console().print(Text.assemble(*styled))


def shown(text: str) -> str:
    """The text without characters that would steer the terminal: it may come from outside."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def padded(text: str, width: int) -> str:
    """The text and blanks up to that many places of a terminal, at least one; a Chinese letter takes two."""
    places = sum(2 if letter > "\u2e7f" else 1 for letter in text)
    return text + " " * max(1, width - places)


_UNITS = {"en": (" d", " h", " min", " s"), "zh": (" 天", " 小时", " 分钟", " 秒")}


def span(length: timedelta, language: str = "en") -> str:
    """A length as people say it: `45 s`, `9 min 30 s`, `2 h 5 min`, `3 d 4 h`; never negative."""
    seconds = int(abs(length.total_seconds()))
    days, hours, minutes, rest_of_all = _UNITS[language]
    larger = ((86400, days, 3600, hours), (3600, hours, 60, minutes), (60, minutes, 1, rest_of_all))
    for size, name, smaller, smaller_name in larger:
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            return f"{whole}{name}" + (f" {rest // smaller}{smaller_name}" if rest // smaller else "")
    return f"{seconds}{rest_of_all}"


def left(due: datetime, now: datetime, language: str = "en") -> str:
    """How far a due moment is: `4 min left` or `2 h over`."""
    length = span(due - now, language)
    if language == "zh":
        return f"还有 {length}" if due > now else f"已过 {length}"
    return f"{length} left" if due > now else f"{length} over"


_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "zh": tuple(f"周{day}" for day in "一二三四五六日"),
}


def weekday(at: date, language: str = "en") -> str:
    """`Mon` or `周一`."""
    return _WEEKDAYS[language][at.weekday()]


def moment(at: datetime | str) -> str:
    """A moment to the second, in the offset it carries: `2026-02-13 17:55:00`."""
    value = datetime.fromisoformat(at) if isinstance(at, str) else at
    return value.strftime("%Y-%m-%d %H:%M:%S")
