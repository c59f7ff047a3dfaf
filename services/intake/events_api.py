"""POST /v1/events: one event or many, in the record before the answer."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from prometheus_client import Counter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from reeve.contracts.problems import InvalidEvent
from reeve.domain.events import Event
from reeve.ports import StoreAway, TimeSource
from services.intake import answers
from services.intake.bodies import BodyTooLarge, BodyTooSlow, read_body
from services.intake.collector import EventCollector, Overloaded
from services.intake.keys import ApiKeys, Caller, Rate
from services.intake.posting import ACCEPTED, Reader, Shape, UnknownContent, is_list, shape_of

_CHUNK = 200
"""Events of a batch that are read and stored at a time, so that other posts are answered in between."""

_EVENTS = Counter("reeve_intake_events", "Posted events by what became of them", ["outcome"])
_accepted = _EVENTS.labels("accepted")
_duplicate = _EVENTS.labels("duplicate")
_refused = _EVENTS.labels("refused")


class EventsApi:
    """Answers posts. Nothing is acknowledged that is not in the record."""

    def __init__(
        self,
        collector: EventCollector,
        reader: Reader,
        keys: ApiKeys,
        rate: Rate,
        time: TimeSource,
        digested: Callable[[Event], Event],
    ) -> None:
        self._collector = collector
        self._reader = reader
        self._keys = keys
        self._rate = rate
        self._time = time
        self._digested = digested

    async def post(self, request: Request) -> Response:
        """The answer of contracts.md §3, whatever was posted."""
        caller = self._keys.caller(key_of(request))
        if caller is None:
            return unauthorised()
        try:
            shape = shape_of(request.headers)
            body = await read_body(request)
            if shape == "json" and not is_list(body):
                shape = "single"
            if shape in ("single", "binary"):
                return await self._one(request, body, shape, caller)
            return await self._many(body, shape, caller)
        except UnknownContent:
            return answers.problem(
                415,
                "The content type is not one that we read.",
                detail=f"Post UTF-8, uncompressed, as one of: {', '.join(ACCEPTED)}.",
                headers={"Accept-Post": ", ".join(ACCEPTED)},
            )
        except InvalidEvent as refused:
            _refused.inc()
            return answers.refused(refused)
        except BodyTooLarge:
            return answers.problem(
                413, "The body is too large.", detail="One post is at most 20 MB.", headers={"Connection": "close"}
            )
        except BodyTooSlow:
            return answers.problem(
                408, "The body did not come in time.", headers={"Connection": "close", "Retry-After": "1"}
            )
        except ClientDisconnect:
            return Response(status_code=400)
        except Overloaded:
            return too_fast(1.0)
        except StoreAway:
            return record_away()

    async def _one(self, request: Request, body: bytes, shape: Shape, caller: Caller) -> Response:
        if wait := self._rate.take(caller, 1):
            return too_fast(wait)
        event = self._reader.one(body, request.headers if shape == "binary" else {}, self._time.now())
        if not caller.may(event.site):
            return answers.problem(403, answers.OTHER_SITE)
        event = self._digested(event)
        stored = (await self._collector.add([event]))[0]
        (_duplicate if stored.duplicate else _accepted).inc()
        return answers.json_answer(202, answers.accepted(event, stored))

    async def _many(self, body: bytes, shape: Shape, caller: Caller) -> Response:
        rows: list[dict[str, Any]] = []
        items = self._reader.many(body, shape, self._time.now())
        while chunk := list(islice(items, _CHUNK)):
            if wait := self._rate.take(caller, len(chunk)):
                return too_fast(wait)
            rows += await self._store(chunk, caller)
        return answers.json_answer(200, rows)

    async def _store(self, chunk: list[Event | InvalidEvent], caller: Caller) -> list[dict[str, Any]]:
        good = [self._digested(item) for item in chunk if isinstance(item, Event) and caller.may(item.site)]
        stored = iter(zip(good, await self._collector.add(good), strict=True)) if good else iter(())
        rows: list[dict[str, Any]] = []
        for item in chunk:
            if isinstance(item, InvalidEvent):
                _refused.inc()
                rows.append(answers.row_refused(item))
            elif not caller.may(item.site):
                _refused.inc()
                rows.append(answers.row_other_site(item))
            else:
                event, answer = next(stored)
                (_duplicate if answer.duplicate else _accepted).inc()
                rows.append(answers.row_accepted(event, answer))
        return rows


def key_of(request: Request) -> str | None:
    """The API key of a request: `Authorization: Bearer …` or `X-API-Key`."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    return request.headers.get("x-api-key")


def unauthorised() -> Response:
    """401."""
    return answers.problem(
        401,
        "An API key is needed.",
        detail="Send it as `Authorization: Bearer <key>` or `X-API-Key: <key>`.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def too_fast(wait: float) -> Response:
    """429: come again after `wait` seconds."""
    return answers.problem(429, "Too many events at once.", headers={"Retry-After": str(max(1, round(wait + 0.5)))})


def record_away() -> Response:
    """503: nothing is acknowledged that is not stored."""
    return answers.problem(
        503,
        "The record can't be reached; nothing was acknowledged.",
        detail="Post the same again later: what is stored already is recognised.",
        headers={"Retry-After": "2"},
    )
