"""Tells the next shift: at each hand-over an event `ticket.opened` of category `duty` is in the record (DUTY-01).

Rules do the rest (rules/handover.yaml). The event's id is the hand-over itself, so replicas and restarts make one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reeve.domain.events import Event
from reeve.domain.facts import zone_of
from reeve.domain.rotas import Change, Rota
from reeve.domain.shifts import Period, hand_overs, shift_end
from reeve.ports import Away, TimeSource
from reeve.runtime.own_events import OwnEvents, own_event
from reeve.runtime.store.shifts import ShiftBook
from reeve.runtime.telemetry import error_fields, get_log

SOURCE = "/reeve/shifts"
DUTY = "shift_handover"

_LOOK = timedelta(seconds=5)
"""A rota that was brought in, or an override, is known so soon."""
_AHEAD = timedelta(days=2)
_BACK = timedelta(days=8)
"""Hand-overs longer ago are not told any more when everything was down: those people have gone home."""
_IN_TIME = timedelta(minutes=1)
"""Told within so long, a hand-over's event has its own moment; later it has the moment of telling, so that whoever
takes over has the whole time that the rules give."""

log = get_log(__name__)


@dataclass(slots=True)
class _Known:
    """What was reckoned for one rota, as long as rota and changes stay the same."""

    rota: Rota
    changes: Sequence[Change]
    look_at: datetime
    """The next hand-over, or when to look for one again."""
    told: datetime | None
    """The hand-over told last."""


class HandOverKeeper:
    """`run` until cancelled; any number of replicas."""

    def __init__(self, book: ShiftBook, events: OwnEvents, time_source: TimeSource) -> None:
        self._book = book
        self._events = events
        self._time = time_source
        self._known: dict[tuple[str, str], _Known] = {}

    async def run(self) -> None:
        """Looks every few seconds, and at the moment of each hand-over."""
        while True:
            try:
                await self.keep()
            except Away as error:
                log.debug("Hand-overs wait for the record.", action="hand_overs_wait", **error_fields(error))
            await asyncio.sleep(self._pause().total_seconds())

    async def keep(self) -> int:
        """The newest hand-over of each rota is in the record as an event; how many were new. Raises StoreAway."""
        now = self._time.now()
        await self._book.refresh(now)
        rotas = self._book.rotas
        due: dict[tuple[str, str], Period] = {}
        for key, rota in rotas.rotas.items():
            if (found := self._newest(key, rota, rotas.changes.get(key, ()), now)) is not None:
                due[key] = found
        for key in self._known.keys() - rotas.rotas.keys():
            del self._known[key]
        if not due:
            return 0
        told = [
            hand_over_event(rotas.rotas[key], rotas.changes.get(key, ()), each, now) for key, each in due.items()
        ]
        answers = await self._events.put(told)
        for key, each in due.items():
            self._known[key].told = each.start
        fresh = sum(not answer.duplicate for answer in answers)
        if fresh:
            log.info("Shifts change: the next ones are told.", action="shifts_changed", count=fresh)
        return fresh

    def _newest(self, key: tuple[str, str], rota: Rota, changes: Sequence[Change], now: datetime) -> Period | None:
        """The hand-over that has to be told and was not told by us yet."""
        if not rota.hands_over or rota.since is None:
            return None
        known = self._known.get(key)
        if known is not None and (known.rota, known.changes) == (rota, changes) and now < known.look_at:
            return None
        told = known.told if known is not None else None
        # Just before: the hand-over of the very moment at which the rota came in is told.
        since = max(rota.since - timedelta(microseconds=1), now - _BACK)
        found = hand_overs(rota, changes, since, now + _AHEAD)
        coming = next((each.start for each in found if each.start > now), now + _AHEAD)
        self._known[key] = _Known(rota, changes, coming, told)
        newest = next((each for each in reversed(found) if each.start <= now), None)
        if newest is None or newest.start == told:
            return None
        # Not told yet: looked at again until the record has it.
        self._known[key].look_at = now
        return newest

    def _pause(self) -> timedelta:
        now = self._time.now()
        next_look = min((each.look_at for each in self._known.values() if each.look_at > now), default=now + _LOOK)
        return min(max(next_look - now, timedelta(milliseconds=10)), _LOOK)


def hand_over_event(rota: Rota, changes: Sequence[Change], period: Period, now: datetime) -> Event:
    """The event that opens the case of a hand-over. Its id depends on place, role and moment alone."""
    start = period.start.astimezone(zone_of(rota.zone))
    end = shift_end(rota, changes, period).astimezone(zone_of(rota.zone))
    seconds = f"{start:%S}" if start.second else ""
    return own_event(
        site=rota.place,
        source=SOURCE,
        id=f"{rota.place}/{rota.role}/{period.start.astimezone(UTC).isoformat()}",
        type="ticket.opened",
        subject=f"handover-{rota.role}-{start:%Y-%m-%dT%H%M}{seconds}",
        at=period.start if now - period.start <= _IN_TIME else now,
        data={
            "category": "duty",
            "duty": DUTY,
            "role": rota.role,
            "starts_at": start.isoformat(),
            "ends_at": end.isoformat(),
        },
    )
