"""`reeve cases explain`: why a case has its grade, why now, why somebody was told, and why nobody was."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from reeve.cli.cases.explain_page import Page
from reeve.cli.exit_codes import USAGE
from reeve.cli.options import AsJson, Lang
from reeve.cli.output import errors, print_json
from reeve.cli.speaking import spoken_language
from reeve.cli.targets import Targets, find_targets, open_record
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

EXAMPLES = (
    "Examples: reeve cases explain T-1001; "
    "reeve cases explain sunshine-garden/complaint/T-1001 --at '2026-02-13 17:55'; "
    "reeve cases explain T-1001 --who property_manager --lang zh; "
    "reeve cases explain --event c0ffee-1 --json | jq ."
)


class NothingToExplain(ReeveError):
    """The record has nothing of this name."""


def explain(
    case: Annotated[
        str | None, typer.Argument(help="site/policy/subject, or a subject, also one that no case took.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="As things stood then: '2026-02-13 17:55' at the site, or RFC 3339.")
    ] = None,
    who: Annotated[str | None, typer.Option(help="Only what concerns this recipient (an id) or this role.")] = None,
    event: Annotated[
        str | None, typer.Option(help="What became of this event: its id as posted, or its key.")
    ] = None,
    facts: Annotated[bool, typer.Option("--facts", help="Also facts that may be personal data.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Explains a case from its stored decisions: why this grade, what happened last and why, who was told and why,
    and for every other step why it told nobody, with the condition that did not hold and the facts as they were."""
    spoken = spoken_language(lang)
    if (case is None) == (event is None):
        errors().print("Name a case, or a subject, or --event ID: one of them.")
        raise typer.Exit(USAGE)
    moment = None if at is None else _read_moment(at)
    shows: Shows = everything if facts else may_show
    speaker = _Speaker(shows, in_words=spoken == "zh", page=None if as_json else Page(spoken))
    if event is not None:
        asyncio.run(_explain_event(find_targets(), event, speaker))
    elif case is not None:
        asyncio.run(_explain(find_targets(), case, moment, who, speaker))


@dataclass(frozen=True, slots=True)
class _Speaker:
    """How the answer is given."""

    shows: Shows
    in_words: bool
    """Facts go by the site's own words for them."""
    page: Page | None
    """None: as JSON."""


def _read_moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        errors().print(f"--at {text}: write it like '2026-02-13 17:55' (at the site) or 2026-02-13T17:55:00+08:00.")
        raise typer.Exit(USAGE) from None


async def _explain(targets: Targets, wanted: str, at: datetime | None, who: str | None, speaker: _Speaker) -> None:
    page = speaker.page
    async with open_record(targets, "explain") as database:
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
            if who is not None and roles is not None:
                page.roles(who, roles) if found["steps"] else page.nobody(who, roles)


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
    """Leave only what concerns `who`; the roles that a person of that id has for this case."""
    if who is None:
        return None
    site = story.case.key.site
    parent = story.site.parent if story.site is not None else None
    places = [(place, who) for place in (site, parent) if place is not None]
    people = await RecipientStore(database).by_id(places)
    roles = sorted({role for person in people.values() for role in roles_of(person, story)})
    found["who"] = {"asked": who, "recipient": bool(people), "roles": roles}
    found["steps"] = only_about(found["steps"], who, roles)
    return roles


async def _explain_subject(record: Record, subject: str, speaker: _Speaker) -> None:
    waiting = await record.waiting(subject)
    if not waiting:
        raise NothingToExplain(
            f"There is no case {subject!r}, and no event of that subject waits for one; "
            "`reeve cases list --state all` shows what there is, `--event ID` looks for an event."
        )
    for document in waiting:
        await _tell_event(record, document, speaker)


async def _explain_event(targets: Targets, wanted: str, speaker: _Speaker) -> None:
    async with open_record(targets, "explain") as database:
        record = Record(database)
        documents = await record.event_documents(wanted)
        if not documents:
            raise NothingToExplain(f"No event with the id {wanted!r} was ever accepted.")
        for document in documents:
            await _tell_event(record, document, speaker)


async def _tell_event(record: Record, document: Document, speaker: _Speaker) -> None:
    event = event_of(document)
    story = await record.story_without_case(event)
    taken = await record.taken(event)
    found = explain_event(event, document, story, taken, speaker.shows, in_words=speaker.in_words)
    if speaker.page is None:
        print_json(found)
    else:
        speaker.page.event(found)
