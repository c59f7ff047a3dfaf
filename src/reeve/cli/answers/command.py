"""`reeve answers`: hands in a mail that may be an answer, and shows what people replied and what came of it."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from reeve.cli.answers.texts import say
from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import AsJson, Lang
from reeve.cli.running import run
from reeve.cli.speaking import spoken_language

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="What people replied by SMS and mail, and what came of it. Replies are kept 7 days.",
)


class Outcome(StrEnum):
    """What a reply came to; docs/answers.md says what each means."""

    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    DELAYED = "delayed"
    NOT_UNDERSTOOD = "not_understood"
    NO_MESSAGE = "no_message"
    SEVERAL_MATTERS = "several_matters"
    NO_MORE_TIME = "no_more_time"
    ANSWERED = "answered"
    REPEATED = "repeated"
    EXPIRED = "expired"
    CLOSED = "closed"
    AUTOMATIC = "automatic"
    NO_CODE = "no_code"
    UNREADABLE = "unreadable"


MOST_BYTES = 10 * 1024 * 1024


@app.command("mail")
def hand_in_mail() -> None:
    """Takes a raw mail from standard input, as a mail server's pipe hands it over; notify reads what it answers.

    Mails of machines (automatic replies, lists, bounces) never answer anything; the same mail counts once.

    Exit codes: 0 kept, 1 empty or larger than 10 MB, 3 MongoDB is away. A mail server tries again later for code 75
    alone: let its pipe say `|| exit 75`.

    Examples:

    reeve answers mail < message.eml

    sh -c 'reeve answers mail || exit 75'
    """
    raw = sys.stdin.buffer.read(MOST_BYTES + 1)
    if not raw.strip() or len(raw) > MOST_BYTES:
        fail(say("no_mail", spoken_language(None)), BAD)
    from reeve.cli.answers.reading import hand_in

    run(hand_in(raw))


@app.command("list")
def list_replies(
    outcome: Annotated[Outcome | None, typer.Option(help="Only replies that came to this.")] = None,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many posts.")] = 50,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Lists replies, newest first: when, by which provider, what came of each, whose it is and about which case.

    Neither numbers nor texts are shown.

    Examples:

    reeve answers list

    reeve answers list --outcome not_understood
    """
    from reeve.cli.answers import reading

    run(reading.list_replies(outcome and outcome.value, most, as_json, spoken_language(lang)))


@app.command("show")
def show_reply(
    id: Annotated[str, typer.Argument(help="Id of the post, or its first characters.", show_default=False)],
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Shows one post as it came. That is personal data: numbers, addresses, texts.

    Example: reeve answers show 1f0c9a2b77de
    """
    spoken = spoken_language(lang)
    if len(id) < 4 or not id.isascii():
        fail(say("short_id", spoken), USAGE)
    from reeve.cli.answers import reading

    run(reading.show_reply(id, as_json, spoken))
