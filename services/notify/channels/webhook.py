"""A system is told by a signed POST of a CloudEvent, to its own address or the file's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC

import httpx
import orjson
from pydantic import SecretStr

from reeve.rulelang.template_limits import RenderingFailed
from reeve.runtime.providers.faults import Fault, ProvidersRefused
from reeve.runtime.providers.fields import RENDERER
from reeve.runtime.providers.posts import public_id
from reeve.runtime.providers.webhook_file import WebhookFile
from reeve.runtime.telemetry import get_log
from services.notify.channels.base import Outcome, Reason, Result, Text
from services.notify.channels.certificates import Connecting, trusting
from services.notify.channels.guard import Forbidden, Target, Unresolved, checked_target
from services.notify.channels.retry_after import asked_to_wait
from services.notify.channels.webhook_signing import signing_key, webhook_headers
from services.notify.channels.wire import Wire

EVENT_TYPE = "reeve.notification"
_IDS = ("site", "policy", "case", "grade", "role")
"""What of the case a webhook carries beside the text."""

log = get_log(__name__)


class WebhookProvider:
    """Posts each message, `connections` at a time at most; follows no redirect, reaches into no private network."""

    def __init__(self, file: WebhookFile, secrets: Mapping[str, SecretStr]) -> None:
        """Raises ProvidersRefused (permanent) for a secret that can't sign."""
        self.name: str = file.name
        self.channel: str = file.channel
        self._file = file
        self._secrets = {"secrets": {name: each.get_secret_value() for name, each in secrets.items()}}
        self._allowed = frozenset(host.lower() for host in file.allow_hosts)
        try:
            self._key = signing_key(RENDERER.render(file.secret, self._secrets))
        except ValueError as error:
            raise ProvidersRefused([Fault(file.name, None, "secret", str(error))]) from None
        self._places = asyncio.Semaphore(file.connections)
        for talkative in ("httpx", "httpcore"):  # both log whole URLs
            logging.getLogger(talkative).setLevel(logging.CRITICAL)
        self._connecting = Connecting(file.name)
        self._client = httpx.AsyncClient(
            verify=trusting(),
            timeout=httpx.Timeout(file.timeout.total_seconds()),
            # None is kept: they are known by address, and another name would get past the first one's certificate.
            limits=httpx.Limits(max_connections=file.connections, max_keepalive_connections=0),
            follow_redirects=False,
            trust_env=False,
        )

    async def send(self, text: Text) -> Outcome:
        """One attempt; the reference is the id the post carries, the same for every attempt of a delivery."""
        async with self._places:
            return replace(await self._attempt(text), provider=self.name)

    async def close(self) -> None:
        """All connections are closed."""
        await self._client.aclose()

    async def _attempt(self, text: Text) -> Outcome:
        context = {**self._secrets, "to": text.to, "id": public_id(text.id), "message": text.message}
        context |= {"language": text.language}
        try:
            target = await checked_target(RENDERER.render(self._file.url, context), self._allowed)
            request = self._request(text, target, context)
        except Forbidden as error:
            fault = str(error)
            log.warning(
                "A webhook's address is not called.", action="webhook_forbidden", provider=self.name, fault=fault
            )
            return Outcome(Result.PERMANENT, Reason.BAD_ADDRESS)
        except Unresolved:
            return Outcome(Result.TRANSIENT, Reason.UNREACHABLE)
        except (RenderingFailed, httpx.InvalidURL, ValueError):
            return Outcome(Result.PERMANENT, Reason.REFUSED)
        wire = Wire(text)
        request.extensions["trace"] = wire.trace
        try:
            async with asyncio.timeout(self._file.timeout.total_seconds()):
                response = await self._client.send(request, stream=True)
                await response.aclose()  # the status says it all
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Outcome(Result.TRANSIENT, self._connecting.failed(error))
        except httpx.PoolTimeout:
            return Outcome(Result.TRANSIENT, Reason.BUSY)
        except (httpx.TimeoutException, TimeoutError):
            return Outcome(wire.silence, Reason.TIMEOUT)
        except httpx.TransportError:
            return Outcome(wire.silence, Reason.DISCONNECTED)
        return _judged(response, public_id(text.id))

    def _request(self, text: Text, target: Target, context: Mapping[str, object]) -> httpx.Request:
        reference = public_id(text.id)
        body = orjson.dumps(
            {
                "specversion": "1.0",
                "id": reference,
                "source": "/reeve/notify",
                "type": EVENT_TYPE,
                "subject": str(text.values.get("case", "")) or reference,
                "time": text.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "datacontenttype": "application/json",
                "data": {
                    **{name: str(text.values[name]) for name in _IDS if text.values.get(name)},
                    "message": text.message,
                    "language": text.language,
                    "title": text.subject,
                    "text": text.body,
                },
            }
        )
        headers = {
            **{name: RENDERER.render(value, context) for name, value in self._file.headers.items()},
            "host": target.host_header,
            "user-agent": "reeve",
            "content-type": "application/cloudevents+json; charset=utf-8",
            **webhook_headers(self._key, reference, text.at, body),
        }
        extensions = {"sni_hostname": target.host}
        return self._client.build_request("POST", target.url, headers=headers, content=body, extensions=extensions)


def _judged(response: httpx.Response, reference: str) -> Outcome:
    status = response.status_code
    if 200 <= status < 300:
        return Outcome(Result.SENT, Reason.ACCEPTED, reference)
    if status in (401, 403):
        return Outcome(Result.TRANSIENT, Reason.CREDENTIALS)
    if status in (404, 410):
        return Outcome(Result.PERMANENT, Reason.BAD_ADDRESS)
    if status in (408, 425, 429, 503):
        return Outcome(Result.TRANSIENT, Reason.BUSY, retry_after=asked_to_wait(response.headers))
    if 300 <= status < 500:
        return Outcome(Result.PERMANENT, Reason.REFUSED)
    return Outcome(Result.TRANSIENT, Reason.PROVIDER_ERROR)
