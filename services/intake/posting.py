"""What is in a posted body: one event, or many with an error for each bad one. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from typing import Literal as OneOf
from urllib.parse import unquote

from reeve.contracts.events import MAX_EVENT_BYTES, parse_event, read_json
from reeve.contracts.problems import InvalidEvent, Problem
from reeve.domain.events import Event

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"
JSON = "application/json"
ACCEPTED = (SINGLE, BATCH, NDJSON, JSON)
_SAME = {"application/ndjson": NDJSON, "application/jsonl": NDJSON}

Shape = OneOf["single", "batch", "ndjson", "binary", "json"]
"""json: one event or a list of them, told by the body itself."""


class UnknownContent(Exception):
    """The content type (or its charset or encoding) is none that we read."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads events; `reserved` are the names of the active rules' counts."""

    reserved: Callable[[], frozenset[str]] = frozenset

    def one(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Event:
        """The one event of a message or request, structured or binary. Raises InvalidEvent."""
        attributes = _attributes(headers)
        if not attributes:
            return parse_event(body, now=now, reserved=self.reserved())
        if len(body) > MAX_EVENT_BYTES:
            problem = Problem("$", "a larger one", "an event of at most 256 KiB")
            raise InvalidEvent((problem,), kind="too_large", id=attributes.get("id"))
        data = {"data": read_json(body)} if body.strip() else {}
        return parse_event({**attributes, **data}, now=now, reserved=self.reserved())

    def many(self, body: bytes, shape: Shape, now: datetime) -> Iterator[Event | InvalidEvent]:
        """Each event, or what is wrong with it, in order. Raises InvalidEvent if nothing can be told apart."""
        reserved = self.reserved()
        items: Iterator[bytes | dict[str, Any] | InvalidEvent]
        items = _lines(body) if shape == "ndjson" else _items(body)
        for item in items:
            if isinstance(item, InvalidEvent):
                yield item
                continue
            try:
                yield parse_event(item, now=now, reserved=reserved)
            except InvalidEvent as refused:
                yield refused


def shape_of(headers: Mapping[str, str]) -> Shape:
    """How the body is to be read, by its headers (names in lower case). Raises UnknownContent."""
    if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise UnknownContent
    kind, _, parameters = headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    charset = parameters.replace(" ", "").lower().partition("charset=")[2].strip('"')
    if charset and charset.partition(";")[0].strip('"') not in ("utf-8", "utf8", "us-ascii"):
        raise UnknownContent
    kind = _SAME.get(kind, kind)
    if kind == SINGLE:
        return "single"
    if kind == BATCH:
        return "batch"
    if kind == NDJSON:
        return "ndjson"
    if kind == JSON or (kind == "" and "ce-specversion" in headers):
        return "binary" if "ce-specversion" in headers or "ce-id" in headers else "json"
    raise UnknownContent


def is_list(body: bytes) -> bool:
    """Whether a JSON body is a list, told by its first character."""
    return body.lstrip(b" \t\r\n")[:1] == b"["


def _attributes(headers: Mapping[str, str]) -> dict[str, Any]:
    """CloudEvents attributes from `ce-` headers, percent-decoded as the HTTP binding says."""
    found: dict[str, Any] = {}
    for name, value in headers.items():
        lower = name.lower()
        if not lower.startswith("ce-"):
            continue
        try:
            found[lower[3:]] = unquote(value, errors="strict")
        except UnicodeDecodeError:
            problem = Problem(f"$.{lower[3:]}", "bytes that are no UTF-8", "percent-encoded UTF-8 in the header")
            raise InvalidEvent((problem,), kind="malformed") from None
    if "id" in found or "specversion" in found:
        return found
    return {}


def _lines(body: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        line = body[start:end].strip()
        if line:
            yield line
        start = end + 1


def _items(body: bytes) -> Iterator[dict[str, Any] | InvalidEvent]:
    try:
        found = read_json(body)
    except InvalidEvent as malformed:
        found = _lenient(body)
        if found is None:
            raise malformed from None
    if not isinstance(found, list):
        raise InvalidEvent((Problem("$", "something else", "a JSON list of events"),))
    for item in found:
        if isinstance(item, dict):
            yield item
        else:
            yield InvalidEvent((Problem("$", "something else", "a JSON object: one event"),))


def _lenient(body: bytes) -> Any:
    """The list, read so that a value that we can't hold spoils only its own event; None if it is no JSON."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(name)
