"""The words that editors complete with: those the language knows, and those of one folder of rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from reeve.rulelang.files import MessagesShape, PolicyShape, RungShape, SiteShape
from reeve.rulelang.key_notes import Offer
from reeve.rulelang.known_names import (
    ALL_EVENT_TYPES,
    CASE_MOMENTS,
    CHANNELS,
    CLOCK_MOMENTS,
    COMPUTED,
    FIELD_KINDS,
    FIELD_VALUES,
    ROLES,
    Kind,
    kind_of,
)
from reeve.rulelang.layout import lay_out
from reeve.rulelang.problems import BadRule
from reeve.rulelang.reading import Model, read_shape
from reeve.rulelang.titles import ROLE_TITLES
from reeve.rulelang.yamlfile import kept_yaml


@dataclass(frozen=True, slots=True)
class Word:
    """One completion: what is inserted, and a line about it."""

    text: str
    about: str = ""


@dataclass
class Names:
    """The names that a folder's files give to things, in the order in which they are met."""

    policies: dict[str, str] = field(default_factory=dict)
    """Policy → title."""
    clocks: dict[str, str] = field(default_factory=dict)
    grades: dict[str, str] = field(default_factory=dict)
    counts: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    sites: dict[str, str] = field(default_factory=dict)
    vocabulary: dict[str, str] = field(default_factory=dict)
    """Word → fact."""


def names_in(files: Mapping[str, bytes]) -> Names:
    """The names in the files of a folder (path in it → content). What can't be read offers nothing."""
    layout, names = lay_out(files), Names()
    site_files = {"": layout.site} if layout.site is not None else {}
    for site, path in {**site_files, **layout.sites}.items():
        if (shape := _read(files, path, SiteShape)) is None:
            continue
        if site:
            names.sites.setdefault(site, _title(shape.title))
        names.vocabulary.update(shape.vocabulary)
        for role in (*shape.ladder, *shape.ladder.values()):
            names.roles.setdefault(role, "")
    for path in layout.policies:
        names.policies.setdefault(PurePosixPath(path).stem, "")
        if (policy := _read(files, path, PolicyShape)) is not None:
            _policy(names, PurePosixPath(path).stem, policy)
    for path in layout.messages:
        if (messages := _read(files, path, MessagesShape)) is not None:
            names.messages.update(dict.fromkeys(messages.root, ""))
    names.roles.pop("none", None)
    return names


def _policy(names: Names, own: str, policy: PolicyShape) -> None:
    names.policies[own] = _title(policy.title)
    names.counts.update(dict.fromkeys(policy.counts, own))
    for rule in policy.grades.list:
        names.grades.setdefault(rule.grade, _title(rule.title))
    for name, clock in policy.clocks.items():
        names.clocks.setdefault(name, _title(clock.title))
        for grade in clock.limit:
            if grade not in ("", "default"):
                names.grades.setdefault(grade, "")
    for step in policy.steps:
        for role in _told(step):
            names.roles.setdefault(role, "")


def _told(rung: RungShape) -> Iterator[str]:
    yield from rung.notify
    if rung.then is not None:
        yield from _told(rung.then)


def _read(files: Mapping[str, bytes], path: str, model: type[Model]) -> Model | None:
    try:
        return read_shape(kept_yaml(path, files[path]), model).model
    except BadRule:
        return None


def _title(words: Mapping[str, str]) -> str:
    return " · ".join(dict.fromkeys(words.values()))


def offered(names: Names | None = None) -> dict[Offer, tuple[Word, ...]]:
    """Every list of words; without names only what the language itself knows."""
    names = names or Names()
    events = [Word(event) for event in ALL_EVENT_TYPES]
    facts = [*_own_words(names), *(Word(fact) for fact in _fields())]
    lists: dict[Offer, Iterable[Word]] = {
        "channels": (Word(channel) for channel in CHANNELS),
        "conditions": _conditions(names),
        "events": events,
        "facts": facts,
        "grades": _titled(names.grades),
        "languages": (Word("en"), Word("zh")),
        "lengths": map(Word, ("10m", "1h", "5d", "1 working day", "2 months")),
        "limits": [*map(Word, ("10m", "48h", "2 working days", "same day")), *_moments(names)],
        "messages": _titled(names.messages),
        "policies": _titled(names.policies),
        "roles": (Word(role, _role(role)) for role in dict.fromkeys((*names.roles, *ROLES))),
        "sites": _titled(names.sites),
        "triggers": [*_clock_moments(names), *events, *map(Word, CASE_MOMENTS)],
    }
    return {offer: tuple(dict.fromkeys(words)) for offer, words in lists.items()}


def _titled(names: Mapping[str, str]) -> Iterator[Word]:
    return (Word(name, title) for name, title in names.items())


def _role(role: str) -> str:
    titles = ROLE_TITLES.get(role, {})
    return " · ".join(titles[lang] for lang in ("zh", "en") if lang in titles)


def _fields() -> dict[str, Kind]:
    fields = {name: kind for kinds in FIELD_KINDS.values() for name, kind in kinds.items()}
    return {**fields, **{name: kind for name, kind in COMPUTED.items() if name not in ("grade_was", "open_for")}}


def _own_words(names: Names) -> Iterator[Word]:
    yield from (Word(word, fact) for word, fact in names.vocabulary.items())
    yield from (Word(count, policy) for count, policy in names.counts.items())


def _conditions(names: Names) -> Iterator[Word]:
    fields = _fields()
    for word, fact in names.vocabulary.items():
        yield Word(_asked(word, fact, fields.get(fact) or kind_of(fact, "")), fact)
    yield from (Word(f"{count} >= 2", policy) for count, policy in names.counts.items())
    yield from (Word(_asked(fact, fact, kind)) for fact, kind in fields.items())


def _asked(word: str, fact: str, kind: Kind | None) -> str:
    """A condition to begin with, by the kind of value that the fact has."""
    values = next((values[fact] for values in FIELD_VALUES.values() if fact in values), ())
    if values:
        return f'{word} == "{values[0]}"'
    match kind:
        case "number":
            return f"{word} >= 1"
        case "truth":
            return word
        case "date":
            return f"{word} < today" if word != "today" else "known(due_on)"
    return f"known({word})"


def _moments(names: Names) -> Iterator[Word]:
    moments = [fact for fact, kind in _fields().items() if kind in ("moment", "date") and fact != "today"]
    yield from (Word(word, fact) for word, fact in names.vocabulary.items() if fact in moments)
    yield from map(Word, moments)


def _clock_moments(names: Names) -> Iterator[Word]:
    for clock, title in names.clocks.items():
        yield from (Word(f"{clock} {moment}", title) for moment in CLOCK_MOMENTS)
        yield Word(f"{clock} 80%", title)
