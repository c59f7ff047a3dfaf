"""The event envelope (CloudEvents 1.0, contracts.md §1): from bytes to a validated event and back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any, NamedTuple, NoReturn, NotRequired, cast
from typing import Literal as OneOf

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from reeve.contracts.fields import (
    NOT_A_MOMENT,
    NOT_MONEY,
    Data,
    Id,
    Moment,
    Site,
    Source,
    Subject,
    is_money,
    read_moment,
)
from reeve.contracts.json_limits import is_sound, kind_of, look_through, step_to
from reeve.contracts.mail import MAIL
from reeve.contracts.payment import PAYMENT
from reeve.contracts.problems import InvalidEvent, Problem
from reeve.contracts.ticket import TICKET
from reeve.domain.events import Event, event_key

EVENT_TYPES: Mapping[str, type[Data]] = {**TICKET, **MAIL, **PAYMENT}
"""Every event type, and the model of its `data`."""

MAX_EVENT_BYTES = 256 * 1024
MOST_AHEAD = timedelta(minutes=5)
"""How far an event's time may lie ahead of ours."""

COMPUTED = frozenset({"grade", "grade_was", "site", "owed_cny", "open_for", "today"})
"""Names that Reeve computes; the counts of the active rules come on top (rule-language, Facts)."""

_EXTENSION = re.compile(r"[a-z0-9]{1,64}")
_WORD = re.compile(r"[a-z_.]{1,32}")
_SITE = re.compile(r"[a-z0-9-]{1,64}")

_TOO_LARGE = Problem("$", "a larger one", "an event of at most 256 KiB")


class Envelope(BaseModel):
    """A CloudEvent as site systems post it; `data` is typed by `type`."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"additionalProperties": True})

    specversion: OneOf["1.0"]
    id: Id
    source: Source
    type: Annotated[str, Field(json_schema_extra={"enum": sorted(EVENT_TYPES)})]
    site: Site
    subject: Subject
    time: Moment
    datacontenttype: Annotated[str, Field(pattern=r"^application/([a-zA-Z0-9.+-]+\+)?json(\s*;.*)?$")] | None = None
    data: dict[str, Any] | None = None


class _Form(NamedTuple):
    """What the data of one event type is checked by."""

    check: Callable[[Any], dict[str, Any]]
    """The fields with their kinds. Raises ValidationError."""
    names: frozenset[str]
    """Names of the typed fields."""
    computed: frozenset[str]
    """Names that Reeve computes and nobody may post."""


@cache
def _checker(model: type[BaseModel]) -> Callable[[Any], dict[str, Any]]:
    """Checks what `model` checks, without building one: half the time. Moments and days come out read."""
    kinds: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind = field.rebuild_annotation()
        kinds[name] = kind if field.is_required() else NotRequired[kind]
    return TypeAdapter[dict[str, Any]](cast("Any", TypedDict)(model.__name__, kinds)).validator.validate_python


_check_envelope = _checker(Envelope)
_FORMS: Mapping[str, _Form] = {
    name: _Form(
        _checker(model),
        frozenset(model.model_fields),
        # A regrading is the one event that says a grade.
        COMPUTED - {"grade"} if name == "ticket.regraded" else COMPUTED,
    )
    for name, model in EVENT_TYPES.items()
}
_ATTRIBUTES = frozenset({*Envelope.model_fields, "dataschema", "data_base64"})


def parse_event(
    raw: bytes | str | dict[str, Any], *, now: datetime | None = None, reserved: frozenset[str] = frozenset()
) -> Event:
    """The event in `raw`, checked against every sentence of contracts.md §1; its data is as posted.

    `now` (aware) refuses what lies more than 5 minutes ahead; without it, no time is too late. `reserved` are
    the names of the active rules' counts. Raises InvalidEvent (permanent) with all problems found.
    """
    body = _checked_size(raw) if isinstance(raw, dict) else read_object(raw)
    return _accepted(body, now, reserved) or _examined(body, now, reserved)


def _accepted(body: dict[str, Any], now: datetime | None, reserved: frozenset[str]) -> Event | None:
    """The event, if it is plain that nothing is wrong with it; else `_examined` tells what is.

    Both ask the same questions. This one stops at the first doubt and names nothing: all that good events cost.
    """
    name, data = body.get("type"), body.get("data")
    form = _FORMS.get(name) if type(name) is str else None
    if data is None and "data_base64" not in body:
        data = {}
    if form is None or type(data) is not dict:
        return None
    try:
        at = _check_envelope(body)["time"]
        form.check(data)
    except ValidationError:
        return None
    if (
        not form.computed.isdisjoint(data)
        or not reserved.isdisjoint(data)
        or (now is not None and at - now > MOST_AHEAD)
        or not is_sound(data, 1)
    ):
        return None
    for name in data.keys() - form.names:
        if name.endswith("_cny"):
            return None
    for name in body.keys() - _ATTRIBUTES:
        if not _EXTENSION.fullmatch(name):
            return None
    return _event(body, data, at)


def _event(body: dict[str, Any], data: dict[str, Any], at: datetime) -> Event:
    site, source, own_id = body["site"], body["source"], body["id"]
    key = event_key(site, source, own_id)
    return Event(site, source, own_id, body["type"], body["subject"], at.astimezone(UTC), data, key)


def _examined(body: dict[str, Any], now: datetime | None, reserved: frozenset[str]) -> Event:
    """The event. Raises InvalidEvent with all problems found."""
    problems: list[Problem] = []
    data: dict[str, Any] = {}
    try:
        _check_envelope(body)
    except ValidationError as error:
        problems += [_as_problem(fault, "$") for fault in error.errors(include_url=False)]
    name = body.get("type")
    form = _FORMS.get(name) if isinstance(name, str) else None
    if form is None and isinstance(name, str):
        problems.append(Problem("$.type", _shown(name), f"one of the {len(EVENT_TYPES)} types, like ticket.opened"))
    if isinstance(body.get("data"), dict):
        data = body["data"]
    elif "data" not in body and "data_base64" in body:
        problems.append(Problem("$.data_base64", "text", "`data` as a JSON object"))
    if form is not None:
        problems += _data_problems(form, data)
    problems += _stray_problems(body, data, reserved)
    at = read_moment(body.get("time"))
    if at is not None and now is not None and at - now > MOST_AHEAD:
        problems.append(Problem("$.time", "a moment in the future", "a moment at most 5 minutes ahead of ours"))
    if problems or at is None or not isinstance(name, str):
        _refuse(body, problems)
    return _event(body, data, at)


def read_object(raw: bytes | str) -> dict[str, Any]:
    """The JSON object in `raw`. Raises InvalidEvent: malformed, or larger than an event may be."""
    if len(raw) > MAX_EVENT_BYTES or (
        isinstance(raw, str) and len(raw.encode("utf-8", "replace")) > MAX_EVENT_BYTES
    ):
        raise InvalidEvent((_TOO_LARGE,), kind="too_large")
    body = read_json(raw)
    if not isinstance(body, dict):
        raise InvalidEvent((Problem("$", kind_of(body), "a JSON object: one event"),), kind="invalid")
    return body


def _checked_size(body: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(orjson.dumps(body))
    except TypeError:  # what some other JSON reader let through
        raise InvalidEvent(
            (Problem("$", "half a surrogate pair, or a number beyond 64 bits", "JSON that UTF-8 can hold"),),
            kind="malformed",
        ) from None
    if size > MAX_EVENT_BYTES:
        _refuse(body, [_TOO_LARGE], "too_large")
    return body


def read_json(raw: bytes | str) -> Any:
    """The JSON value in `raw`; numbers too large for a double and lone surrogates are refused.

    Raises InvalidEvent: malformed, saying at which line and column.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        found = f"{error.msg} (line {error.lineno}, column {error.colno})"
        raise InvalidEvent((Problem("$", found, "well-formed JSON in UTF-8"),), kind="malformed") from None


def canonical(event: Event) -> bytes:
    """The event as JSON with sorted keys and its time in UTC: the same content gives the same bytes."""
    return orjson.dumps(
        {
            "data": event.data,
            "id": event.id,
            "site": event.site,
            "source": event.source,
            "specversion": "1.0",
            "subject": event.subject,
            "time": event.at.isoformat().replace("+00:00", "Z"),
            "type": event.type,
        },
        option=orjson.OPT_SORT_KEYS,
    )


def digest(event: Event) -> str:
    """64 hex digits that differ where the content differs; key order and whitespace do not matter."""
    return digest_of(canonical(event))


def digest_of(body: bytes) -> str:
    """The digest of an event that is canonical already."""
    return hashlib.sha256(body).hexdigest()


def _shown(value: object) -> str:
    """A word is repeated to its sender (a mistyped type or category); other text might be about a person."""
    return f'"{value}"' if isinstance(value, str) and _WORD.fullmatch(value) else kind_of(value)


def _as_problem(fault: ErrorDetails, root: str) -> Problem:
    """A pydantic error in our words; the input itself is never shown but for enumerated words."""
    path = root + "".join(step_to(key) for key in fault["loc"])
    context = fault.get("ctx", {})
    match fault["type"]:
        case "missing":
            return Problem(path, "nothing", _EXPECTED_AT.get(path, "a value: the field is required here"))
        case "literal_error":
            return Problem(path, _shown(fault["input"]), f"one of {context['expected']}".replace(" or ", ", "))
        case "field_kind":
            return Problem(path, kind_of(fault["input"]), str(context["expected"]))
        case "string_too_long":
            return Problem(path, "longer text", f"text of at most {context['max_length']} characters")
        case "greater_than_equal" | "less_than_equal" | "int_type" | "int_parsing_size":
            return Problem(path, kind_of(fault["input"]), "a whole number from 0 to 1,000,000,000")
        case "bool_type":
            return Problem(path, kind_of(fault["input"]), "true or false")
        case "dict_type":
            return Problem(path, kind_of(fault["input"]), "a JSON object")
        case _:
            return Problem(path, kind_of(fault["input"]), _EXPECTED_AT.get(path, "text"))


_EXPECTED_AT = {
    "$.specversion": '"1.0"',
    "$.id": "text of 1 to 256 characters",
    "$.source": "text of 1 to 512 characters",
    "$.type": "one of the event types, like ticket.opened",
    "$.site": "1 to 64 lower-case letters, digits or -",
    "$.subject": "text of 1 to 200 characters",
    "$.time": NOT_A_MOMENT,
    "$.datacontenttype": "application/json",
}


def _data_problems(form: _Form, data: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    try:
        form.check(data)
    except ValidationError as error:
        problems += [_as_problem(fault, "$.data") for fault in error.errors(include_url=False)]
    problems += [_computed_problem(name) for name in sorted(form.computed & data.keys())]
    problems += [
        Problem("$.data" + step_to(name), kind_of(value), NOT_MONEY)
        for name, value in data.items()
        if name.endswith("_cny") and value is not None and name not in form.names and name not in form.computed
        if not is_money(value)
    ]
    return problems


def _computed_problem(name: str) -> Problem:
    return Problem("$.data" + step_to(name), "a name that Reeve computes", "another name for this field")


def _stray_problems(body: dict[str, Any], data: dict[str, Any], reserved: frozenset[str]) -> list[Problem]:
    """Faults that no field's type tells: count names, attribute names, and values we can't hold."""
    problems = [_computed_problem(name) for name in sorted((reserved - COMPUTED) & data.keys())]
    problems += [
        Problem("$" + step_to(name), "another name", "attribute names of lower-case letters and digits")
        for name in sorted(body.keys() - _ATTRIBUTES)
        if not _EXTENSION.fullmatch(name)
    ]
    if not is_sound(data, 1):
        look_through(data, "$.data", 1, problems)
    return problems


def _refuse(
    body: dict[str, Any], problems: list[Problem], kind: OneOf["invalid", "too_large"] = "invalid"
) -> NoReturn:
    own_id, site = body.get("id"), body.get("site")
    raise InvalidEvent(
        tuple(problems),
        kind=kind,
        id=own_id if isinstance(own_id, str) and 0 < len(own_id) <= 256 and own_id.isprintable() else None,
        site=site if isinstance(site, str) and _SITE.fullmatch(site) else None,
    )
