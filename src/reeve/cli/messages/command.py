"""`reeve messages`: what is said to people, looked at before it goes out, and one sent to try it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.messages.preview import Preview, of_case, of_example, senders, spoken
from reeve.cli.messages.texts import MessagePage
from reeve.cli.options import AsJson
from reeve.cli.output import errors, print_json
from reeve.cli.rules.reading import rules_in
from reeve.cli.rules.versions import active_rules
from reeve.cli.speaking import spoken_language
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.domain.bundle import Bundle, Policy
from reeve.domain.case import Case
from reeve.domain.errors import ReeveError
from reeve.domain.flood.settings import DIGEST
from reeve.domain.recipients import UNREACHABLE
from reeve.runtime.providers.load import Configured
from reeve.runtime.store.mongo import Database
from reeve.runtime.time_source import SystemTime

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The texts that people get: list them, look at one before it goes out, send one to try it.",
)

Lang = Annotated[str | None, typer.Option(help="Language of this command: en or zh.", show_default="your locale's")]
Rules = Annotated[
    Path | None,
    typer.Option("--rules", help="Of this folder instead of the active rules.", show_default="active rules"),
]
Message = Annotated[str, typer.Argument(help="Name of the message, from `reeve messages list`.")]


class NoSuchMessage(ReeveError):
    """The rules have no message of this name."""


@app.command("list")
def list_messages(rules: Rules = None, as_json: AsJson = False, lang: Lang = None) -> None:
    """Lists the messages of the active rules: their languages and channels, which steps send them, and to whom.

    Examples:

    reeve messages list

    reeve messages list --rules new-rules --json
    """
    page = MessagePage(spoken_language(lang))

    async def work() -> None:
        targets = find_targets()
        if rules is not None:
            bundle = rules_in(rules, page.lang, as_json=False)
        else:
            async with open_record(targets, "messages") as database:
                bundle = await active_rules(database, targets.matcher)
        for message in names_of(bundle):
            row = _listed(bundle, message)
            print_json(row) if as_json else page.listed(row)

    asyncio.run(work())


@app.command("preview")
def preview_message(
    message: Message,
    case: Annotated[str | None, typer.Option(help="As this case is now; this is personal data.")] = None,
    example: Annotated[
        bool, typer.Option("--example", help="For a case with ordinary values (also without --case).")
    ] = False,
    channel: Annotated[str | None, typer.Option(help="Only on this channel.", show_default="all it has")] = None,
    language: Annotated[str | None, typer.Option(help="Only in this language.", show_default="all it has")] = None,
    role: Annotated[str | None, typer.Option(help="To this role.", show_default="the one its step tells")] = None,
    site: Annotated[str, typer.Option(help="At this site (for the example).")] = "",
    rules: Rules = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Shows a message as people would get it: subject and text, how an SMS is coded and into how many it is cut,
    and which of the providers' own templates stands for it. Nothing is sent. Exit code 1 if a template fails.

    Examples:

    reeve messages preview complaint_reported

    reeve messages preview complaint_reported --rules rules --channel sms --language zh

    reeve messages preview complaint_reported --case T-1001 --role general_manager
    """
    page = MessagePage(spoken_language(lang))
    if case is not None and example:
        errors().print("--case shows a real case, --example an invented one: choose one of them.")
        raise typer.Exit(USAGE)
    wanted = _Wanted(message, case, channel, language, role, site, rules)
    if not asyncio.run(_preview(find_targets(), wanted, page, as_json)):
        raise typer.Exit(BAD)


@app.command("send")
def send_message(
    message: Message,
    case: Annotated[str, typer.Option(help="The case it is about: site/policy/subject, or a subject.")],
    to: Annotated[str, typer.Option("--to", help="A recipient's id, a number (+86…), or a mail address.")],
    channel: Annotated[str | None, typer.Option(help="By this channel.", show_default="by the address")] = None,
    language: Annotated[str | None, typer.Option(help="In this language.", show_default="the recipient's")] = None,
    role: Annotated[
        str | None, typer.Option(help="As to this role.", show_default="the one its step tells")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Really sends one message, marked as a test, through the first configured provider of its channel (see
    `reeve channels list`). It is on no timeline, and nobody can answer it. Exit code 1 if it was not taken.

    Examples:

    reeve messages send complaint_reported --case T-1001 --to gm-1

    reeve messages send complaint_reported --case T-1001 --to +447700900001 --language en
    """
    from reeve.cli.messages.sending import Sending, send_test

    page = MessagePage(spoken_language(lang))
    sending = Sending(message, case, to, channel, language, role, dry_run)
    if not asyncio.run(send_test(find_targets(), sending, None if as_json else page)):
        raise typer.Exit(BAD)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What somebody wants to look at."""

    message: str
    case: str | None
    channel: str | None
    language: str | None
    role: str | None
    site: str
    rules: Path | None


async def _preview(targets: Targets, wanted: _Wanted, page: MessagePage, as_json: bool) -> bool:
    """Whether every template works."""
    if wanted.rules is not None and wanted.case is None:
        previews = _examples(rules_in(wanted.rules, page.lang, as_json=False), wanted)
    else:
        async with open_record(targets, "messages") as database:
            bundle = (
                rules_in(wanted.rules, page.lang, as_json=False)
                if wanted.rules is not None
                else await active_rules(database, targets.matcher)
            )
            if wanted.case is None:
                previews = _examples(bundle, wanted)
            else:
                previews = await _of_case(database, bundle, wanted, wanted.case)
    providers = known_providers(targets)
    for preview in previews:
        row = preview.row(providers)
        print_json(row) if as_json else page.preview(row)
    return not any(preview.rendered.fault for preview in previews)


def _examples(bundle: Bundle, wanted: _Wanted) -> list[Preview]:
    policy, role = told_by(bundle, wanted.message, wanted.role)
    return [
        of_example(bundle, wanted.message, channel, language, role, policy, wanted.site)
        for language, channel in _texts(bundle, wanted)
    ]


async def _of_case(database: Database, bundle: Bundle, wanted: _Wanted, named: str) -> list[Preview]:
    from reeve.cli.cases.finding import find_case

    case = await find_case(database, named)
    role = role_for(bundle, case, wanted.message, wanted.role)
    now = SystemTime().now()
    return [
        await of_case(database, bundle, case, wanted.message, channel, language, role, now)
        for language, channel in _texts(bundle, wanted)
    ]


def _texts(bundle: Bundle, wanted: _Wanted) -> list[tuple[str, str]]:
    """Language and channel of each text that is looked at; what is asked for and not there has Reeve's own text."""
    check_message(bundle, wanted.message)
    known = list(spoken(bundle, wanted.message))
    languages = [wanted.language] if wanted.language else list(dict.fromkeys(each for each, _ in known))
    found = [
        (language, channel)
        for language in languages or [bundle.defaults.locale]
        for channel in ([wanted.channel] if wanted.channel else list(dict.fromkeys(each for _, each in known)))
        if wanted.language or wanted.channel or (language, channel) in known
    ]
    return found or [(language, wanted.channel or "sms") for language in languages or [bundle.defaults.locale]]


def told_by(bundle: Bundle, message: str, role: str | None) -> tuple[Policy, str]:
    """The first policy that sends it, and the role it tells; where none does by name, some policy."""
    found = senders(bundle, message)
    policy = found[0][0] if found else bundle.policies.get("complaint", next(iter(bundle.policies.values())))
    told = found[0][2] if found else ()
    return policy, role or next(iter(told), "front_desk")


def role_for(bundle: Bundle, case: Case, message: str, role: str | None) -> str:
    """The role asked for, else the one that a step of the case's policy tells by this message."""
    own = [told for policy, _, told in senders(bundle, message) if policy.name == case.key.policy]
    return role or (own[0][0] if own else told_by(bundle, message, None)[1])


def names_of(bundle: Bundle) -> list[str]:
    """Every message there is a text for, or that is sent: by a step, or by Reeve itself."""
    sent = {
        level.message
        for policy in bundle.policies.values()
        for step in policy.steps
        for level in step.levels
        if level.notify
    }
    return sorted(sent | set(bundle.messages) | {DIGEST, UNREACHABLE})


def check_message(bundle: Bundle, message: str) -> None:
    """Raises NoSuchMessage, with the closest name."""
    names = names_of(bundle)
    if message not in names:
        close = get_close_matches(message, names, 1)
        hint = f"did you mean {close[0]}?" if close else "`reeve messages list` shows what there is."
        raise NoSuchMessage(f"There is no message {message!r}; {hint}")


def _listed(bundle: Bundle, message: str) -> dict[str, Any]:
    found = senders(bundle, message)
    return {
        "message": message,
        "texts": {
            language: sorted(channels) for language, channels in sorted(bundle.messages.get(message, {}).items())
        },
        "sent_by": list(dict.fromkeys(f"{policy.name}/{step}" for policy, step, _ in found)),
        "to": sorted({role for _, _, roles in found for role in roles}),
    }


def known_providers(targets: Targets) -> Sequence[Configured]:
    """Those that can be read; what is wrong with the others `reeve channels check` says. Raises SettingsError."""
    from reeve.cli.sending_settings import sending_settings
    from services.notify.channels.configured import check_configured

    return check_configured(sending_settings(targets), secrets="none")[0]
