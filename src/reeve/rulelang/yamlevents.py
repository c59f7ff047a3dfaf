"""YAML text to events: libyaml reads what it and YAML 1.2 agree on, ruamel.yaml the rest and everything wrong.

libyaml is some thirty times as quick, but follows YAML 1.1 and says less plainly what is wrong. So it only has
the first word: a text that it refuses is read again by ruamel.yaml, whose answer counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, cast

_Read = TypeVar("_Read")


class Mark(Protocol):
    """A place in the text."""

    @property
    def index(self) -> int: ...


class Event(Protocol):
    """What both libraries' events have in common; the name of its class says which one it is."""

    @property
    def start_mark(self) -> Mark: ...
    @property
    def end_mark(self) -> Mark: ...


NextEvent = Callable[[], Event | None]
"""The next event each time it is called; None after the last."""

_READ_OTHERWISE = "\t\x85\u2028\u2029"
"""Where the two differ: tabs beside values, and what ends a line."""


class Unreadable(Exception):
    """No YAML; `cause` is ruamel.yaml's error, with marks where it has them."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def read_events(text: str, read: Callable[[NextEvent], _Read]) -> _Read:
    """What `read` makes of the events of a text; it may be called twice, the second time from the beginning.

    Raises Unreadable, and whatever `read` raises.
    """
    quick = _quick(text)
    if quick is not None:
        import yaml

        try:
            return read(quick)
        except (yaml.YAMLError, ValueError, IndexError, RecursionError):
            pass
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError, YAMLStreamError

    try:
        events = iter(YAML(typ="safe", pure=True).parse(text))
        return read(lambda: next(events, None))
    except (YAMLError, YAMLStreamError, ValueError, IndexError, RecursionError) as error:
        raise Unreadable(error) from error


def _quick(text: str) -> NextEvent | None:
    """libyaml's events; None where it is missing or would read the text otherwise."""
    if any(sign in text for sign in _READ_OTHERWISE):
        return None
    try:
        from yaml._yaml import CParser
    except ImportError:
        return None
    return cast("NextEvent", CParser(text).get_event)
