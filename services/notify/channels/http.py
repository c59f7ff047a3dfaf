"""A provider that a file describes and that is called by HTTP, on connections that are kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import orjson
from pydantic import SecretStr

from reeve.rulelang.sms_segments import is_gsm
from reeve.rulelang.template_limits import RenderingFailed
from reeve.runtime.providers.auth import SIGNED
from reeve.runtime.providers.fields import RENDERER, for_posts
from reeve.runtime.providers.http_file import HttpFile, render_tree, without_posts
from reeve.runtime.providers.judging import found_id
from reeve.runtime.providers.posts import public_id
from reeve.runtime.providers.templates import fill, template_for
from reeve.runtime.telemetry import get_log
from services.notify.channels.authorizing import authorize
from services.notify.channels.base import Outcome, Reason, Result, Text
from services.notify.channels.certificates import Connecting, trusting
from services.notify.channels.retry_after import asked_to_wait
from services.notify.channels.signing import canonical_query
from services.notify.channels.wire import Wire

_MOST_ANSWER_BYTES = 65_536

_RESULTS = {
    "transient": Result.TRANSIENT,
    "throttled": Result.TRANSIENT,
    "permanent": Result.PERMANENT,
    "unknown": Result.UNKNOWN,
}
_DEFAULT_REASONS = {
    "transient": Reason.PROVIDER_ERROR,
    "throttled": Reason.BUSY,
    "permanent": Reason.REFUSED,
    "unknown": Reason.PROVIDER_ERROR,
}


log = get_log(__name__)


class _NoTemplate(Exception):
    """The provider has no template for the message."""


class HttpProvider:
    """Sends through one HTTP interface, `connections` at a time at most."""

    def __init__(self, file: HttpFile, secrets: Mapping[str, SecretStr], *, public_url: str = "") -> None:
        """`public_url` is where providers reach intake; empty: they can't."""
        self.name: str = file.name
        self.channel: str = file.channel
        self._file = file
        self._secrets = secrets
        can_post = bool(public_url) and file.webhooks is not None
        self._posts_to = f"{public_url}/v1/providers/{file.name}" if can_post else ""
        self._said: set[tuple[str, str]] = set()
        self._connecting = Connecting(file.name)
        # Both write the whole URL into their logs, and with a GET that is the number, the text and the password.
        for talkative in ("httpx", "httpcore"):
            logging.getLogger(talkative).setLevel(logging.CRITICAL)
        self._seconds = file.timeout.total_seconds()
        self._places = asyncio.Semaphore(file.connections)
        self._idle: list[httpx.AsyncClient] = []

    async def send(self, text: Text) -> Outcome:
        """One attempt; the reference is the provider's id of the message where it gives one."""
        return replace(await self._attempt(text), provider=self.name)

    async def close(self) -> None:
        """All connections are closed."""
        idle, self._idle = self._idle, []
        for client in idle:
            await client.aclose()

    async def _attempt(self, text: Text) -> Outcome:
        try:
            request = self._request(text)
        except _NoTemplate:
            self._say_once("A provider's file has no template for a message.", "no_provider_template", text)
            return Outcome(Result.PERMANENT, Reason.NO_TEMPLATE)
        except RenderingFailed as error:
            self._say_once("A template of a provider's file failed.", "provider_template_failed", text, str(error))
            return Outcome(Result.PERMANENT, Reason.REFUSED)
        except (httpx.InvalidURL, ValueError):
            self._say_once("No request can be made for a provider.", "provider_request_impossible", text)
            return Outcome(Result.PERMANENT, Reason.REFUSED)
        wire = Wire(text)
        request.extensions["trace"] = wire.trace
        try:
            response, body = await self._exchange(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            return Outcome(Result.TRANSIENT, self._connecting.failed(error))
        except httpx.LocalProtocolError:
            self._say_once("No request can be made for a provider.", "provider_request_impossible", text)
            return Outcome(Result.PERMANENT, Reason.REFUSED)
        except (httpx.TimeoutException, TimeoutError):
            return Outcome(wire.silence, Reason.TIMEOUT)
        except (httpx.TransportError, httpx.DecodingError):
            return Outcome(wire.silence, Reason.DISCONNECTED)
        self._connecting.worked()
        outcome = self._judge(response.status_code, body, response.headers)
        if outcome.result is Result.TRANSIENT and outcome.reason is Reason.BUSY:
            return replace(outcome, retry_after=asked_to_wait(response.headers))
        return outcome

    async def _exchange(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """The answer and the head of its body. Raises httpx's errors; TimeoutError when it comes in drips.

        A client for each place, because one pool looks at all its connections with every call.
        """
        async with self._places:
            client = self._idle.pop() if self._idle else self._client()
            try:
                async with asyncio.timeout(2 * self._seconds):  # the first half is for the connection
                    response = await client.send(request, stream=True)
                    try:
                        return response, await _head_of(response)
                    finally:
                        await response.aclose()
            finally:
                self._idle.append(client)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=trusting(),
            timeout=httpx.Timeout(self._seconds),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=15),
            follow_redirects=False,
            trust_env=False,
        )

    def _request(self, text: Text) -> httpx.Request:
        """The call for this text, signed. Raises _NoTemplate, RenderingFailed, httpx.InvalidURL, ValueError."""
        file = self._file
        context: dict[str, Any] = {
            "to": text.to,
            "to_digits": text.to.lstrip("+"),
            "text": text.body,
            "subject": text.subject,
            "unicode": not is_gsm(text.body),
            # Some providers recognise a repeat by it.
            "id": public_id(text.id),
            "message": text.message,
            "language": text.language,
            "receipts_url": f"{self._posts_to}/receipts",
            "inbound_url": f"{self._posts_to}/inbound",
            "secrets": {name: secret.get_secret_value() for name, secret in self._secrets.items()},
        }
        if file.templates is not None:
            template = template_for(file.templates, text.message, text.language)
            if template is None:
                raise _NoTemplate
            context["template"] = fill(template, text.values, text.body)

        def rendered(template: str) -> str:
            return RENDERER.render(template, context)

        def all_rendered(templates: Mapping[str, str]) -> dict[str, str]:
            # Where providers can't reach us they are not asked to.
            return {
                name: rendered(template)
                for name, template in templates.items()
                if self._posts_to or not for_posts(template)
            }

        url = rendered(file.url)
        more: dict[str, Any] = {}
        if file.query and isinstance(file.auth, SIGNED):
            # Sent in the very form that is signed, whatever httpx would have made of it.
            url = f"{url}?{canonical_query(all_rendered(file.query).items())}"
        elif file.query:
            more["params"] = all_rendered(file.query)
        if file.form is not None:
            more["data"] = all_rendered(file.form)
        elif file.json_ is not None:
            more["json"] = render_tree(file.json_ if self._posts_to else without_posts(file.json_), context)
        elif file.body is not None:
            more["content"] = rendered(file.body).encode()
        headers = {
            "accept": "*/*",
            "accept-encoding": "identity",
            "user-agent": "reeve",
            **all_rendered(file.headers),
        }
        request = httpx.Request(file.method, url, headers=headers, **more)
        if file.auth is not None:
            authorize(request, file.auth, rendered, text.at)
        return request

    def _say_once(self, sentence: str, action: str, text: Text, fault: str | None = None) -> None:
        """An operator must mend the file; a thousand deliveries are no reason to say so a thousand times."""
        if (action, text.message) not in self._said:
            self._said.add((action, text.message))
            log.error(sentence, action=action, provider=self.name, message=text.message, fault=fault)

    def _judge(self, status: int, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """What the answer means: success first, then the provider's own list of errors, then HTTP's classes."""
        file = self._file
        answer = _as_json(body)
        if file.success.holds(status, body, answer):
            return Outcome(Result.SENT, Reason.ACCEPTED, found_id(file.message_id, body, answer, headers))
        for rule in file.errors:
            if rule.when.holds(status, body, answer):
                return Outcome(_RESULTS[rule.then], Reason(rule.reason or _DEFAULT_REASONS[rule.then]))
        if status in (401, 403):
            return Outcome(Result.TRANSIENT, Reason.CREDENTIALS)
        if status in (408, 425, 429):
            return Outcome(Result.TRANSIENT, Reason.BUSY)
        if 400 <= status < 500:
            return Outcome(Result.PERMANENT, Reason.REFUSED)
        # 5xx, and a 200 whose body is no success: it was not taken, and nobody says that it never will be.
        return Outcome(Result.TRANSIENT, Reason.PROVIDER_ERROR)


async def _head_of(response: httpx.Response) -> bytes:
    """The body, cut where it is longer than any provider's answer has a reason to be."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= _MOST_ANSWER_BYTES:
            break
    return body[:_MOST_ANSWER_BYTES]


def _as_json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
