"""Before a send its case is as the record has it, in one read for all that are under way."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from reeve.domain.case import Case, CaseKey
from reeve.ports import StoreAway
from services.notify.case_reader import CaseReader, FreshCases

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Record:
    """What stands in the record, and how often it was asked."""

    def __init__(self, *cases: Case) -> None:
        self.cases = {str(case.key): case for case in cases}
        self.asked: list[set[str]] = []
        self.loaded: list[set[str]] = []
        self.away = False
        self.answers = asyncio.Event()
        self.answers.set()
        self.recent: dict[str, tuple[float, Case]] = {}

    async def versions(self, ids: Collection[str]) -> dict[str, int]:
        self.asked.append(set(ids))
        await self.answers.wait()
        if self.away:
            raise StoreAway("away")
        return {key: self.cases[key].version for key in ids if key in self.cases}

    async def load(self, ids: Collection[str]) -> dict[str, Case]:
        if ids:
            self.loaded.append(set(ids))
        return {key: self.cases[key] for key in ids}

    def remember(self, cases: dict[str, Case], begun: float) -> None:
        self.recent |= {key: (begun, each) for key, each in cases.items()}


def case(number: int, version: int = 1) -> Case:
    return replace(Case(CaseKey("garden", "complaint", f"T-{number}"), "ticket", "d", NOW), version=version)


def fresh(record: Record, *coming: Case) -> FreshCases:
    return FreshCases(cast("CaseReader", record), lambda: coming)


async def test_only_what_has_changed_is_read_whole() -> None:
    record = Record(case(1, version=2), case(2))
    found = await fresh(record).of([case(1), case(2)])
    assert [each.version for each in found.values()] == [2, 1]
    assert record.loaded == [{"garden/complaint/T-1"}]


async def test_those_that_ask_while_a_read_runs_share_the_next() -> None:
    record = Record(*map(case, range(20)))
    record.answers.clear()
    cases = fresh(record)
    asking = [asyncio.create_task(cases.of([case(number)])) for number in range(20)]
    await asyncio.sleep(0)
    record.answers.set()
    await asyncio.gather(*asking)
    assert len(record.asked) <= 2


async def test_what_is_sent_next_is_read_along() -> None:
    record = Record(case(1), case(2, version=5))
    cases = fresh(record, case(2))
    await cases.of([case(1)])
    assert (await cases.of([case(2)]))["garden/complaint/T-2"].version == 5
    assert len(record.asked) == 1


async def test_what_somebody_has_just_read_is_fresh() -> None:
    record = Record(case(1))
    record.remember({"garden/complaint/T-1": case(1, version=4)}, asyncio.get_running_loop().time())
    assert (await fresh(record).of([case(1)]))["garden/complaint/T-1"].version == 4
    assert record.asked == []


async def test_what_is_known_already_never_gets_older() -> None:
    record = Record(case(1))
    cases = fresh(record)
    await cases.of([case(1)])
    assert (await cases.of([case(1, version=3)]))["garden/complaint/T-1"].version == 3


async def test_a_case_that_is_gone_stays_as_it_was() -> None:
    assert (await fresh(Record()).of([case(1)]))["garden/complaint/T-1"].version == 1


async def test_a_record_that_is_away_is_told_to_everybody_and_comes_back() -> None:
    record = Record(case(1), case(2))
    record.away = True
    cases = fresh(record)
    ended = await asyncio.gather(cases.of([case(1)]), cases.of([case(2)]), return_exceptions=True)
    assert [type(each) for each in ended] == [StoreAway, StoreAway]
    record.away = False
    assert await cases.of([case(1)])
    record.away = True
    with pytest.raises(StoreAway):
        await cases.of([case(2)])
