"""Intake's pages for those who run it: health, readiness, metrics, and the descriptions of its API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal as OneOf

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import HTMLResponse, JSONResponse

from reeve import __version__
from reeve.contracts.schemas import asyncapi
from services.intake.docs_page import DOCS

Readiness = Callable[[], Awaitable[dict[str, bool]]]

_DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"


def add_pages(app: FastAPI, readiness: Readiness) -> None:
    """The application has them."""

    async def healthz() -> Response:
        return Response("ok\n", media_type="text/plain")

    async def readyz(needs: OneOf["all", "record"] = "all") -> Response:
        has = await readiness()
        ready = has["record"] and has["rules"] if needs == "record" else all(has.values())
        lines = "".join(f"{name}: {'ok' if met else 'away'}\n" for name, met in sorted(has.items()))
        return Response(lines, 200 if ready else 503, media_type="text/plain")

    async def metrics() -> Response:
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def docs() -> Response:
        return HTMLResponse(DOCS, headers={"Content-Security-Policy": _DOCS_POLICY})

    async def asyncapi_document() -> Response:
        return JSONResponse(asyncapi(__version__))

    for path, page, summary in (
        ("/healthz", healthz, "Whether the process lives"),
        ("/readyz", readyz, "Whether bus, record and rules are there; needs=record: whether posts are accepted"),
        ("/metrics", metrics, "Prometheus metrics"),
        ("/docs", docs, "This description as a page"),
        ("/asyncapi", asyncapi_document, "Every NATS subject and message"),
    ):
        app.add_api_route(path, page, response_model=None, summary=summary)
        app.add_api_route(path, page, methods=["HEAD"], response_model=None, include_in_schema=False)
