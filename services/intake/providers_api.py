"""POST and GET /v1/providers/{provider}/{receipts,inbound}: what providers tell us, kept as it came.

The provider hears what it wants to hear only once the post stands in the record; notify reads it from there. Who
can't prove to be the provider is refused, and nothing of it is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal as OneOf

from prometheus_client import Counter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from reeve.ports import StoreAway, TimeSource
from reeve.runtime.crash import reach
from reeve.runtime.providers.faults import Fault
from reeve.runtime.providers.load import Configured, check_providers
from reeve.runtime.providers.posts import Post, answer_for, verified
from reeve.runtime.providers.watching import FilesWatch, tell_left_out, tell_refused, tell_taken
from reeve.runtime.providers.webhooks import TokenCheck
from reeve.runtime.store.provider_posts import ProviderPostStore
from reeve.runtime.telemetry import get_log
from services.intake import answers
from services.intake.keys import Caller, Rate
from services.intake.settings import IntakeSettings

Kind = OneOf["receipts", "inbound"]

MOST_BYTES = 1024 * 1024
MOST_MAIL_BYTES = 10 * 1024 * 1024
"""A mail may bring what people attach; only its first lines are read."""

_POSTS = Counter("reeve_intake_provider_posts_total", "Posts of providers", ["provider", "kind", "outcome"])

log = get_log(__name__)


class PostingProviders:
    """Those whose posts are taken. `run` once, until cancelled: it keeps them in step with their files."""

    def __init__(self, settings: IntakeSettings) -> None:
        """Those that the files describe. A file with a fault is left out and told: events are taken anyway."""
        self._settings = settings
        self._watch = FilesWatch(settings.channels, settings.sms_gateway)
        found, faults = self._read()
        self.by_name = _posting(found)
        tell_left_out(faults)

    async def run(self) -> None:
        """What is saved in their files holds for the next post."""
        await self._watch.run(self.look)

    async def look(self) -> None:
        """What the files say holds from now on; where they have faults they are told, and nothing changes."""
        found, faults = await asyncio.to_thread(self._read)
        if faults:
            tell_refused(faults)
            return
        before, self.by_name = self.by_name, _posting(found)
        tell_taken(before, self.by_name)

    def _read(self) -> tuple[list[Configured], list[Fault]]:
        return check_providers(self._settings.channels, self._settings.sms_gateway, secrets="webhooks")


def _posting(found: Iterable[Configured]) -> dict[str, Configured]:
    return {each.name: each for each in found if each.file.webhooks is not None}


@dataclass(frozen=True, slots=True)
class ProvidersApi:
    """Takes the posts of the providers that post."""

    providers: PostingProviders
    posts: ProviderPostStore
    rate: Rate
    time: TimeSource
    public_url: str = ""
    """How providers reach us, for those that sign the address they call; empty: as the request says."""

    async def take(self, provider: str, kind: Kind, request: Request) -> Response:
        """The provider's own answer, once the post is kept; else a problem, and nothing is kept."""
        known = self.providers.by_name.get(provider)
        webhooks = known.file.webhooks if known is not None else None
        shape = None if known is None else known.file.receipts if kind == "receipts" else known.file.inbound
        if known is None or webhooks is None or shape is None:
            return answers.problem(404, "No such provider posts here.")
        if request.method not in webhooks.methods:
            allowed = {"Allow": ", ".join(webhooks.methods)}
            return answers.problem(405, "This provider posts in another way.", headers=allowed)
        most = MOST_MAIL_BYTES if _is_mail(known, kind) else MOST_BYTES
        try:
            body = await _body(request, most)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return self._refused(known, kind, 413, f"The post is larger than {most} bytes.")
        query = request.url.query
        url = f"{self.public_url}{request.url.path}" if self.public_url else str(request.url.replace(query=""))
        post = Post(request.method, f"{url}?{query}" if query else url, query, request.headers, body)
        if not verified(known, post):
            log.warning("A post is not the provider's own.", action="provider_post_refused", provider=provider)
            return self._refused(known, kind, 403, "Nothing proves that the provider sent this.")
        # Only now: nobody else may use up what the provider may post.
        if wait := self.rate.take(Caller(provider, frozenset()), 1):
            return self._refused(known, kind, 429, "Too many posts.", {"Retry-After": str(int(wait) + 1)})
        try:
            await self.posts.add(
                provider=provider,
                kind=kind,
                method=post.method,
                query=_without_proof(known, query),
                content_type=request.headers.get("content-type", ""),
                body=body,
                now=self.time.now(),
                unmistakable=_unmistakable(known, kind),
            )
        except StoreAway:
            away = {"Retry-After": "5"}
            return self._refused(known, kind, 503, "The record is away; nothing was kept.", away)
        reach("intake.provider_post_stored")
        _POSTS.labels(provider, kind, "stored").inc()
        answer = answer_for(known, kind)
        return Response(answer.body, answer.status, media_type=answer.content_type)

    def _refused(
        self, known: Configured, kind: Kind, status: int, title: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        _POSTS.labels(known.name, kind, str(status)).inc()
        return answers.problem(status, title, headers=headers)


async def _body(request: Request, most: int) -> bytes | None:
    """The whole body; None: it is larger."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


def _is_mail(known: Configured, kind: Kind) -> bool:
    return kind == "inbound" and known.file.inbound is not None and known.file.inbound.raw


def _unmistakable(known: Configured, kind: Kind) -> bool:
    """Whether the same bytes are always the same message: a receipt, a mail, or a text with an id or a moment."""
    inbound = known.file.inbound
    if kind == "receipts" or inbound is None or inbound.raw:
        return True
    return inbound.reference is not None or inbound.at is not None


def _without_proof(known: Configured, query: str) -> str:
    """The query without the token that is in it: the record need not know it."""
    check = known.file.webhooks.auth if known.file.webhooks is not None else None
    if not isinstance(check, TokenCheck):
        return query
    return "&".join(_others(query.split("&"), check.parameter))


def _others(pairs: Iterable[str], parameter: str) -> Iterable[str]:
    return (pair for pair in pairs if pair.partition("=")[0] != parameter)
