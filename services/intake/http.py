"""Intake's HTTP side: its routes, their description (OpenAPI) and error answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp

from reeve import __version__
from reeve.contracts.problems import ProblemDetails
from reeve.contracts.schemas import EXAMPLE_EVENT, event_schemas
from reeve.domain.case import CaseKey
from reeve.ports import StoreAway
from services.intake import answers
from services.intake.ack_pages import MOST_BYTES, AckPages
from services.intake.answers import Accepted, Row
from services.intake.cases_api import BadCursor, CaseDetail, CasePage, CaseReader, State
from services.intake.events_api import EventsApi, key_of, record_away, unauthorised
from services.intake.front import EVENTS_PATH, Front
from services.intake.keys import ALL_SITES, ApiKeys, Caller
from services.intake.pages import Readiness, add_pages
from services.intake.providers_api import Kind, ProvidersApi


@dataclass(frozen=True, slots=True)
class HttpSide:
    """What the routes stand on."""

    events: EventsApi
    cases: CaseReader
    acks: AckPages
    providers: ProvidersApi
    keys: ApiKeys
    readiness: Readiness


def build_api(side: HttpSide) -> ASGIApp:
    """The ASGI application."""
    app = FastAPI(title="Reeve intake", version=__version__, docs_url=None, redoc_url=None)
    _add_events(app, side)
    _add_cases(app, side)
    _add_acks(app, side)
    _add_providers(app, side)
    add_pages(app, side.readiness)
    app.add_exception_handler(StarletteHTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _query_problem)
    app.add_exception_handler(StoreAway, _store_away)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return Front(app, side.events)


_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"header": []}]


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {
        status: {
            "description": _MEANING[status],
            "content": {answers.PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        }
        for status in statuses
    }


_MEANING = {
    400: "The body is not well-formed",
    401: "No key, or an unknown one",
    403: "The key is not good for this site",
    404: "There is none",
    408: "The body did not come in time",
    413: "An event of more than 256 KiB, or a post of more than 20 MB",
    415: "The content type is not one that we read",
    422: "No event of ours: each fault with its JSON path",
    429: "Too fast; see Retry-After",
    503: "The record is away; nothing was acknowledged; see Retry-After",
}


def _add_events(app: FastAPI, side: HttpSide) -> None:
    async def post_events(request: Request) -> Response:
        """One event: 202 once it is in the record (`duplicate` tells a repeat). Many: 200 with a row per event,
        the good ones stored even if others are bad. Binary CloudEvents carry the attributes as `ce-` headers.
        """
        return await side.events.post(request)

    event = {"$ref": "#/components/schemas/Event"}
    many = {"type": "array", "items": event}
    app.add_api_route(
        EVENTS_PATH,
        post_events,
        methods=["POST"],
        response_model=None,
        status_code=202,
        summary="Post events",
        responses={
            202: {"model": Accepted, "description": "One event is in the record"},
            200: {"model": list[Row], "description": "A row per event of a batch"},
            **_problems(400, 401, 403, 408, 413, 415, 422, 429, 503),
        },
        openapi_extra={
            "security": _SECURITY,
            "requestBody": {
                "required": True,
                "content": {
                    "application/cloudevents+json": {"schema": event, "example": EXAMPLE_EVENT},
                    "application/cloudevents-batch+json": {"schema": many, "example": [EXAMPLE_EVENT]},
                    "application/x-ndjson": {"schema": {"type": "string", "description": "One event a line"}},
                    "application/json": {
                        "schema": {"anyOf": [event, many], "description": "Or data alone, with `ce-` headers"},
                        "example": EXAMPLE_EVENT,
                    },
                },
            },
        },
    )


def _caller(request: Request, keys: ApiKeys) -> Caller:
    caller = keys.caller(key_of(request))
    if caller is None:
        raise HTTPException(401)
    return caller


def _add_cases(app: FastAPI, side: HttpSide) -> None:
    async def list_cases(
        request: Request,
        site: Annotated[str | None, Query(max_length=64)] = None,
        policy: Annotated[str | None, Query(max_length=100)] = None,
        state: State | None = None,
        grade: Annotated[str | None, Query(max_length=100)] = None,
        overdue: bool | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: Annotated[str | None, Query(max_length=2000)] = None,
    ) -> Response:
        """Cases of the sites that the key is good for, with their clocks and due times."""
        caller = _caller(request, side.keys)
        if site is not None and not caller.may(site):
            raise HTTPException(403)
        sites = frozenset({site}) if site is not None else None if ALL_SITES in caller.sites else caller.sites
        try:
            page = await side.cases.page(
                sites=sites,
                policy=policy,
                state=state,
                grade=grade,
                overdue=overdue,
                limit=limit,
                cursor=cursor,
            )
        except BadCursor:
            return answers.problem(422, "The cursor is none of ours.", detail="Pass `next` of the page before.")
        return answers.json_answer(200, page)

    async def show_case(request: Request, site: str, policy: str, subject: str) -> Response:
        """One case, and the timeline that says why each step happened."""
        if not _caller(request, side.keys).may(site):
            raise HTTPException(403)
        found = await side.cases.one(str(CaseKey(site, policy, subject)))
        if found is None:
            raise HTTPException(404)
        return answers.json_answer(200, found)

    extra = {"security": _SECURITY}
    app.add_api_route(
        "/v1/cases",
        list_cases,
        response_model=None,
        summary="List cases",
        openapi_extra=extra,
        responses={200: {"model": CasePage}, **_problems(401, 403, 422, 503)},
    )
    app.add_api_route(
        "/v1/cases/{site}/{policy}/{subject:path}",
        show_case,
        response_model=None,
        summary="Show a case",
        openapi_extra=extra,
        responses={200: {"model": CaseDetail}, **_problems(401, 403, 404, 503)},
    )


def _add_acks(app: FastAPI, side: HttpSide) -> None:
    async def show_ack(token: str) -> Response:
        """A page with the choices; changes nothing."""
        return await side.acks.show(token)

    async def answer_ack(token: str, request: Request) -> Response:
        """Takes the answer: `answer` is confirm (also without any form), escalate, or more with `minutes`."""
        form = b""
        async for chunk in request.stream():
            form += chunk
            if len(form) > MOST_BYTES:
                raise HTTPException(413)
        return await side.acks.take(token, form)

    options: dict[str, Any] = {"response_model": None, "response_class": HTMLResponse}
    app.add_api_route("/ack/{token}", show_ack, summary="Ask for an answer", **options)
    app.add_api_route("/ack/{token}", show_ack, methods=["HEAD"], include_in_schema=False, **options)
    app.add_api_route("/ack/{token}", answer_ack, methods=["POST"], summary="Answer", **options)


def _add_providers(app: FastAPI, side: HttpSide) -> None:
    async def take_post(provider: str, kind: Kind, request: Request) -> Response:
        """What a provider of messages posts: receipts, or what people reply. Its file says how it proves itself and
        what it is answered."""
        return await side.providers.take(provider, kind, request)

    path = "/v1/providers/{provider}/{kind}"
    problems = _problems(403, 404, 413, 429, 503)
    for method, summary in (
        ("POST", "A provider's post"),
        ("GET", "A provider's post, from one that calls addresses"),
    ):
        app.add_api_route(
            path,
            take_post,
            methods=[method],
            response_model=None,
            summary=summary,
            operation_id=f"take_provider_{method.lower()}",
            responses={200: {"description": "Kept; the body is what the provider's file says"}, **problems},
        )


def _described(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title="Reeve intake",
            version=__version__,
            description="Site systems post events; integrators read cases; recipients acknowledge.",
            routes=app.routes,
        )
        event, definitions = event_schemas()
        schemas = document["components"]["schemas"]
        schemas.update(definitions, Event=event)
        schemas.setdefault("ProblemDetails", ProblemDetails.model_json_schema())
        document["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        app.openapi_schema = document
    return app.openapi_schema


async def _http_problem(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, StarletteHTTPException) else 500
    if status == 401:
        return unauthorised()
    if status == 403:
        return answers.problem(403, answers.OTHER_SITE)
    headers = error.headers if isinstance(error, StarletteHTTPException) else None
    titles = {404: "There is nothing here.", 405: "This method is not for this address."}
    return answers.problem(status, titles.get(status, "The request can't be answered."), headers=headers)


async def _query_problem(_: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    detail = "; ".join(f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in faults)
    return answers.problem(422, "The query can't be used.", detail=detail)


async def _store_away(_: Request, __: Exception) -> Response:
    return record_away()
