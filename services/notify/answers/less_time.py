"""Who asks by SMS or mail for more time than there is hears the same way what was granted, and what follows.

What is granted as asked for is not answered: an SMS is paid for, and silence until then is what was wanted.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from reeve.domain.more_time import MORE_TIME, MoreTime
from reeve.runtime.resending import fresh
from reeve.runtime.store.ack_tokens import AckToken
from reeve.runtime.store.deliveries import Delivery, DeliveryStore


class LessTime:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, deliveries: DeliveryStore) -> None:
        self._deliveries = deliveries

    async def tell(self, token: AckToken, channel: str, more: MoreTime, again: str, now: datetime) -> bool:
        """A message says it, due now; told again of the same reply (`again`) there is one. Whether it is new."""
        asked = token.asked
        found = (await self._deliveries.of_notifications([asked.notification])).get(asked.notification, [])
        answered = [each for each in found if (each.recipient, each.channel) == (asked.recipient, channel)]
        if not answered:
            return False
        made = less_time(min(answered, key=lambda each: each.id), more, again, now)
        return made.id in await self._deliveries.insert([made])


def less_time(answered: Delivery, more: MoreTime, again: str, now: datetime) -> Delivery:
    """The message to who answered that delivery. Only taking the matter meanwhile makes it needless."""
    own_id = f"{answered.notification}~time-{again[:12]}#{answered.recipient}#{answered.channel}"
    words = {"asked": more.asked, "granted": more.granted, "next_at": more.next_at}
    return replace(fresh(answered, own_id, now), message=MORE_TIME, reminds=False, words=words)
