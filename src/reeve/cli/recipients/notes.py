"""What is no mistake about people, but hardly meant: stand-ins nobody knows, unknown grades, misspelt places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reeve.cli.output import errors, print_json
from reeve.cli.recipients.changes import places_misspelt
from reeve.domain.bundle import Bundle
from reeve.domain.people.recipient import DEFAULT_URGENCY
from reeve.domain.recipients import Recipient

_WORDS = {
    "en": {
        "stand_in_unknown": "{place}/{id}: nobody there has the id {name}, who is to stand in",
        "urgency_unknown": "{place}/{id}: channel_order names {name}, which is no grade of the active rules",
        "place_misspelt": "{place}: nobody was at this place before; did you mean {name}?",
    },
    "zh": {
        "stand_in_unknown": "{place}/{id}：代班人 {name} 不在名单中",
        "urgency_unknown": "{place}/{id}：渠道顺序里的 {name} 不是现行规则的等级",
        "place_misspelt": "{place}：此前没有这个地点；是不是想写 {name}？",
    },
}


@dataclass(frozen=True, slots=True)
class Note:
    """One of them."""

    what: str
    """Stable, for tools: `stand_in_unknown`, `urgency_unknown`, `place_misspelt`."""
    place: str
    id: str
    """Whom it is about; empty: the place as a whole."""
    name: str
    """What stands there; of a place what was meant, perhaps."""

    def text(self, language: str) -> str:
        """As a sentence in `en` or `zh`."""
        return _WORDS[language][self.what].format(place=self.place, id=self.id, name=self.name)

    @property
    def row(self) -> dict[str, str | None]:
        """For `--json`."""
        return {"note": self.what, "place": self.place, "id": self.id or None, "name": self.name}


def needs_rules(people: Iterable[Recipient]) -> bool:
    """Whether anything about these people can be judged by the rules alone."""
    return any(person.stand_ins or person.channel_order.keys() - {DEFAULT_URGENCY} for person in people)


def notes_about(people: Iterable[Recipient], known: Iterable[Recipient], rules: Bundle | None) -> Iterator[Note]:
    """Notes about `people`, with `known` in the record; where no rules are active only what needs none."""
    there = {(person.place, person.id) for person in known}
    anywhere = {name for _, name in there}
    grades = {DEFAULT_URGENCY}
    if rules is not None:
        grades |= {grade for policy in rules.policies.values() for grade in policy.grade_order}
    for person in people:
        for other in sorted(person.stand_ins):
            if rules is None:
                found = other in anywhere
            else:
                above = rules.site(person.place).parent or person.place
                found = bool({(person.place, other), (above, other)} & there)
            if not found:
                yield Note("stand_in_unknown", person.place, person.id, other)
        for urgency in sorted(person.channel_order.keys() - grades) if rules is not None else ():
            yield Note("urgency_unknown", person.place, person.id, urgency)


def notes_about_places(known: Iterable[Recipient], wanted: Iterable[Recipient]) -> Iterator[Note]:
    """New places that look like another at which there are more people."""
    for place, close in places_misspelt(known, wanted):
        yield Note("place_misspelt", place, "", close)


def tell_notes(notes: Iterable[Note], language: str, *, as_json: bool) -> None:
    """For a person on stderr, so that the answer stays what it is; for a script one row each."""
    for note in notes:
        if as_json:
            print_json(note.row)
        else:
            errors().print(note.text(language), style="yellow")
