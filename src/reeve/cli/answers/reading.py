"""Replies as the record has them: one handed in, listed or shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from reeve.cli.answers.texts import outcome_word, say
from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD
from reeve.cli.output import moment, padded, print_json, print_line
from reeve.cli.rules.versions import zones_of
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.runtime.store import provider_posts
from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore
from reeve.runtime.store.mongo import Database, ensure_indexes
from reeve.runtime.store.provider_posts import MAIL, ProviderPost, ProviderPostStore
from reeve.runtime.time_source import SystemTime

_SHOWN_ID = 12


async def hand_in(raw: bytes) -> None:
    """The mail is kept for notify to read; the same mail counts once. Raises StoreAway."""
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


async def list_replies(outcome: str | None, most: int, as_json: bool, lang: str) -> None:
    """Prints the newest, all outcomes by None."""
    targets = find_targets()
    async with open_record(targets, "answers") as database:
        found = await ProviderPostStore(database).latest("inbound", most, outcome)
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


async def show_reply(start: str, as_json: bool, lang: str) -> None:
    """Prints the post whose id begins so, as it came. Ends the command where there is none, or several."""
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
