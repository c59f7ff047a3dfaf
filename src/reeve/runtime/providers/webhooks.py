"""What a provider posts to us: how we know that it is the provider, and where in the post things stand."""

from __future__ import annotations

from typing import Annotated, Any
from typing import Literal as OneOf

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from reeve.rulelang.template_limits import TemplateRefused
from reeve.runtime.providers.fields import RENDERER, Pattern, SecretText, Strict


class TokenCheck(Strict):
    """The provider can only call an address: a token in it, or in a header, is the proof."""

    kind: OneOf["token"]
    token: SecretText
    parameter: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,60}$")] = "token"
    """Name of the query parameter that holds it: `…/receipts?token=…`."""
    header: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")] = None
    """A header that may hold it instead; `Bearer ` before it is skipped."""


class HmacCheck(Strict):
    """The provider signs the body with a shared secret."""

    kind: OneOf["hmac"]
    secret: SecretText
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")]
    algorithm: OneOf["sha256", "sha1", "sha512"] = "sha256"
    encoding: OneOf["hex", "base64"] = "hex"
    prefix: Annotated[str, Field(max_length=40)] = ""
    """Stands before the signature in the header: `sha256=`."""


class TwilioCheck(Strict):
    """X-Twilio-Signature: HMAC-SHA1 over the URL and the fields, with the account's auth token."""

    kind: OneOf["twilio"]
    auth_token: SecretText


Check = Annotated[TokenCheck | HmacCheck | TwilioCheck, Field(discriminator="kind")]


def _place(value: Any) -> Any:
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list) or not parts or not all(isinstance(part, str) and part for part in parts):
        raise ValueError("give the name of a field (biz_id, a.b.0), a list of names to join, or a {{ template }}")
    for part in parts:
        if "{{" in part or "{%" in part:
            _checked(part)
    return list(parts)


def _checked(part: str) -> None:
    try:
        RENDERER.check(part)
    except TemplateRefused as error:
        raise ValueError(f"template: {error}") from None


Place = Annotated[list[str], BeforeValidator(_place, json_schema_input_type=str | list[str])]
"""Where a value stands in an entry: a dotted path, several that are joined, or templates over its fields."""


def _spellings(value: Any) -> Any:
    every = value if isinstance(value, list) else [value]
    if not every or not all(isinstance(one, str | int | bool) for one in every):
        raise ValueError("give the values that mean it: [DELIVRD, '0', true]")
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in every]


Spellings = Annotated[
    list[str],
    BeforeValidator(_spellings, json_schema_input_type=list[str | int | bool] | str | int | bool),
]
"""Values, however JSON writes them: true, "true", 1, "1"."""


class PostAnswer(Strict):
    """What the provider wants to hear; without it, it calls again."""

    status: Annotated[int, Field(ge=200, le=299)] = 200
    content_type: Annotated[str, Field(pattern=r"^[\x20-\x7e]{3,100}$")] = "application/json"
    body: Annotated[str, Field(max_length=2000)] = ""


class Receipts(Strict):
    """Confirmations: which message, and whether it arrived."""

    items: str | None = None
    """Path of the list inside the post; none: the post is the list, or the one entry."""
    reference: Place | None = None
    """The provider's own id of the message, the one that `message_id` finds when it is sent."""
    id: Place | None = None
    """Ours, where the provider hands back what the file sends as `{{ id }}`."""
    status: Place
    delivered: Spellings
    """Values of `status` that mean: it arrived."""
    failed: Spellings = Field(default_factory=list)
    """Those that mean: it never will. What is in neither list is still under way."""
    reason: Place | None = None
    """Why it failed, in the provider's words."""
    bad_address: Pattern | None = None
    """A pattern of `reason`: the address itself is at fault."""
    segments: Place | None = None
    """How many parts it was sent in."""
    answer: PostAnswer = PostAnswer()

    @model_validator(mode="after")
    def _says_which(self) -> Receipts:
        if self.reference is None and self.id is None:
            raise ValueError("reference or id is missing: how else is it known which message is meant")
        return self


class Inbound(Strict):
    """Messages from people: who, and what they write."""

    items: str | None = None
    sender: Annotated[Place | None, Field(alias="from")] = None
    """The number or address it comes from, as recipients have it: `["+", nationcode, mobile]` is joined."""
    to: Place | None = None
    text: Place | None = None
    reference: Place | None = None
    """The provider's id of the message, by which one that is posted twice is known."""
    at: Place | None = None
    raw: bool = False
    """The body is a mail as it came (MIME); nothing else has to be said."""
    answer: PostAnswer = PostAnswer()

    @model_validator(mode="after")
    def _says_who(self) -> Inbound:
        if not self.raw and (self.sender is None or self.text is None):
            raise ValueError("from and text are missing: who writes, and what; or raw: true for a whole mail")
        return self


def _unrepeated(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value))


class Webhooks(Strict):
    """How posts of this provider are known to be its own, and what they are written in."""

    auth: Check
    format: OneOf["auto", "json", "form", "query"] = "auto"
    """auto: by the post's content-type; a GET is its query."""
    methods: Annotated[tuple[OneOf["GET", "POST"], ...], AfterValidator(_unrepeated)] = ("POST",)
