"""messages.yaml to templates, each checked to be a template at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from reeve.rulelang.files import MessagesShape
from reeve.rulelang.known_names import CHANNELS
from reeve.rulelang.problems import Choice, Problem, problem
from reeve.rulelang.yamltree import Document

_ENVIRONMENT = SandboxedEnvironment(autoescape=False)
_PARTS = {"email": ("subject", "body")}


@dataclass(frozen=True)
class MessageFile:
    """The templates, and where they stand."""

    templates: dict[str, dict[str, dict[str, Any]]]
    doc: Document


def read_messages(doc: Document, shape: MessagesShape) -> tuple[MessageFile, list[Problem]]:
    """The templates of every message, language and channel, and what is wrong with them."""
    problems: list[Problem] = []
    templates: dict[str, dict[str, dict[str, Any]]] = {}
    for message, languages in shape.root.items():
        for lang, channels in languages.items():
            for channel, parts in channels.items():
                path = (message, lang, channel)
                problems.extend(_channel_problems(doc, path, parts))
                text = parts.get("", parts)
                templates.setdefault(message, {}).setdefault(lang, {})[channel] = text
    return MessageFile(templates, doc), problems


def _channel_problems(doc: Document, path: tuple[str, str, str], parts: dict[str, str]) -> list[Problem]:
    channel = path[2]
    problems: list[Problem] = []
    if channel not in CHANNELS:
        problems.append(
            problem(doc.at_key(*path), "unknown_channel", found=channel, choice=Choice(channel, CHANNELS))
        )
    elif set(parts) != set(_PARTS.get(channel, ("",))):
        right = '{subject: "…", body: "…"}' if channel in _PARTS else '"…"'
        problems.append(
            problem(doc.at(*path), "message_shape", channel=channel, shape=right, right=f"{channel}: {right}")
        )
    for part, text in parts.items():
        try:
            _ENVIRONMENT.parse(text)
        except TemplateSyntaxError as error:
            scalar = doc.scalar(*path, part) if part else doc.scalar(*path)
            offset = sum(len(line) + 1 for line in text.split("\n")[: error.lineno - 1])
            problems.append(problem(scalar.position(offset), "template_syntax", why=str(error.message)))
    return problems
