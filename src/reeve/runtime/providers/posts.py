"""Posts of providers: whether one is the provider's own, and the receipts and messages in it. Pure.

Posts hold personal data: numbers, texts, tokens. Nothing here is logged, and no error quotes one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from typing import Literal as OneOf
from urllib.parse import parse_qsl

import orjson

from reeve.rulelang.template_limits import RenderingFailed
from reeve.runtime.providers.fields import RENDERER, compile_pattern
from reeve.runtime.providers.judging import ABSENT, json_at
from reeve.runtime.providers.load import Configured
from reeve.runtime.providers.webhooks import Check, HmacCheck, PostAnswer, TokenCheck, TwilioCheck

_MOST_ENTRIES = 1000
_MOST_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class Post:
    """A request of a provider as it came."""

    method: str
    url: str = field(repr=False)
    """As the provider called it: REEVE_PUBLIC_URL, path and query. Some sign it."""
    query: str = field(repr=False)
    """As sent, without the `?`."""
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider says of one message."""

    status: OneOf["delivered", "failed", "pending"]
    reference: str | None = None
    """The provider's id of the message: an attempt's `reference`."""
    id: str | None = None
    """Ours: `public_id` of the delivery."""
    bad_address: bool = False
    """It failed because of the address itself."""
    segments: int | None = None
    detail: str = ""
    """Why, in the provider's words; may hold anything: for the record only."""

    def __repr__(self) -> str:
        return f"Receipt(status={self.status!r})"


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that a person has sent to us. Personal data throughout."""

    sender: str
    text: str
    to: str | None = None
    reference: str | None = None
    """The provider's id of it; None where it gives none."""
    at: str | None = None
    """When it was written, as the provider spells it."""

    def __repr__(self) -> str:
        return "Reply()"


def public_id(delivery_id: str) -> str:
    """How a provider is told of a delivery (`{{ id }}`): 32 hex; ids of ours hold any character."""
    return hashlib.sha256(delivery_id.encode()).hexdigest()[:32]


def verified(configured: Configured, post: Post) -> bool:
    """Whether the post is proved to be the provider's own. False for a provider that posts nothing."""
    webhooks = configured.file.webhooks
    if webhooks is None or post.method not in webhooks.methods:
        return False
    return _proved(webhooks.auth, configured, post)


def receipts_in(configured: Configured, post: Post) -> list[Receipt]:
    """Every receipt in the post; entries that say nothing of a message of ours are left out."""
    shape = configured.file.receipts
    if shape is None:
        return []
    found: list[Receipt] = []
    for entry in _entries(configured, shape.items, post):
        reference, own = _value(shape.reference, entry), _value(shape.id, entry)
        if not reference and not own:
            continue
        status = _value(shape.status, entry) or ""
        said: OneOf["delivered", "failed", "pending"] = "pending"
        if status in shape.delivered:
            said = "delivered"
        elif status in shape.failed:
            said = "failed"
        detail = _value(shape.reason, entry) or ""
        pattern = shape.bad_address
        at_fault = pattern is not None and compile_pattern(pattern).search(detail.encode()) is not None
        segments = _value(shape.segments, entry) or ""
        found.append(
            Receipt(
                said,
                reference or None,
                own or None,
                said == "failed" and at_fault,
                int(segments) if segments.isascii() and segments.isdigit() and len(segments) < 4 else None,
                detail,
            )
        )
    return found


def inbound_in(configured: Configured, post: Post) -> list[Reply]:
    """Every message of a person in the post; none of a raw mail, which is read as MIME elsewhere."""
    shape = configured.file.inbound
    if shape is None or shape.raw:
        return []
    found: list[Reply] = []
    for entry in _entries(configured, shape.items, post):
        sender, text = _value(shape.sender, entry), _value(shape.text, entry)
        if sender and text is not None:
            reference, to, at = (_value(place, entry) for place in (shape.reference, shape.to, shape.at))
            found.append(Reply(sender, text, to or None, reference or None, at or None))
    return found


def answer_for(configured: Configured, kind: OneOf["receipts", "inbound"]) -> PostAnswer:
    """What the provider wants to hear once its post is kept."""
    shape = configured.file.receipts if kind == "receipts" else configured.file.inbound
    return PostAnswer() if shape is None else shape.answer


def _proved(check: Check, configured: Configured, post: Post) -> bool:
    context = {"secrets": {name: each.get_secret_value() for name, each in configured.secrets.items()}}
    match check:
        case TokenCheck():
            given = [value for name, value in _pairs(post.query) if name == check.parameter]
            if check.header is not None:
                given.append(post.headers.get(check.header.lower(), "").removeprefix("Bearer "))
            secret = _secret(check.token, context)
            return any(_same(each, secret) for each in given)
        case HmacCheck():
            secret = _secret(check.secret, context)
            digest = hmac.new(secret.encode(), post.body, check.algorithm).digest()
            right = digest.hex() if check.encoding == "hex" else base64.b64encode(digest).decode()
            sent = post.headers.get(check.header.lower(), "").removeprefix(check.prefix)
            return bool(secret) and _same(sent.lower() if check.encoding == "hex" else sent, right)
        case TwilioCheck():
            secret = _secret(check.auth_token, context)
            sent = post.headers.get("x-twilio-signature", "")
            return bool(secret) and _same(sent, twilio_signature(post.url, _form(post), secret))


def twilio_signature(url: str, fields: Iterable[tuple[str, str]], auth_token: str) -> str:
    """X-Twilio-Signature of a post: HMAC-SHA1 over the URL and every field, by name, base64."""
    text = url + "".join(f"{name}{value}" for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _secret(template: str, context: Mapping[str, Any]) -> str:
    """The secret; empty where its variable is not set, and nothing is proved by that."""
    try:
        return RENDERER.render(template, context)
    except RenderingFailed:
        return ""


def _same(given: str, right: str) -> bool:
    return bool(right) and hmac.compare_digest(given.encode(), right.encode())


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_ENTRIES)
    except ValueError:
        return []


def _form(post: Post) -> list[tuple[str, str]]:
    if post.method == "GET":
        return []
    return _pairs(post.body.decode("utf-8", "replace"))


def _entries(configured: Configured, items: str | None, post: Post) -> Sequence[Mapping[str, Any]]:
    webhooks = configured.file.webhooks
    form: str = webhooks.format if webhooks is not None else "auto"
    if form == "auto":
        content_type = post.headers.get("content-type", "").partition(";")[0].strip().lower()
        by_type = "form" if content_type == "application/x-www-form-urlencoded" else "json"
        form = "query" if post.method == "GET" else by_type
    content: Any
    if form == "json":
        try:
            content = orjson.loads(post.body)
        except orjson.JSONDecodeError:
            return []
    else:
        content = dict(_pairs(post.query) if form == "query" else _form(post))
    if items is not None:
        content = json_at(content, items)
    every = content if isinstance(content, list) else [content]
    return [each for each in every[:_MOST_ENTRIES] if isinstance(each, dict)]


def _value(place: Sequence[str] | None, entry: Mapping[str, Any]) -> str | None:
    """What stands there, joined; None where a part of it is not there."""
    if place is None:
        return None
    parts: list[str] = []
    for each in place:
        if "{{" in each or "{%" in each:
            try:
                parts.append(RENDERER.render(each, entry))
            except RenderingFailed:
                return None
            continue
        found = json_at(entry, each)
        if found is ABSENT and len(place) > 1 and not each[0].isalpha():
            parts.append(each)  # a sign between fields, like the + before a country code
            continue
        if found is ABSENT or isinstance(found, dict | list) or found is None:
            return None
        parts.append(str(found).lower() if isinstance(found, bool) else str(found))
    return "".join(parts)[:_MOST_CHARACTERS]
