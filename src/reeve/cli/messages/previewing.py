"""The messages, and the texts that somebody wants to look at, printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reeve.cli.cases.finding import find_case
from reeve.cli.messages.catalogue import check_message, names_of, role_for, row_of, spoken, told_by
from reeve.cli.messages.preview import Preview, of_case, of_example
from reeve.cli.messages.texts import MessagePage
from reeve.cli.output import print_json
from reeve.cli.rules.reading import rules_in
from reeve.cli.rules.versions import active_rules
from reeve.cli.sending_settings import sending_settings
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.domain.bundle import Bundle
from reeve.runtime.providers.load import Configured
from reeve.runtime.store.mongo import Database
from reeve.runtime.time_source import SystemTime
from services.notify.channels.configured import check_configured


async def list_messages(rules: Path | None, page: MessagePage, as_json: bool) -> None:
    """Prints the messages of that folder, or of the active rules."""
    targets = find_targets()
    if rules is not None:
        bundle = rules_in(rules, page.lang, as_json=False)
    else:
        async with open_record(targets, "messages") as database:
            bundle = await active_rules(database, targets.matcher)
    for message in names_of(bundle):
        row = row_of(bundle, message)
        print_json(row) if as_json else page.listed(row)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to look at."""

    message: str
    case: str | None
    channel: str | None
    language: str | None
    role: str | None
    site: str
    rules: Path | None


async def show_previews(wanted: Wanted, page: MessagePage, as_json: bool) -> bool:
    """Whether every template works; the texts are printed. Raises NoSuchMessage, and what the case lacks."""
    targets = find_targets()
    if wanted.rules is not None and wanted.case is None:
        previews = _examples(rules_in(wanted.rules, page.lang, as_json=False), wanted, page.lang)
    else:
        async with open_record(targets, "messages") as database:
            bundle = (
                rules_in(wanted.rules, page.lang, as_json=False)
                if wanted.rules is not None
                else await active_rules(database, targets.matcher)
            )
            if wanted.case is None:
                previews = _examples(bundle, wanted, page.lang)
            else:
                previews = await _of_case(database, bundle, wanted, wanted.case, page.lang)
    providers = _known_providers(targets)
    for preview in previews:
        row = preview.row(providers)
        print_json(row) if as_json else page.preview(row)
    return not any(preview.rendered.fault for preview in previews)


def _examples(bundle: Bundle, wanted: Wanted, lang: str) -> list[Preview]:
    policy, role = told_by(bundle, wanted.message, wanted.role)
    return [
        of_example(bundle, wanted.message, channel, language, role, policy, wanted.site)
        for language, channel in _texts(bundle, wanted, lang)
    ]


async def _of_case(database: Database, bundle: Bundle, wanted: Wanted, named: str, lang: str) -> list[Preview]:
    case = await find_case(database, named, lang)
    role = role_for(bundle, case, wanted.message, wanted.role)
    now = SystemTime().now()
    return [
        await of_case(database, bundle, case, wanted.message, channel, language, role, now)
        for language, channel in _texts(bundle, wanted, lang)
    ]


def _texts(bundle: Bundle, wanted: Wanted, lang: str) -> list[tuple[str, str]]:
    """Language and channel of each text that is looked at; what is asked for and not there has Reeve's own text."""
    check_message(bundle, wanted.message, lang)
    known = list(spoken(bundle, wanted.message))
    languages = [wanted.language] if wanted.language else list(dict.fromkeys(each for each, _ in known))
    found = [
        (language, channel)
        for language in languages or [bundle.defaults.locale]
        for channel in ([wanted.channel] if wanted.channel else list(dict.fromkeys(each for _, each in known)))
        if wanted.language or wanted.channel or (language, channel) in known
    ]
    return found or [(language, wanted.channel or "sms") for language in languages or [bundle.defaults.locale]]


def _known_providers(targets: Targets) -> Sequence[Configured]:
    """Those that can be read; what is wrong with the others `reeve channels check` says. Raises SettingsError."""
    return check_configured(sending_settings(targets), secrets="none")[0]
