"""Escalation's loop on in-memory twins: every step in one process, no server, no waiting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from reeve.domain.bundle import Bundle
from reeve.domain.events import Event
from reeve.ports import CaseRecord
from reeve.rulelang.load import load_bundle, read_folder
from reeve.runtime.bus.memory import MemoryBus
from reeve.runtime.store.memory import MemoryCaseRecord
from services.escalation.loop import Loop
from services.escalation.outbox import Committed
from services.escalation.work import EventWork, TickWork, Work

RULES = Path(__file__).parent.parent.parent / "rules"


class ManualTime:
    """A clock that the test sets."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """What the test says."""
        return self.at


class Stage:
    """The loop with its twins. `handed` holds what the outbox would get."""

    def __init__(self, at: datetime, record: CaseRecord | None = None) -> None:
        self.memory = MemoryCaseRecord()
        self.bus = MemoryBus()
        self.time = ManualTime(at)
        self.handed: list[Committed] = []
        self.sweeps = 0
        loaded = load_bundle(read_folder(RULES)).bundle
        assert loaded is not None
        self.bundle: Bundle = loaded
        self.loop = Loop(
            self, record or self.memory, self, self.bus, self._hand_over, self._sweep, self.time, most=64
        )

    async def take(self, most: int) -> list[Work]:
        """Not used: tests hand work to `handle` themselves."""
        raise AssertionError(most)

    async def keep(self, in_hand: Iterable[Work]) -> None:
        """Nothing is redelivered here."""

    async def recall(self, digest: str) -> bool:
        """There is one bundle only."""
        return False

    async def _hand_over(self, batch: Committed) -> None:
        self.handed.append(batch)

    def _sweep(self) -> None:
        self.sweeps += 1

    async def events(self, posted: Sequence[Event]) -> Committed:
        """One batch of events that intake has accepted."""
        for event in posted:
            self.memory.accept(event, self.time.at)
        await self.loop.handle([EventWork(event) for event in posted])
        return self.handed[-1]

    async def tick(self, case_id: str) -> Committed:
        """One batch with a tick."""
        await self.loop.handle([TickWork(case_id)])
        return self.handed[-1]
