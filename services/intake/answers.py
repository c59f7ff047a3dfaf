"""HTTP answers: problem documents, rows, and what they look like in the API's description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response

from reeve.contracts.problems import InvalidEvent, ProblemDetails, problem_details
from reeve.domain.events import Event
from reeve.runtime.store.events import Stored

PROBLEM = "application/problem+json"
_STATUS = {"malformed": 400, "invalid": 422, "too_large": 413}
_TITLE = {
    "malformed": "The body is not well-formed JSON.",
    "invalid": "The event can't be taken as it is.",
    "too_large": "The event is too large.",
}
OTHER_SITE = "The key is not good for this site."


class Accepted(BaseModel):
    """The event is in the record."""

    id: str = Field(description="The event's own id", examples=["c0ffee-1"])
    duplicate: bool = Field(description="It was there before, under the same site, source and id")
    differs: bool | None = Field(default=None, description="Given and true: the earlier one had other content")


class Row(BaseModel):
    """What became of one event of a batch."""

    status: int = Field(description="202, or what a single post would have been answered")
    id: str | None = Field(description="The event's own id, null if it can't be read")
    duplicate: bool | None = None
    differs: bool | None = None
    error: ProblemDetails | None = None


def accepted(event: Event, stored: Stored) -> dict[str, Any]:
    """The answer for an event that is in the record."""
    answer: dict[str, Any] = {"id": event.id, "duplicate": stored.duplicate}
    if stored.differs:
        answer["differs"] = True
    return answer


def row_accepted(event: Event, stored: Stored) -> dict[str, Any]:
    """The same as a row."""
    return {"status": 202, **accepted(event, stored)}


def row_refused(refused: InvalidEvent) -> dict[str, Any]:
    """The row of an event that can't be taken."""
    return {"status": _STATUS[refused.kind], "id": refused.id, "error": refusal(refused)}


def row_other_site(event: Event) -> dict[str, Any]:
    """The row of an event of a site that the key is not good for."""
    return {"status": 403, "id": event.id, "error": problem_details(403, OTHER_SITE)}


def refusal(refused: InvalidEvent) -> dict[str, Any]:
    """The problem document of an event that can't be taken."""
    return problem_details(_STATUS[refused.kind], _TITLE[refused.kind], problems=refused.problems)


def refused(error: InvalidEvent) -> Response:
    """The answer to a body that can't be taken."""
    return _respond(refusal(error))


def problem(
    status: int, title: str, *, detail: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An error answer."""
    return _respond(problem_details(status, title, detail=detail), headers)


def json_answer(status: int, body: Any) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, media_type="application/json")


def _respond(body: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), body["status"], media_type=PROBLEM, headers=dict(headers or {}))
