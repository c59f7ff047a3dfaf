"""Stands in for an HTTP SMS gateway: takes GET and POST on any path, and can be told to misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from reeve.devstack.mailbox import Mailbox
from reeve.devstack.tiny_http import Request, Response

ACCEPTED = "0: Accepted for delivery"
"""What Kannel's sendsms answers."""
_CHARSETS = {"utf-8", "gbk", "gb2312", "gb18030", "big5", "iso-8859-1", "windows-1252", "us-ascii"}
_NUMBER_FIELDS = ("to", "phone", "phones", "mobile", "msisdn", "recipient", "destination", "phonenumbers")
_TEXT_FIELDS = ("text", "message", "content", "body", "msg", "sms")
_SENDER_FIELDS = ("from", "sender", "sign", "signname")


@dataclass(slots=True)
class GatewayBehaviour:
    """How the gateway answers; the defaults are those of a gateway in good health."""

    status: int = 202
    body: str = ACCEPTED
    content_type: str = "text/plain; charset=utf-8"
    accepts: bool | None = None
    """Whether the message counts as taken; None means: if the status is 2xx."""
    delay_seconds: float = 0.0
    """Before the answer, after the message was taken."""
    drop_after_accepting: bool = False
    """The message is taken and the connection drops unanswered: the sender can't know."""
    times: int | None = None
    """For so many requests, then healthy again; None means until changed."""


class SmsGateway:
    """Turns requests into received messages."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.behaviour = GatewayBehaviour()
        self._mailbox = mailbox

    async def handle(self, request: Request) -> Response | None:
        """The message is in the mailbox; the answer is as told, None if the connection is to drop."""
        behaviour = self._next_behaviour()
        fields = request_fields(request)
        by_name = {name.lower(): value for name, value in fields.items()}
        accepted = behaviour.accepts if behaviour.accepts is not None else behaviour.status // 100 == 2
        number = _first(by_name, _NUMBER_FIELDS)
        await self._mailbox.add(
            "sms",
            accepted=accepted,
            sender=_first(by_name, _SENDER_FIELDS),
            to=tuple(part.strip() for part in number.split(",") if part.strip()),
            subject="",
            text=_first(by_name, _TEXT_FIELDS),
            details={**fields, "method": request.method, "path": request.path},
        )
        await asyncio.sleep(behaviour.delay_seconds)
        if behaviour.drop_after_accepting:
            return None
        return Response(behaviour.status, behaviour.body.encode(), behaviour.content_type)

    def _next_behaviour(self) -> GatewayBehaviour:
        behaviour = self.behaviour
        if behaviour.times is not None:
            behaviour.times -= 1
            if behaviour.times <= 0:
                self.behaviour = GatewayBehaviour()
        return behaviour


def request_fields(request: Request) -> dict[str, str]:
    """Every field of the query and of a form or JSON body, by its name as sent; the body wins.

    Nested JSON is flattened to its last names. What can't be read as either is one field `body`. A `charset`
    field tells how the others are encoded, as for Kannel; without it they are UTF-8.
    """
    charset = _known_charset(dict(parse_qsl(request.query)).get("charset", ""))
    fields = dict(parse_qsl(request.query, keep_blank_values=True, encoding=charset, errors="replace"))
    if not request.body:
        return fields
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = request.body.decode(charset, "replace")
    if kind == "application/x-www-form-urlencoded":
        return fields | dict(parse_qsl(text, keep_blank_values=True, encoding=charset, errors="replace"))
    try:
        return fields | _flatten(json.loads(text), "body")
    except (ValueError, RecursionError):
        return fields | {"body": text}


def _flatten(value: object, name: str) -> dict[str, str]:
    if isinstance(value, dict):
        merged: dict[str, str] = {}
        for key, inner in value.items():
            merged |= _flatten(inner, str(key))
        return merged
    if isinstance(value, list):
        if any(isinstance(item, dict | list) for item in value):
            merged = {}
            for item in value:
                merged |= _flatten(item, name)
            return merged
        return {name: ",".join(map(str, value))}
    return {name: value if isinstance(value, str) else json.dumps(value)}


def _known_charset(name: str) -> str:
    return name.lower() if name.lower() in _CHARSETS else "utf-8"


def _first(fields: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")
