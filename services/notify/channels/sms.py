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
from reeve.runtime.telemetry import get_log
from services.notify.channels.base import Outcome, Reason, Result, Text
from services.notify.channels.gateway import Gateway, found_id, render_tree
from services.notify.channels.gateway_auth import SIGNED, authorize
from services.notify.channels.gateway_fields import RENDERER
from services.notify.channels.provider_templates import fill, template_for
from services.notify.channels.signing import canonical_query

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


class SmsChannel:
    """Sends SMS through one gateway, `connections` at a time at most."""

    name = "sms"

    def __init__(self, gateway: Gateway, secrets: Mapping[str, SecretStr], *, connections: int = 8) -> None:
        self._gateway = gateway
        self._secrets = secrets
        self._said: set[tuple[str, str]] = set()
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
        except _NoTemplate:
            self._say_once("The SMS gateway's file has no template for a message.", "no_provider_template", text)
            return Outcome(Result.PERMANENT, Reason.NO_TEMPLATE)
        except RenderingFailed as error:
            self._say_once(
                "A template of the SMS gateway's file failed.", "gateway_template_failed", text, str(error)
            )
            return Outcome(Result.PERMANENT, Reason.REFUSED)
        except (httpx.InvalidURL, ValueError):
            self._say_once("No request can be made for the SMS gateway.", "gateway_request_impossible", text)
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
        """The call for this text, signed. Raises _NoTemplate, RenderingFailed, httpx.InvalidURL, ValueError."""
        gateway = self._gateway
        context: dict[str, Any] = {
            "to": text.to,
            "to_digits": text.to.lstrip("+"),
            "text": text.body,
            "unicode": not is_gsm(text.body),
            # Some gateways recognise a repeat by it; a digest, because ids of ours hold any character.
            "id": hashlib.sha256(text.id.encode()).hexdigest()[:32],
            "message": text.message,
            "language": text.language,
            "secrets": {name: secret.get_secret_value() for name, secret in self._secrets.items()},
        }
        if gateway.templates is not None:
            template = template_for(gateway.templates, text.message, text.language)
            if template is None:
                raise _NoTemplate
            context["template"] = fill(template, text.values, text.body)

        def rendered(template: str) -> str:
            return RENDERER.render(template, context)

        def all_rendered(templates: Mapping[str, str]) -> dict[str, str]:
            return {name: rendered(template) for name, template in templates.items()}

        url = rendered(gateway.url)
        more: dict[str, Any] = {}
        if gateway.query and isinstance(gateway.auth, SIGNED):
            # Sent in the very form that is signed, whatever httpx would have made of it.
            url = f"{url}?{canonical_query(all_rendered(gateway.query).items())}"
        elif gateway.query:
            more["params"] = all_rendered(gateway.query)
        if gateway.form is not None:
            more["data"] = all_rendered(gateway.form)
        elif gateway.json_ is not None:
            more["json"] = render_tree(gateway.json_, context)
        elif gateway.body is not None:
            more["content"] = rendered(gateway.body).encode()
        headers = {"user-agent": "reeve", **all_rendered(gateway.headers)}
        request = self._client.build_request(gateway.method, url, headers=headers, **more)
        if gateway.auth is not None:
            authorize(request, gateway.auth, rendered, text.at)
        return request

    def _say_once(self, sentence: str, action: str, text: Text, fault: str | None = None) -> None:
        """An operator must mend the file; a thousand deliveries are no reason to say so a thousand times."""
        if (action, text.message) not in self._said:
            self._said.add((action, text.message))
            log.error(sentence, action=action, gateway=self._gateway.name, message=text.message, fault=fault)

    def _judge(self, status: int, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """What the answer means: success first, then the gateway's own list of errors, then HTTP's classes."""
        gateway = self._gateway
        answer = _as_json(body)
        if gateway.success.holds(status, body, answer):
            return Outcome(Result.SENT, Reason.ACCEPTED, found_id(gateway.message_id, body, answer, headers))
        for rule in gateway.errors:
            if rule.when.holds(status, body, answer):
                return Outcome(_RESULTS[rule.then], rule.reason or _DEFAULT_REASONS[rule.then])
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
