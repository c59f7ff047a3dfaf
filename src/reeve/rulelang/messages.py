"""messages.yaml and messages/*.yaml to templates, each checked to be one that Reeve can send."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reeve.domain.expressions import Position
from reeve.rulelang.files import MessagesShape
from reeve.rulelang.known_names import CHANNELS
from reeve.rulelang.problems import Choice, Particular, Problem, problem
from reeve.rulelang.template_filters import FILTERS
from reeve.rulelang.template_limits import MOST_TEMPLATE_CHARACTERS, NameUse, TemplateRefused
from reeve.rulelang.templates import Renderer, place_of
from reeve.rulelang.yamltree import Document

TEMPLATES = Renderer(FILTERS)
"""What checks messages and renders them."""

_PARTS = {"email": ("subject", "body")}
_ONE_OR_BOTH = ("chat", "webhook")
"""Channels on which a text may be one text, or have a subject."""

_SPOKEN_AS = {"chat": ("chat", "sms", "email"), "webhook": ("webhook", "sms", "email")}


def spoken_as(channel: str) -> tuple[str, ...]:
    """The channels whose text of a message does for this one, best first: `chat` takes the `sms` text at need."""
    return _SPOKEN_AS.get(channel, (channel,))


@dataclass(frozen=True, slots=True)
class Text:
    """One template that can be used, and the names it takes from its context."""

    message: str
    language: str
    channel: str
    part: str
    """`subject` or `body`; empty where the channel has one text."""
    source: str
    names: tuple[NameUse, ...]
    doc: Document
    """The file it stands in."""

    @property
    def pos(self) -> Position:
        """Where the text begins."""
        return self.doc.at(*self.path)

    def pos_of(self, use: NameUse) -> Position:
        """Where a name stands in the file."""
        return self.doc.scalar(*self.path).position(place_of(self.source, use.name, use.line))

    @property
    def path(self) -> tuple[str, ...]:
        """Its keys in the file."""
        return tuple(each for each in (self.message, self.language, self.channel, self.part) if each)


@dataclass(frozen=True)
class Messages:
    """The templates of all message files, and where they stand."""

    templates: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """Message → language → channel → text, or part → text."""
    places: dict[str, Position] = field(default_factory=dict)
    """Where each message begins."""
    texts: list[Text] = field(default_factory=list)
    """The single texts in the order written, those that can't be used left out."""
    complete: bool = True
    """False where a file could not be read: nothing can be said about messages that are missing."""


def read_messages(
    files: Iterable[tuple[Document, MessagesShape]], *, complete: bool = True
) -> tuple[Messages, list[Problem]]:
    """The templates of every message, language and channel, and what is wrong with them.

    A message may have its texts in one file only: another one's are a problem there, and are left out.
    """
    messages = Messages(complete=complete)
    problems: list[Problem] = []
    for doc, shape in files:
        problems.extend(_read_file(doc, shape, messages))
    return messages, problems


def _read_file(doc: Document, shape: MessagesShape, messages: Messages) -> Iterator[Problem]:
    for message, languages in shape.root.items():
        here = doc.at_key(message)
        first = messages.places.setdefault(message, here)
        if first is not here:
            yield problem(here, "message_twice", message=message, first=str(first))
            continue
        for lang, channels in languages.items():
            for channel, parts in channels.items():
                yield from _shape_problems(doc, (message, lang, channel), parts)
                messages.templates.setdefault(message, {}).setdefault(lang, {})[channel] = parts.get("", parts)
                for part, source in parts.items():
                    try:
                        names = TEMPLATES.names(source)
                    except TemplateRefused as refused:
                        yield _refusal(Text(message, lang, channel, part, source, (), doc), refused)
                    else:
                        messages.texts.append(Text(message, lang, channel, part, source, names, doc))


def _shape_problems(doc: Document, path: tuple[str, str, str], parts: Mapping[str, str]) -> list[Problem]:
    channel = path[2]
    if channel not in CHANNELS:
        choice = Choice(channel, CHANNELS)
        return [problem(doc.at_key(*path), "unknown_channel", found=channel, choice=choice)]
    both = channel in _ONE_OR_BOTH and set(parts) == {"subject", "body"}
    if not both and set(parts) != set(_PARTS.get(channel, ("",))):
        right = '{subject: "…", body: "…"}' if channel in _PARTS else '"…"'
        words = {"channel": channel, "shape": right, "right": f"{channel}: {right}"}
        return [problem(doc.at(*path), "message_shape", **words)]
    return []


def _refusal(text: Text, refused: TemplateRefused) -> Problem:
    found = refused.found
    particulars: dict[str, Particular] = {"found": found}
    match refused.kind:
        case "syntax":
            particulars = {"why": found}
        case "filter":
            particulars["choice"] = Choice(found, TEMPLATES.filters)
        case "test":
            particulars["choice"] = Choice(found, TEMPLATES.tests)
        case "too_deep":
            particulars = {}
        case "too_long":
            particulars = {"most": MOST_TEMPLATE_CHARACTERS}
    word = found.strip("{}%…:)] ") if refused.kind != "syntax" else ""
    place = text.doc.scalar(*text.path).position(place_of(text.source, word, refused.line))
    return problem(place, f"template_{refused.kind}", **particulars)
