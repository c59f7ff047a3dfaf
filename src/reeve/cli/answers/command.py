"""`reeve answers`: hands in a mail that may be an answer, and shows what people replied and what came of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

import typer

from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import AsJson
from reeve.cli.output import errors, moment, print_json, print_line
from reeve.cli.targets import find_targets, open_record
from reeve.runtime.store import provider_posts
from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore
from reeve.runtime.store.mongo import Database, ensure_indexes
from reeve.runtime.store.provider_posts import MAIL, ProviderPost, ProviderPostStore
from reeve.runtime.time_source import SystemTime

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
    ANSWERED = "answered"
    REPEATED = "repeated"
    EXPIRED = "expired"
    CLOSED = "closed"
    AUTOMATIC = "automatic"
    NO_CODE = "no_code"
    UNREADABLE = "unreadable"


MOST_BYTES = 10 * 1024 * 1024
_SHOWN_ID = 12


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
        errors().print("That is no mail: empty, or larger than 10 MB.")
        raise typer.Exit(BAD)
    asyncio.run(_hand_in(raw))


@app.command("list")
def list_replies(
    outcome: Annotated[Outcome | None, typer.Option(help="Only replies that came to this.")] = None,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many posts.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Lists replies, newest first: when, by which provider, what came of each, whose it is and about which case.

    Neither numbers nor texts are shown.

    Examples:

    reeve answers list

    reeve answers list --outcome not_understood
    """
    asyncio.run(_list(outcome, most, as_json))


@app.command("show")
def show_reply(
    id: Annotated[str, typer.Argument(help="Id of the post, or its first characters.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Shows one post as it came. That is personal data: numbers, addresses, texts.

    Example: reeve answers show 1f0c9a2b77de
    """
    if len(id) < 4 or not id.isascii():
        errors().print("Give at least 4 characters of an id from `reeve answers list`.")
        raise typer.Exit(USAGE)
    asyncio.run(_show(id, as_json))


async def _hand_in(raw: bytes) -> None:
    async with open_record(find_targets(), "answers") as database:
        await ensure_indexes(database, provider_posts.INDEXES)
        posts = ProviderPostStore(database)
        now = SystemTime().now()
        await posts.add(
            provider=MAIL,
            kind="inbound",
            method="POST",
            query="",
            content_type="message/rfc822",
            body=raw,
            now=now,
        )


async def _list(outcome: Outcome | None, most: int, as_json: bool) -> None:
    async with open_record(find_targets(), "answers") as database:
        found = await ProviderPostStore(database).latest("inbound", most, outcome and outcome.value)
        asked = await _asked(database, found)
    for post in found:
        for row in _rows(post, asked):
            if outcome is not None and row["outcome"] != outcome:
                continue
            if as_json:
                print_json(row)
            else:
                _show_row(post, row, row["id"][:_SHOWN_ID] + "  ")
    if not found and not as_json:
        print_line("No replies." if outcome is None else f"No replies that came to {outcome}.")


async def _show(start: str, as_json: bool) -> None:
    async with open_record(find_targets(), "answers") as database:
        found = await ProviderPostStore(database).named(start)
        asked = await _asked(database, found)
    if len(found) != 1:
        errors().print("No reply has that id." if not found else "Several replies begin so: give more of the id.")
        raise typer.Exit(BAD)
    (post,) = found
    body = post.body.decode("utf-8", "replace")
    if as_json:
        print_json({"id": post.id, "replies": _rows(post, asked), "query": post.query, "body": body})
        return
    for row in _rows(post, asked):
        _show_row(post, row)
    print_line("\n".join(part for part in (post.query, body) if part))


async def _asked(database: Database, posts: Iterable[ProviderPost]) -> dict[str, AckToken]:
    """What the replies of these posts answer, by hash. Nothing is issued here, so no secret is needed."""
    hashes = {each for post in posts for reply in post.replies or () for each in reply["tokens"]}
    return await AckTokenStore(database, b"").load(hashes)


def _rows(post: ProviderPost, asked: dict[str, AckToken]) -> list[dict[str, Any]]:
    fixed = {"id": post.id, "at": post.received_at.isoformat(), "provider": post.provider.lstrip("-")}
    if post.replies is None:
        return [fixed | {"outcome": "waiting", "answers": []}]
    return [
        fixed
        | {key: each[key] for key in ("how", "outcome", "minutes")}
        | {"answers": [_answered(asked[token]) for token in each["tokens"] if token in asked]}
        for each in post.replies
    ]


def _answered(token: AckToken) -> dict[str, str]:
    asked = token.asked
    return {"recipient": asked.recipient, "case": asked.case or f"{asked.site}/{asked.subject}", "step": asked.step}


def _show_row(post: ProviderPost, row: dict[str, Any], before: str = "") -> None:
    came = row["outcome"] + (f" {row['minutes']} min" if row.get("minutes") else "")
    whose = "; ".join(f"{each['recipient']}  {each['case']} {each['step']}" for each in row["answers"])
    arrived = f"{before}{moment(post.received_at)}  {row['provider']:<12}  "
    print_line(arrived, (f"{came:<15}" if whose else came, "bold"), f"  {whose}" if whose else "")
