"""The one message that somebody named, by its name or the beginning of it."""

from __future__ import annotations

from reeve.domain.errors import ReeveError
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.store.delivery_search import named
from reeve.runtime.store.mongo import Database


class NoSuchNotification(ReeveError):
    """Nothing in the record is called so."""


class SeveralNotifications(ReeveError):
    """More than one is called so."""


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
