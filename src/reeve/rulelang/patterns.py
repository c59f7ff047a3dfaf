"""Patterns of `matches`, run by RE2: time grows with the length of the text, whatever the pattern.

RE2 is loaded with the first pattern: most folders have none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

MOST_STEPS = 4_000
"""Largest compiled size of a pattern: even at the largest text of an event a search stays in milliseconds."""

Search = Callable[[str], bool]


def pattern_problem(pattern: str) -> str | None:
    """Why a pattern can't be used, in RE2's words; None when it can."""
    import re2

    try:
        compiled = _compiled(pattern)
    except re2.error as error:
        return _text(error)
    if compiled.programsize > MOST_STEPS:
        return f"the pattern is too large ({compiled.programsize} steps; {MOST_STEPS} are allowed)"
    return None


def searcher(pattern: str) -> Search:
    """Says whether the pattern is found somewhere in a text; an unusable pattern never is."""
    if pattern_problem(pattern) is not None:
        return lambda text: False
    search = _compiled(pattern).search
    # A lone surrogate is no character of UTF-8; it becomes "?" and the rest of the text still counts.
    return lambda text: search(text.encode("utf-8", "replace")) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    return re2.compile(pattern.encode("utf-8", "replace"), options)


def _text(error: Exception) -> str:
    """RE2 reports errors as bytes."""
    reason = error.args[0] if error.args else "the pattern can't be read"
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
