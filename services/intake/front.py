"""What stands before intake's routes: every answer counted and timed, and the shortest way for posts of events."""

from __future__ import annotations

import time

from fastapi import Request
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reeve.runtime.telemetry import get_log
from services.intake.events_api import EventsApi

EVENTS_PATH = "/v1/events"

_SECONDS = Histogram(
    "reeve_intake_http_seconds",
    "Seconds to answer, by route",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)

log = get_log(__name__)


class Front:
    """Counts and times every answer by its route's template: no address, and so no personal data, is kept.

    Posts of events go straight to their handler: the framework's way there took more time than all the rest.
    """

    def __init__(self, app: ASGIApp, events: EventsApi) -> None:
        self._app = app
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        posts_events = scope["path"] == EVENTS_PATH and scope["method"] == "POST"
        try:
            if posts_events:
                answer = await self._events.post(Request(scope, receive))
                await answer(scope, receive, watch)
            else:
                await self._app(scope, receive, watch)
        finally:
            route = EVENTS_PATH if posts_events else getattr(scope.get("route"), "path", "other")
            seconds = time.perf_counter() - started
            _SECONDS.labels(scope["method"] if route != "other" else "any", route, status).observe(seconds)
            if status >= 400:
                log.debug("A request was not served.", action="http_refused", route=route, status=status)
