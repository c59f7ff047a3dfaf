"""One message sent once more: to whom, by which channel, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass

from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD
from reeve.cli.near_names import near_name
from reeve.cli.notifications.finding import find_delivery
from reeve.cli.notifications.page import Page
from reeve.cli.notifications.rows import row_of
from reeve.cli.notifications.texts import NOT_RESENT, STATES, WORDS
from reeve.cli.output import print_json, print_line
from reeve.cli.rules.versions import rules_if_any
from reeve.cli.speaking import say
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.domain.errors import ReeveError
from reeve.domain.recipients import Recipient
from reeve.runtime.author import login_name
from reeve.runtime.delivery_life import for_nobody
from reeve.runtime.resending import NotResent, channel_for, refuse_if_pointless, send_again
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.store.mongo import Database
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.time_source import SystemTime


class NoSuchRecipient(ReeveError):
    """Nobody at the case's site or above it has this id."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants sent again."""

    id: str
    channel: str | None
    to: str | None
    note: str
    author: str | None
    """None: the person's login name."""
    again: bool
    dry_run: bool


async def resend(request: Request, page: Page | None, lang: str) -> None:
    """The message goes out once more, and that is printed; or the command ends with why it can't.

    Raises NoSuchNotification, SeveralNotifications, NoSuchRecipient.
    """
    try:
        await _resend(request, page, lang)
    except NotResent as refused:
        fail(not_resent(refused, lang), BAD)


def not_resent(refused: NotResent, lang: str) -> str:
    """Why, as a sentence in `en` or `zh`."""
    if lang != "zh":
        return str(refused)
    state = say(STATES, refused.words.get("state", ""), lang)
    return NOT_RESENT[refused.why].format_map({**refused.words, "state": state})


async def _resend(request: Request, page: Page | None, lang: str) -> None:
    targets = find_targets()
    async with open_record(targets, "notifications") as database:
        delivery = await find_delivery(database, request.id, lang)
        elsewhere = request.to not in (None, delivery.recipient)
        if not for_nobody(delivery):
            elsewhere |= request.channel not in (None, delivery.channel)
        refuse_if_pointless(delivery, elsewhere=elsewhere, insist=request.again)
        person = await _person(database, targets, delivery, request.to, lang)
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
        made = await send_again(
            database, delivery, person, channel, request.author or login_name(), request.note, now
        )
    if page is None:
        print_json(row_of(made) | {"note": made.note or None})
    else:
        print_line((page.word("resent", new=made.short, **words), "green"))


async def _person(database: Database, targets: Targets, delivery: Delivery, to: str | None, lang: str) -> Recipient:
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
    names = [person.id for place in places for person in await store.all(place)]
    hint = near_name(wanted, names, "reeve recipients list", lang)
    raise NoSuchRecipient(say(WORDS, "no_recipient", lang, wanted=wanted, site=delivery.case.site, hint=hint))


async def _parent(database: Database, targets: Targets, site: str) -> str | None:
    """The organisation above the site, as the active rules say."""
    rules = await rules_if_any(database, targets.matcher)
    return rules.site(site).parent if rules is not None else None
