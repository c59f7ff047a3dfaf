"""JSON Schemas and the AsyncAPI document of every message, generated from the models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, create_model
from pydantic.json_schema import models_json_schema

from reeve.contracts.deliveries import DeliveryWhat, NotificationOutcome
from reeve.contracts.events import EVENT_TYPES, Envelope
from reeve.contracts.notices import DeadLetter, Rejected, RulesNotice
from reeve.contracts.outgoing import UNPUBLISHED, CaseEvent, NotificationRequested, NotificationSuppressed
from reeve.contracts.problems import ProblemDetails
from reeve.contracts.timeline import TimelineLine
from reeve.domain.effects import EffectName
from reeve.domain.events import FAMILIES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DEFS = "#/$defs/{model}"
_COMPONENTS = "#/components/schemas/{model}"

EXAMPLE_EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "c0ffee-1",
    "source": "/pms/front-desk",
    "type": "ticket.opened",
    "site": "sunshine-garden",
    "subject": "T-1001",
    "time": "2026-11-20T09:00:00+08:00",
    "data": {
        "category": "complaint",
        "title": "ceiling leak",
        "loss_cny": 12000,
        "customer": "C-88",
        "incident": "I-5",
    },
}

OUTGOING: Mapping[str, type[BaseModel]] = {
    "case-event": CaseEvent,
    "notification-requested": NotificationRequested,
    "notification-suppressed": NotificationSuppressed,
    "notification-outcome": NotificationOutcome,
    "dead-letter": DeadLetter,
    "rejected": Rejected,
    "rules": RulesNotice,
    "timeline-line": TimelineLine,
    "problem": ProblemDetails,
}
"""File name → model of what Reeve says."""


def _event_model(name: str) -> type[BaseModel]:
    title = "".join(part.capitalize() for part in name.replace(".", "_").split("_"))
    fields = EVENT_TYPES[name]
    required = any(field.is_required() for field in fields.model_fields.values())
    definitions: dict[str, Any] = {
        "type": (Literal[name], ...),
        "data": (fields, ...) if required else (fields | None, None),
    }
    return create_model(f"{title}Event", __base__=Envelope, __doc__=f"A `{name}` event.", **definitions)


_EVENT_MODELS: Mapping[str, type[BaseModel]] = {name: _event_model(name) for name in EVENT_TYPES}


def event_schemas(template: str = _COMPONENTS) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of one posted event, and the definitions it refers to by `template`."""
    return _one_of(list(_EVENT_MODELS), template)


def _one_of(types: list[str], template: str) -> tuple[dict[str, Any], dict[str, Any]]:
    models = [(_EVENT_MODELS[name], "validation") for name in types]
    refs, all_defs = models_json_schema(models, ref_template=template)  # type: ignore[arg-type]  # "validation" is a mode
    definitions: dict[str, Any] = all_defs.get("$defs", {})
    choices = [refs[model] for model in models]  # type: ignore[index]
    return {"oneOf": choices}, definitions


def json_schemas() -> dict[str, dict[str, Any]]:
    """File name (without .schema.json) → schema: the events by family, and everything Reeve says."""
    schemas: dict[str, dict[str, Any]] = {}
    for family in FAMILIES:
        choice, definitions = _one_of([name for name in EVENT_TYPES if name.startswith(f"{family}.")], _DEFS)
        schemas[f"event-{family}"] = {
            "$schema": DIALECT,
            "title": f"Events of the {family} family",
            **choice,
            "$defs": definitions,
        }
    for name, model in OUTGOING.items():
        schemas[name] = {"$schema": DIALECT, **model.model_json_schema(mode="serialization")}
    return schemas


_SITE = {"description": "The site: lower-case letters, digits and -"}
_KEY = {"description": "The event's subject as one NATS token, other characters percent-encoded"}

_CHANNELS: tuple[tuple[str, str, str, dict[str, Any], str, str], ...] = (
    (
        "intake",
        "intake.{site}.{family}.{verb}",
        "Raw events from site systems that speak NATS; the envelope must agree with the subject",
        {"site": _SITE, "family": {"enum": list(FAMILIES)}, "verb": {}},
        "receive",
        "Event",
    ),
    (
        "events",
        "events.{site}.{family}.{verb}.{key}",
        "Accepted events, in order per key; for Reeve's services and systems trusted with personal data",
        {"site": _SITE, "family": {"enum": list(FAMILIES)}, "verb": {}, "key": _KEY},
        "send",
        "Event",
    ),
    (
        "cases",
        "cases.{site}.{policy}.{what}.{key}",
        "What happened to a case; no personal data",
        {
            "site": _SITE,
            "policy": {},
            "what": {"enum": [what for what in get_args(EffectName) if what not in UNPUBLISHED]},
            "key": _KEY,
        },
        "send",
        "CaseEvent",
    ),
    (
        "notificationsRequested",
        "notifications.{site}.requested.{key}",
        "A notification to be delivered; roles, no people",
        {"site": _SITE, "key": _KEY},
        "send",
        "NotificationRequested",
    ),
    (
        "notificationsOutcome",
        "notifications.{site}.{what}.{key}",
        "How delivery went; recipients as ids",
        {
            "site": _SITE,
            "what": {"enum": list(get_args(DeliveryWhat))},
            "key": _KEY,
        },
        "send",
        "NotificationOutcome",
    ),
    (
        "dead",
        "dead.{service}.{site}",
        "Messages that could not be handled, whole; `_` for an unusable site",
        {"service": {"enum": ["intake", "escalation", "notify"]}, "site": _SITE},
        "send",
        "DeadLetter",
    ),
    (
        "rejected",
        "rejected.{site}",
        "Id and reason of each event refused on intake.>, none of its data",
        {"site": _SITE},
        "send",
        "Rejected",
    ),
    ("rulesActivated", "rules.activated", "A bundle is active now", {}, "send", "RulesNotice"),
    ("rulesRejected", "rules.rejected", "A bundle was turned down, and why", {}, "send", "RulesNotice"),
)
"""Name, address, description, parameters, what Reeve does with it, message."""


def asyncapi(version: str) -> dict[str, Any]:
    """The AsyncAPI 3.0 document of every subject in contracts.md §2."""
    event, definitions = event_schemas()
    models = (CaseEvent, NotificationRequested, NotificationOutcome, DeadLetter, Rejected, RulesNotice)
    _, outgoing = models_json_schema([(model, "serialization") for model in models], ref_template=_COMPONENTS)
    schemas = {**definitions, **outgoing.get("$defs", {}), "Event": event}
    names = ["Event", *(model.__name__ for model in models)]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Reeve",
            "version": version,
            "description": "Events in, cases and notifications out. Everything is a CloudEvent on NATS JetStream.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            name: {
                "address": address,
                "description": description,
                "messages": {message: {"$ref": f"#/components/messages/{message}"}},
                **({"parameters": parameters} if parameters else {}),
            }
            for name, address, description, parameters, _, message in _CHANNELS
        },
        "operations": {
            f"{action}_{name}": {"action": action, "channel": {"$ref": f"#/channels/{name}"}}
            for name, _, _, _, action, _ in _CHANNELS
        },
        "components": {
            "messages": {
                name: {
                    "name": name,
                    "contentType": "application/cloudevents+json",
                    "payload": {"$ref": f"#/components/schemas/{name}"},
                    **({"examples": [{"payload": EXAMPLE_EVENT}]} if name == "Event" else {}),
                }
                for name in names
            },
            "schemas": dict(sorted(schemas.items())),
        },
    }
