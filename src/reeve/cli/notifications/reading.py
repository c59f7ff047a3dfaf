"""Messages as the record has them, read and printed: a list, or one with all that became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from reeve.cli.cases.finding import find_case
from reeve.cli.ending import fail
from reeve.cli.exit_codes import USAGE
from reeve.cli.lengths import ago
from reeve.cli.messages.preview import of_delivery
from reeve.cli.notifications.finding import find_delivery
from reeve.cli.notifications.hours import waiting_for_their_hour
from reeve.cli.notifications.page import Page
from reeve.cli.notifications.rows import row_of, whole_row
from reeve.cli.notifications.texts import WORDS
from reeve.cli.output import errors, print_json
from reeve.cli.rules.versions import active_rules, zones_of
from reeve.cli.speaking import say
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.domain.effects import Because
from reeve.rulelang.scenarios import read_moment
from reeve.runtime.delivery_life import for_nobody
from reeve.runtime.store.deliveries import OPEN_STATES, Delivery
from reeve.runtime.store.delivery_search import Wanted, latest, of_one_notification, waiting_in_group
from reeve.runtime.store.mongo import Database, store_errors
from reeve.runtime.store.notifications import NotificationStore
from reeve.runtime.time_source import SystemTime


async def list_messages(wanted: Wanted, case: str | None, limit: int, page: Page | None, lang: str) -> None:
    """Prints them, and for people how many there are, or what may have been meant where there are none."""
    targets = find_targets()
    async with open_record(targets, "notifications") as database:
        if case is not None:
            wanted = replace(wanted, case=str((await find_case(database, case, lang)).key))
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


async def show_message(wanted: str, text: bool, page: Page | None, lang: str) -> None:
    """Prints one with its attempts. Raises NoSuchNotification or SeveralNotifications."""
    targets = find_targets()
    async with open_record(targets, "notifications") as database:
        delivery = await find_delivery(database, wanted, lang)
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
    bundle = await active_rules(database, targets.matcher)
    preview = await of_delivery(database, bundle, delivery)
    return None if preview is None else preview.row(())


def states_of(state: str | None) -> Sequence[str] | None:
    """The states of deliveries that the word stands for; None: all of them."""
    if state in (None, "held"):
        return None
    return OPEN_STATES if state == "open" else (state,)


def moment_since(text: str, lang: str) -> datetime:
    """`12h` ago, or that moment. Ends the command where it is neither."""
    before = ago(text, SystemTime().now())
    if before is not None:
        return before
    moment = read_moment(text)
    if moment is None:
        fail(say(WORDS, "no_moment", lang, text=text), USAGE)
    return moment.astimezone()
