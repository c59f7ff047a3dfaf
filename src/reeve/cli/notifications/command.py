"""`reeve notifications`: which messages went to whom, what became of each, and one sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any

import typer

from reeve.cli.ending import fail
from reeve.cli.exit_codes import USAGE
from reeve.cli.lengths import ago
from reeve.cli.notifications.hours import waiting_for_their_hour
from reeve.cli.notifications.page import Page
from reeve.cli.notifications.rows import row_of, whole_row
from reeve.cli.options import AsJson, Lang, Limit
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.rules.versions import active_rules, zones_of
from reeve.cli.speaking import spoken_language
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.domain.effects import Because
from reeve.domain.errors import ReeveError
from reeve.domain.recipients import Recipient
from reeve.runtime.author import login_name
from reeve.runtime.delivery_life import for_nobody
from reeve.runtime.resending import channel_for, refuse_if_pointless, send_again
from reeve.runtime.store.deliveries import OPEN_STATES, Delivery
from reeve.runtime.store.delivery_search import Wanted, latest, named, of_one_notification, waiting_in_group
from reeve.runtime.store.mongo import Database, store_errors
from reeve.runtime.store.notifications import NotificationStore
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.time_source import SystemTime

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Which messages went to whom and what became of each; show one, or send it again.",
)

Id = Annotated[str, typer.Argument(help="Its name in the list (7m2f-0q3d), or the beginning of it.")]


class State(StrEnum):
    """Which to list."""

    open = "open"
    """queued, claimed or unknown."""
    held = "held"
    """Waits on purpose."""
    queued = "queued"
    claimed = "claimed"
    unknown = "unknown"
    sent = "sent"
    delivered = "delivered"
    failed = "failed"
    suppressed = "suppressed"
    merged = "merged"
    undeliverable = "undeliverable"


class NoSuchNotification(ReeveError):
    """Nothing in the record is called so."""


class SeveralNotifications(ReeveError):
    """More than one is called so."""


@app.command("list")
def list_notifications(
    site: Annotated[str | None, typer.Option(help="Only of this site.")] = None,
    case: Annotated[
        str | None, typer.Option(help="Only about this case: site/policy/subject, or a subject.")
    ] = None,
    recipient: Annotated[str | None, typer.Option(help="Only to this recipient (an id).")] = None,
    channel: Annotated[str | None, typer.Option(help="Only by this channel: sms, email, …")] = None,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Asked for since then: 2h, 3d, or '2026-02-13 17:55'.", show_default="all")
    ] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Lists messages, the latest first: its name, when it was asked for, case, step, role, recipient (an id),
    channel and provider, state and reason, SMS segments. On top those that wait for their hour, still for nobody.

    Examples:

    reeve notifications list --state failed --since 12h

    reeve notifications list --case T-1001

    reeve notifications list --recipient gm-1 --channel sms --json | jq .reason
    """
    page = Page(spoken_language(lang))
    wanted = Wanted(
        site=site,
        recipient=recipient,
        channel=channel,
        states=_states(state),
        held=state is State.held,
        since=_since(since) if since is not None else None,
    )
    asyncio.run(_list(find_targets(), wanted, case, limit, None if as_json else page))


@app.command("show")
def show_notification(
    id: Id,
    text: Annotated[
        bool, typer.Option("--text", help="Also the text, as the case is now; this is personal data.")
    ] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Shows one message: why it was asked for, every attempt and receipt, what it waits for, who answered, and what
    else was tried for the same notification. The text itself is not kept: --text makes it anew.

    Examples:

    reeve notifications show 7m2f-0q3d

    reeve notifications show 7m2f --text
    """
    asyncio.run(_show(find_targets(), id, text, None if as_json else Page(spoken_language(lang))))


@app.command("resend")
def resend_notification(
    id: Id,
    channel: Annotated[str | None, typer.Option(help="By this channel instead.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="To this recipient (an id) instead.")] = None,
    note: Annotated[str, typer.Option(help="Why; stays in the record.")] = "",
    author: Annotated[str | None, typer.Option(help="Who asks for it.", show_default="your login name")] = None,
    again: Annotated[bool, typer.Option("--again", help="Although it was delivered already.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent to whom.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Sends a message once more, at once, with the text as the case is now. It is a message of its own: marked as
    sent again, with who asked for it, here and on the case's timeline.

    Examples:

    reeve notifications resend 7m2f-0q3d --note "number was wrong, mended"

    reeve notifications resend 7m2f --channel email

    reeve notifications resend 7m2f --to property-manager-2 --dry-run
    """
    request = _Request(id, channel, to, note, author or login_name(), again, dry_run)
    asyncio.run(_resend(find_targets(), request, None if as_json else Page(spoken_language(lang))))


async def _list(targets: Targets, wanted: Wanted, case: str | None, limit: int, page: Page | None) -> None:
    async with open_record(targets, "notifications") as database:
        if case is not None:
            from reeve.cli.cases.finding import find_case

            wanted = replace(wanted, case=str((await find_case(database, case)).key))
        hours = await waiting_for_their_hour(database, wanted, SystemTime().now(), limit)
        found = [*hours, *map(row_of, await latest(database, wanted, limit + 1))]
        mean = [] if found else await _meant(database, wanted)
        if page is not None:
            page.use_zones(await zones_of(database, targets.matcher, {row["site"] for row in found}))
    for row in found[:limit]:
        print_json(row) if page is None else page.line(row)
    if page is None:
        return
    n = len(found)
    text = page.word("more", n=limit) if n > limit else page.word("one" if n == 1 else "count", n=n)
    errors().print(text if n else page.word("none"), style="dim")
    for best in mean:
        errors().print(page.word("mean", best=best))


async def _meant(database: Database, wanted: Wanted) -> list[str]:
    """What somebody may have meant who found nothing: names that are close to the ones asked for."""
    found: list[str] = []
    with store_errors():
        if wanted.site is not None:
            found += _close("--site", wanted.site, await database["cases"].distinct("site"))
        if wanted.recipient is not None:
            people = await database["recipients"].distinct("recipient")
            found += _close("--recipient", wanted.recipient, people)
        if wanted.channel is not None:
            found += _close("--channel", wanted.channel, await database["deliveries"].distinct("channel"))
    return found


def _close(option: str, asked: str, known: Iterable[str]) -> list[str]:
    names = sorted(known)
    return [] if asked in names else [f"{option} {each}" for each in get_close_matches(asked, names, 1)]


async def _show(targets: Targets, wanted: str, text: bool, page: Page | None) -> None:
    async with open_record(targets, "notifications") as database:
        delivery = await find_delivery(database, wanted)
        asked = (await NotificationStore(database).load([delivery.notification])).get(delivery.notification)
        siblings = await of_one_notification(database, delivery.notification)
        together = await waiting_in_group(database, delivery.group) if delivery.group else 1
        because = asked.effect.because if asked is not None else Because("")
        row = whole_row(delivery, because, siblings, together)
        said = await _text(database, targets, delivery) if text and not for_nobody(delivery) else None
        if page is not None:
            page.use_zones(await zones_of(database, targets.matcher, {row["site"]}))
    if page is None:
        print_json(row if said is None else row | {"text": said})
        return
    page.whole(row)
    if said is not None:
        page.text(said)


async def _text(database: Database, targets: Targets, delivery: Delivery) -> dict[str, Any] | None:
    """Subject and body as they would be now. Raises NoBundle."""
    from reeve.cli.messages.preview import of_delivery

    bundle = await active_rules(database, targets.matcher)
    preview = await of_delivery(database, bundle, delivery)
    return None if preview is None else preview.row(())


@dataclass(frozen=True, slots=True)
class _Request:
    """What somebody wants sent again."""

    id: str
    channel: str | None
    to: str | None
    note: str
    author: str
    again: bool
    dry_run: bool


async def _resend(targets: Targets, request: _Request, page: Page | None) -> None:
    async with open_record(targets, "notifications") as database:
        delivery = await find_delivery(database, request.id)
        elsewhere = request.to not in (None, delivery.recipient)
        if not for_nobody(delivery):
            elsewhere |= request.channel not in (None, delivery.channel)
        refuse_if_pointless(delivery, elsewhere=elsewhere, insist=request.again)
        person = await _person(database, targets, delivery, request.to)
        channel = channel_for(delivery, person, request.channel)
        words = {"old": delivery.short, "who": person.id, "channel": channel}
        if request.dry_run:
            if page is None:
                print_json(
                    {"resend_of": delivery.short, "recipient": person.id, "channel": channel, "dry_run": True}
                )
            else:
                print_line(page.word("would", **words))
            return
        now = SystemTime().now()
        made = await send_again(database, delivery, person, channel, request.author, request.note, now)
    if page is None:
        print_json(row_of(made) | {"note": made.note or None})
    else:
        print_line((page.word("resent", new=made.short, **words), "green"))


async def _person(database: Database, targets: Targets, delivery: Delivery, to: str | None) -> Recipient:
    """Whom it goes to: at the place of the delivery, at the case's site, or in the organisation above."""
    store = RecipientStore(database)
    wanted = to or delivery.recipient
    places = list(dict.fromkeys([delivery.place, delivery.case.site]))
    known = await store.by_id([(place, wanted) for place in places])
    if not known:
        parent = await _parent(database, targets, delivery.case.site)
        if parent is not None:
            places.append(parent)
            known = await store.by_id([(parent, wanted)])
    for place in places:
        if (place, wanted) in known:
            return known[place, wanted]
    names = sorted({person.id for place in places for person in await store.all(place)})
    close = get_close_matches(wanted, names, 1)
    hint = f"did you mean {close[0]}?" if close else "`reeve recipients list` shows who there is."
    raise NoSuchNotification(f"There is no recipient {wanted!r} at {delivery.case.site}; {hint}")


async def _parent(database: Database, targets: Targets, site: str) -> str | None:
    """The organisation above the site, as the active rules say."""
    from reeve.runtime.bundles import NoBundle

    try:
        return (await active_rules(database, targets.matcher)).site(site).parent
    except NoBundle:
        return None


async def find_delivery(database: Database, wanted: str) -> Delivery:
    """The only delivery of that name. Raises NoSuchNotification or SeveralNotifications."""
    found = await named(database, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        names = "\n".join(f"  {each.short}  {each.case}  {each.recipient}  {each.channel}" for each in found)
        raise SeveralNotifications(f"Several messages are called {wanted!r}:\n{names}\nName one of these.")
    raise NoSuchNotification(
        f"There is no message called {wanted!r}; `reeve notifications list` shows what there is "
        "(names look like 7m2f-0q3d, and a beginning of three letters is enough)."
    )


def _states(state: State | None) -> Sequence[str] | None:
    if state is None or state is State.held:
        return None
    return OPEN_STATES if state is State.open else (state.value,)


def _since(text: str) -> datetime:
    before = ago(text, SystemTime().now())
    if before is not None:
        return before
    from reeve.rulelang.scenarios import read_moment

    moment = read_moment(text)
    if moment is None:
        fail(f"--since {text}: write 30m, 12h, 3d or 2w, or a moment like '2026-02-14 18:10'.", USAGE)
    return moment.astimezone()
