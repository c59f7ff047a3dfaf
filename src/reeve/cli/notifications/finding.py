"""The one message that somebody named, by its name or the beginning of it."""

from __future__ import annotations

from reeve.cli.notifications.texts import WORDS
from reeve.cli.speaking import say
from reeve.domain.errors import ReeveError
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.store.delivery_search import named
from reeve.runtime.store.mongo import Database


class NoSuchNotification(ReeveError):
    """Nothing in the record is called so."""


class SeveralNotifications(ReeveError):
    """More than one is called so."""


async def find_delivery(database: Database, wanted: str, lang: str) -> Delivery:
    """The only delivery of that name. Raises NoSuchNotification or SeveralNotifications."""
    found = await named(database, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        names = "\n".join(f"  {each.short}  {each.case}  {each.recipient}  {each.channel}" for each in found)
        raise SeveralNotifications(say(WORDS, "several", lang, wanted=wanted, names=names))
    raise NoSuchNotification(say(WORDS, "no_such", lang, wanted=wanted))
