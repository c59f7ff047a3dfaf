"""One message about a real case, really sent, marked as a test: to see it arrive before anybody depends on it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reeve.cli.cases.finding import find_case
from reeve.cli.messages.catalogue import check_message, role_for
from reeve.cli.messages.preview import Preview, of_case
from reeve.cli.messages.texts import MessagePage
from reeve.cli.near_names import near_name
from reeve.cli.output import print_json, print_line
from reeve.cli.rules.versions import active_rules
from reeve.cli.sending_settings import sending_settings
from reeve.cli.targets import find_targets, open_record
from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.errors import ReeveError
from reeve.domain.recipients import Recipient
from reeve.rulelang.titles import languages_for
from reeve.runtime.providers.load import Configured
from reeve.runtime.store.mongo import Database
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.time_source import SystemTime
from services.notify.channels.base import Result, Text
from services.notify.channels.configured import configured
from services.notify.channels.opening import open_providers

_NUMBER = re.compile(r"\+?[0-9][0-9 ()-]{4,20}")
_MARKS = {"zh": "【测试】", "en": "[TEST] "}


class NotSendable(ReeveError):
    """A test message can't be sent so; the text says what would work."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What somebody wants to try."""

    message: str
    case: str
    to: str
    channel: str | None
    language: str | None
    role: str | None
    dry_run: bool


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who gets it."""

    address: str
    channel: str
    language: str
    recipient: str | None
    """None: an address that was typed."""

    @property
    def shown(self) -> str:
        """As the command names it: what was typed itself."""
        return self.recipient or self.address


async def send_test(sending: Sending, page: MessagePage, as_json: bool) -> bool:
    """Whether the provider took it; printed. Raises NotSendable, and what the case or the rules lack."""
    targets = find_targets()
    async with open_record(targets, "messages") as database:
        bundle = await active_rules(database, targets.matcher)
        check_message(bundle, sending.message, page.lang)
        case = await find_case(database, sending.case, page.lang)
        reader = await _reader(database, bundle, case, sending, page)
        role = role_for(bundle, case, sending.message, sending.role)
        now = SystemTime().now()
        preview = await of_case(database, bundle, case, sending.message, reader.channel, reader.language, role, now)
    settings = sending_settings(targets)
    provider = _provider(configured(settings), reader.channel, page)
    template = _own_template(provider, preview, page)
    subject, body = _marked(bundle, case, preview, reader)
    row: dict[str, Any] = {
        "message": sending.message,
        "case": str(case.key),
        "recipient": reader.recipient,
        "channel": reader.channel,
        "provider": provider.name,
        "template": template,
    }
    if sending.dry_run:
        _would(row, preview, (subject, body), reader, page, as_json)
        return True
    rendered = preview.rendered
    text = Text(
        f"test/{uuid.uuid4().hex}",
        reader.address,
        subject,
        body,
        now,
        message=sending.message,
        language=rendered.language,
        values=rendered.values,
    )
    [opened] = open_providers([provider])
    try:
        outcome = await opened.send(text)
    finally:
        await opened.close()
    row |= {"result": outcome.result.value, "reason": outcome.reason.value, "reference": outcome.reference}
    if as_json:
        print_json(row)
    else:
        page.sent(row, targets.sink_url if targets.providers else None)
    return outcome.result is Result.SENT


def _own_template(provider: Configured, preview: Preview, page: MessagePage) -> str | None:
    """The template that the provider fills in instead of our text; None: it sends the text. Raises NotSendable."""
    [by] = preview.row([provider])["providers"]
    if not by["sends"]:
        language = preview.language or page.say("this_language")
        names = {"provider": provider.name, "source": provider.source, "message": preview.message}
        raise NotSendable(page.say("no_own_template", **names, language=language))
    return by["template"] and str(by["template"])


def _would(
    row: dict[str, Any], preview: Preview, text: tuple[str, str], reader: _Reader, page: MessagePage, as_json: bool
) -> None:
    said = preview.row(()) | {"subject": text[0] if reader.channel != "sms" else None, "body": text[1]}
    if as_json:
        print_json(row | {"dry_run": True, "subject": said["subject"], "body": said["body"]})
        return
    print_line(page.say("would", to=reader.shown, channel=reader.channel, provider=row["provider"]))
    page.text(said)


def _marked(bundle: Bundle, case: Case, preview: Preview, reader: _Reader) -> tuple[str, str]:
    """Subject and body, each of which says first that it is a test."""
    spoken = languages_for(reader.language, bundle.site(case.key.site))
    mark = next((_MARKS[each] for each in spoken if each in _MARKS), _MARKS["en"])
    subject = preview.rendered.subject
    return f"{mark}{subject}" if subject else "", f"{mark}{preview.rendered.body}"


def _provider(found: Sequence[Configured], channel: str, page: MessagePage) -> Configured:
    """The first of the channel. Raises NotSendable."""
    for each in found:
        if each.channel == channel:
            return each
    known = ", ".join(sorted({each.channel for each in found})) or page.say("none")
    raise NotSendable(page.say("no_provider", channel=channel, known=known))


async def _reader(database: Database, bundle: Bundle, case: Case, sending: Sending, page: MessagePage) -> _Reader:
    """An address that was typed, or a recipient at the case's site or above it. Raises NotSendable."""
    to = sending.to.strip()
    site = bundle.site(case.key.site)
    typed = "email" if "@" in to else "sms" if _NUMBER.fullmatch(to) else None
    store = RecipientStore(database)
    places = [case.key.site, *([site.parent] if site.parent else [])]
    people = await store.by_id([(place, to) for place in places])
    person = next((people[place, to] for place in places if (place, to) in people), None)
    if person is not None:
        channel = _channel_of(person, sending.channel, page)
        return _Reader(person.addresses[channel], channel, sending.language or person.language, person.id)
    wanted = sending.channel or typed
    if wanted is None or (typed is None and "://" not in to):
        names = [each.id for place in places for each in await store.all(place)]
        hint = near_name(to, names, "reeve recipients list", page.lang)
        raise NotSendable(page.say("nobody", to=sending.to, site=case.key.site, hint=hint))
    address = "".join(each for each in to if each not in " ()-") if wanted == "sms" else to
    return _Reader(address, wanted, sending.language or "", None)


def _channel_of(person: Recipient, asked: str | None, page: MessagePage) -> str:
    known = [channel for channel in ("sms", "email", *sorted(person.addresses)) if person.addresses.get(channel)]
    if asked is None and known:
        return known[0]
    if asked in known and asked is not None:
        return asked
    there = ", ".join(dict.fromkeys(known)) or page.say("none")
    raise NotSendable(
        page.say("no_address", person=person.id, channel=asked or page.say("any_channel"), known=there)
    )
