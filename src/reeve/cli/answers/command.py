"""`reeve answers`: hands in a mail that may be an answer, and shows what people replied and what came of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Annotated, Any

import typer

from reeve.cli.answers.texts import outcome_word, say
from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import AsJson, Lang
from reeve.cli.output import moment, padded, print_json, print_line
from reeve.cli.rules.versions import zones_of
from reeve.cli.speaking import spoken_language
from reeve.cli.targets import Targets, find_targets, open_record
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
    NO_MORE_TIME = "no_more_time"
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
        fail(say("no_mail", spoken_language(None)), BAD)
    asyncio.run(_hand_in(raw))


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
    asyncio.run(_list(outcome, most, as_json, spoken_language(lang)))


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
    asyncio.run(_show(id, as_json, spoken))


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


async def _list(outcome: Outcome | None, most: int, as_json: bool, lang: str) -> None:
    targets = find_targets()
    async with open_record(targets, "answers") as database:
        found = await ProviderPostStore(database).latest("inbound", most, outcome and outcome.value)
        asked = await _asked(database, found)
        rows = [(post, row) for post in found for row in _rows(post, asked) if outcome in (None, row["outcome"])]
        zones = {} if as_json else await _zones(database, targets, [row for _, row in rows])
    for post, row in rows:
        if as_json:
            print_json(row)
        else:
            show_row(post.received_at, row, zones, lang, row["id"][:_SHOWN_ID] + "  ")
    if not found and not as_json:
        name = "none" if outcome is None else "none_of"
        print_line(say(name, lang, outcome=outcome and outcome_word(outcome, lang)))


async def _show(start: str, as_json: bool, lang: str) -> None:
    targets = find_targets()
    async with open_record(targets, "answers") as database:
        found = await ProviderPostStore(database).named(start)
        asked = await _asked(database, found)
        rows = [row for post in found for row in _rows(post, asked)]
        zones = {} if as_json else await _zones(database, targets, rows)
    if len(found) != 1:
        fail(say("several" if found else "no_such", lang), BAD)
    (post,) = found
    body = post.body.decode("utf-8", "replace")
    if as_json:
        print_json({"id": post.id, "replies": rows, "query": post.query, "body": body})
        return
    for row in rows:
        show_row(post.received_at, row, zones, lang)
    print_line("\n".join(part for part in (post.query, body) if part))


async def _zones(database: Database, targets: Targets, rows: Iterable[dict[str, Any]]) -> dict[str, tzinfo]:
    sites = {_site(answer) for row in rows for answer in row["answers"]}
    return await zones_of(database, targets.matcher, sites)


def _site(answer: dict[str, str]) -> str:
    return answer["case"].partition("/")[0]


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


def show_row(at: datetime, row: dict[str, Any], zones: Mapping[str, tzinfo], lang: str, before: str = "") -> None:
    """One reply on one line. The moment is that of the case's site; where no case is known, this machine's."""
    minutes = say("minutes", lang, minutes=row["minutes"]) if row.get("minutes") else ""
    came = outcome_word(row["outcome"], lang) + minutes
    answers = row["answers"]
    whose = say("semicolon", lang).join(f"{each['recipient']}  {each['case']} {each['step']}" for each in answers)
    zone = zones.get(_site(answers[0])) if answers else None
    arrived = f"{before}{moment(at.astimezone(zone))}  {row['provider']:<12}  "
    print_line(arrived, (padded(came, 16) if whose else came, "bold"), f" {whose}" if whose else "")
