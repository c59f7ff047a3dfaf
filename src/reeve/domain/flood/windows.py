"""The window of a matter: the first message goes at once, what follows within it goes as one at its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

PUNCTUAL = timedelta(seconds=2)
"""What a rule repeats as often as the window is long is planned a moment earlier or later: it goes at once."""


@dataclass(frozen=True, slots=True)
class Window:
    """Of one matter, one person, one channel."""

    until: datetime
    by: str = ""
    """Id of the delivery that opened it and went at once; empty: it was opened by what the one before held."""
    held: bool = False
    """Something goes out at its end."""


def through_window(
    window: Window | None, id: str, now: datetime, length: timedelta
) -> tuple[Window, datetime | None]:
    """The window after the delivery came, and until when it waits; None: it goes at once.

    It waits less than `length`. Where the window before ended with a message, that message opens the next one.
    """
    if window is not None and window.by == id and now < window.until:
        return window, None
    if window is not None and window.until <= now and window.held and now < window.until + length:
        window = Window(window.until + length)
    if window is None or window.until <= now or (not window.held and window.until <= now + PUNCTUAL):
        return Window(now + length, id), None
    # A site whose window became shorter meanwhile: nobody waits for the old one.
    until = min(window.until, now + length)
    return Window(until, window.by, True), until
