"""What JSON can say and we can't hold: NUL characters, numbers beyond 64 bits, nesting without end."""

from __future__ import annotations

import re
from typing import Any

import orjson

from reeve.contracts.problems import Problem

MAX_DEPTH = 32
"""Lists and objects within `data`: deeper is a mistake or an attack."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LARGEST = 2**63


def kind_of(value: object) -> str:
    """What kind of JSON value it is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number with a fraction"
        case str():
            return "text" if value else "empty text"
        case list():
            return "a list"
        case _:
            return "an object"


def step_to(key: object) -> str:
    """How a path goes on to a member: `.name`, `["other name"]` or `[3]`."""
    if isinstance(key, int):
        return f"[{key}]"
    text = str(key)
    if _PLAIN_KEY.fullmatch(text):
        return f".{text}"
    return f"[{orjson.dumps(text[:64].encode('utf-8', 'replace').decode()).decode()}]"


def is_sound(value: dict[str, Any] | list[Any], depth: int) -> bool:
    """Whether `look_through` would find nothing; as fast as it can be told."""
    if depth > MAX_DEPTH:
        return False
    items: Any = value
    if isinstance(value, dict):
        if "\0" in "".join(value):
            return False
        items = value.values()
    for item in items:
        kind = type(item)
        if kind is str:
            if "\0" in item:
                return False
        elif kind is int or kind is float:
            if not -_LARGEST <= item < _LARGEST:
                return False
        elif (kind is dict or kind is list) and not is_sound(item, depth + 1):
            return False
    return True


def look_through(value: object, path: str, depth: int, problems: list[Problem]) -> None:
    """Adds a problem for each NUL, lone surrogate, number beyond 64 bits, and for too deep a nesting."""
    match value:
        case str():
            _look_at_text(value, path, problems)
        case bool() | None:
            pass
        case int() | float():
            if not -_LARGEST <= value < _LARGEST:
                problems.append(
                    Problem(path, "a larger number", "a number of at most 64 bits; send longer ones as text")
                )
        case dict() | list() if depth > MAX_DEPTH:
            problems.append(Problem(path, "deeper nesting", f"at most {MAX_DEPTH} levels"))
        case dict():
            for key, item in value.items():
                _look_at_text(key, path + step_to(key), problems)
                look_through(item, path + step_to(key), depth + 1, problems)
        case list():
            for index, item in enumerate(value):
                look_through(item, f"{path}[{index}]", depth + 1, problems)


def _look_at_text(text: str, path: str, problems: list[Problem]) -> None:
    if "\0" in text:
        problems.append(Problem(path, "text with a NUL character", "text without NUL characters"))
