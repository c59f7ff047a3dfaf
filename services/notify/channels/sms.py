"""SMS through the HTTP gateway that a file describes, on connections that are kept."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
from pydantic import SecretStr

from reeve.rulelang.sms_segments import is_gsm
from reeve.rulelang.templates import RenderingFailed
from services.notify.channels.base import Outcome, Reason, Result, Text
from services.notify.channels.gateway import RENDERER, Gateway, found_id, render_tree

_MOST_ANSWER_BYTES = 65_536

_DEFAULT_REASONS = {
    "transient": Reason.PROVIDER_ERROR,
    "permanent": Reason.REFUSED,
    "unknown": Reason.PROVIDER_ERROR,
}


class SmsChannel:
    """Sends SMS through one gateway, `connections` at a time at most."""

    name = "sms"

    def __init__(self, gateway: Gateway, secrets: Mapping[str, SecretStr], *, connections: int = 8) -> None:
        self._gateway = gateway
        self._secrets = secrets
        # Both write the whole URL into their logs, and with a GET that is the number, the text and the password.
        for talkative in ("httpx", "httpcore"):
            logging.getLogger(talkative).setLevel(logging.CRITICAL)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(gateway.timeout_seconds),
            limits=httpx.Limits(
                max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=15
            ),
            follow_redirects=False,
            trust_env=False,
        )

    async def send(self, text: Text) -> Outcome:
        """One attempt; the reference is the gateway's id of the message where it gives one."""
        try:
            request = self._request(text)
        except (RenderingFailed, httpx.InvalidURL, ValueError):
            return Outcome(Result.PERMANENT, Reason.REFUSED)
        try:
            response = await self._client.send(request, stream=True)
            try:
                body = await _head_of(response)
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol):
            return Outcome(Result.TRANSIENT, Reason.UNREACHABLE)
        except httpx.PoolTimeout:
            return Outcome(Result.TRANSIENT, Reason.BUSY)
        except httpx.TimeoutException:
            return Outcome(Result.UNKNOWN, Reason.TIMEOUT)
        except (httpx.TransportError, httpx.DecodingError):
            # The request was on its way: the gateway may have taken it before the line broke.
            return Outcome(Result.UNKNOWN, Reason.DISCONNECTED)
        return self._judge(response.status_code, body, response.headers)

    async def close(self) -> None:
        """All connections are closed."""
        await self._client.aclose()

    def _request(self, text: Text) -> httpx.Request:
        gateway = self._gateway
        context = {
            "to": text.to,
            "to_digits": text.to.lstrip("+"),
            "text": text.body,
            "unicode": not is_gsm(text.body),
            # Some gateways recognise a repeat by it; a digest, because ids of ours hold any character.
            "id": hashlib.sha256(text.id.encode()).hexdigest()[:32],
            "secrets": {name: secret.get_secret_value() for name, secret in self._secrets.items()},
        }

        def rendered(templates: Mapping[str, str]) -> dict[str, str]:
            return {name: RENDERER.render(template, context) for name, template in templates.items()}

        headers = {"user-agent": "reeve", **rendered(gateway.headers)}
        more: dict[str, Any] = {}
        if gateway.query:
            more["params"] = rendered(gateway.query)
        if gateway.form is not None:
            more["data"] = rendered(gateway.form)
        elif gateway.json_ is not None:
            more["json"] = render_tree(gateway.json_, context)
        elif gateway.body is not None:
            more["content"] = RENDERER.render(gateway.body, context).encode()
        if gateway.auth is not None and gateway.auth.kind == "bearer":
            headers["authorization"] = f"Bearer {RENDERER.render(gateway.auth.token, context)}"
        request = self._client.build_request(
            gateway.method, RENDERER.render(gateway.url, context), headers=headers, **more
        )
        if gateway.auth is not None and gateway.auth.kind == "basic":
            name = RENDERER.render(gateway.auth.username, context)
            password = RENDERER.render(gateway.auth.password, context)
            request = next(httpx.BasicAuth(name, password).auth_flow(request))
        return request

    def _judge(self, status: int, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """What the answer means: success first, then the gateway's own list of errors, then HTTP's classes."""
        gateway = self._gateway
        answer = _as_json(body)
        if gateway.success.holds(status, body, answer):
            return Outcome(Result.SENT, Reason.ACCEPTED, found_id(gateway.message_id, body, answer, headers))
        for rule in gateway.errors:
            if rule.when.holds(status, body, answer):
                return Outcome(Result(rule.then), rule.reason or _DEFAULT_REASONS[rule.then])
        if status in (401, 403):
            return Outcome(Result.TRANSIENT, Reason.CREDENTIALS)
        if status in (408, 425, 429):
            return Outcome(Result.TRANSIENT, Reason.BUSY)
        if 400 <= status < 500:
            return Outcome(Result.PERMANENT, Reason.REFUSED)
        # 5xx, and a 200 whose body is no success: it was not taken, and nobody says that it never will be.
        return Outcome(Result.TRANSIENT, Reason.PROVIDER_ERROR)


async def _head_of(response: httpx.Response) -> bytes:
    """The body, cut where it is longer than any gateway's answer has a reason to be."""
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
