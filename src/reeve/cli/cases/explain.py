"""`reeve cases explain`: why a case has its grade, why now, why somebody was told, and why nobody was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reeve.cli.cases.explain_page import Page
from reeve.cli.cases.explain_texts import NO_EVENT, NO_SUBJECT
from reeve.cli.output import errors, print_json
from reeve.cli.targets import find_targets, open_record
from reeve.contracts.personal import may_show
from reeve.domain.errors import ReeveError
from reeve.domain.facts import zone_of
from reeve.runtime.explaining.conditions import Shows, everything
from reeve.runtime.explaining.events import explain_event
from reeve.runtime.explaining.explanation import explain_case, only_about, roles_of
from reeve.runtime.explaining.finding import find_cases
from reeve.runtime.explaining.record import Record
from reeve.runtime.explaining.story import Story
from reeve.runtime.store.events import event_of
from reeve.runtime.store.mongo import Database, Document
from reeve.runtime.store.recipients import RecipientStore


class NothingToExplain(ReeveError):
    """The record has nothing of this name."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """How the answer is given."""

    shows: Shows
    in_words: bool
    """Facts go by the site's own words for them."""
    page: Page | None
    """None: as JSON."""
    lang: str = "en"

    @classmethod
    def of(cls, lang: str, facts: bool, as_json: bool) -> Speaker:
        """Who answers in that language; with `facts`, also of those that may be personal data."""
        return cls(everything if facts else may_show, lang == "zh", None if as_json else Page(lang), lang)


async def explain_named(wanted: str, at: datetime | None, who: str | None, speaker: Speaker) -> None:
    """Prints each case of this id or subject, or what waits for one. Raises NothingToExplain."""
    page = speaker.page
    async with open_record(find_targets(), "explain") as database:
        record = Record(database)
        cases = await find_cases(database, wanted)
        if not cases:
            await _explain_subject(record, wanted, speaker)
            return
        for number, case in enumerate(cases):
            story = await record.story(case)
            found = explain_case(story, _at_site(at, story), speaker.shows, in_words=speaker.in_words)
            roles = await _narrow(database, story, found, who)
            if page is None:
                print_json(found)
                continue
            if number:
                errors().print()
            page.case(found)
            if who is not None:
                page.about(who, roles, concerned=bool(found["steps"]))


def _at_site(at: datetime | None, story: Story) -> datetime | None:
    """The moment with the site's offset; one named to the minute or second lasts as long as it is named."""
    if at is None:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone_of(story.site.zone) if story.site is not None else UTC)
    if at.microsecond:
        return at
    named = timedelta(seconds=1) if at.second else timedelta(minutes=1)
    return at + named - timedelta(microseconds=1)


async def _narrow(database: Database, story: Story, found: dict[str, Any], who: str | None) -> list[str] | None:
    """Leave only what concerns `who`; the roles that a person of that id has here; None: no such person."""
    if who is None:
        return None
    site = story.case.key.site
    parent = story.site.parent if story.site is not None else None
    places = [(place, who) for place in (site, parent) if place is not None]
    people = await RecipientStore(database).by_id(places)
    roles = sorted({role for person in people.values() for role in roles_of(person, story)})
    found["who"] = {"asked": who, "recipient": bool(people), "roles": roles}
    found["steps"] = only_about(found["steps"], who, roles)
    return roles if people else None


async def _explain_subject(record: Record, subject: str, speaker: Speaker) -> None:
    waiting = await record.waiting(subject)
    if not waiting:
        raise NothingToExplain(NO_SUBJECT[speaker.lang == "zh"].format(subject=subject))
    for document in waiting:
        await _tell_event(record, document, speaker)


async def explain_posted(wanted: str, speaker: Speaker) -> None:
    """Prints what became of the events of this id or key. Raises NothingToExplain."""
    async with open_record(find_targets(), "explain") as database:
        record = Record(database)
        documents = await record.event_documents(wanted)
        if not documents:
            raise NothingToExplain(NO_EVENT[speaker.lang == "zh"].format(event=wanted))
        for document in documents:
            await _tell_event(record, document, speaker)


async def _tell_event(record: Record, document: Document, speaker: Speaker) -> None:
    event = event_of(document)
    story = await record.story_without_case(event)
    taken = await record.taken(event)
    found = explain_event(event, document, story, taken, speaker.shows, in_words=speaker.in_words)
    if speaker.page is None:
        print_json(found)
    else:
        speaker.page.event(found)
