"""`reeve messages`: what is said to people, looked at before it goes out, and one sent to try it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import AsJson
from reeve.cli.running import run
from reeve.cli.speaking import spoken_language

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


@app.command("list")
def list_messages(rules: Rules = None, as_json: AsJson = False, lang: Lang = None) -> None:
    """Lists the messages of the active rules: their languages and channels, which steps send them, and to whom.

    Examples:

    reeve messages list

    reeve messages list --rules new-rules --json
    """
    from reeve.cli.messages import previewing
    from reeve.cli.messages.texts import MessagePage

    run(previewing.list_messages(rules, MessagePage(spoken_language(lang)), as_json))


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
    from reeve.cli.messages.previewing import Wanted, show_previews
    from reeve.cli.messages.texts import MessagePage

    page = MessagePage(spoken_language(lang))
    if case is not None and example:
        fail(page.say("case_or_example"), USAGE)
    wanted = Wanted(message, case, channel, language, role, site, rules)
    if not run(show_previews(wanted, page, as_json)):
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
    from reeve.cli.messages.texts import MessagePage

    page = MessagePage(spoken_language(lang))
    sending = Sending(message, case, to, channel, language, role, dry_run)
    if not run(send_test(sending, page, as_json)):
        raise typer.Exit(BAD)
