"""Cases as the record has them, read and printed: a list, or one with its deliveries and timeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, tzinfo
from typing import Any

from reeve.cli.cases.finding import NoSuchCase, find_case
from reeve.cli.cases.page import Page
from reeve.cli.notifications.rows import row_of
from reeve.cli.output import errors, print_json
from reeve.cli.targets import find_targets, open_record
from reeve.contracts.personal import PLAIN
from reeve.domain.case import Case
from reeve.runtime.delivery_lines import deliveries_of_case
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.time_source import SystemTime
from services.intake.cases_api import CaseReader

_PAGE = 200


async def list_cases(
    site: str | None,
    policy: str | None,
    state: str,
    grade: str | None,
    overdue: bool | None,
    limit: int,
    page: Page | None,
) -> None:
    """Prints them, all states by `all`, and with a page how many there are."""
    count, more = 0, False
    async with open_record(find_targets(), "cases") as database:
        rows = _rows(
            CaseReader(database, SystemTime()),
            sites=None if site is None else frozenset({site}),
            policy=policy,
            state=None if state == "all" else state,
            grade=grade,
            overdue=overdue,
        )
        async for row in rows:
            if count == limit:
                more = True
                break
            count += 1
            print_json(row) if page is None else page.line(row)
    if page is not None:
        errors().print(page.count(state, count, more), style="dim")


async def _rows(reader: CaseReader, **filters: Any) -> AsyncIterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = await reader.page(**filters, limit=_PAGE, cursor=cursor)
        for row in page["cases"]:
            yield row
        cursor = page["next"]
        if cursor is None:
            return


async def show_case(wanted: str, facts: bool, page: Page | None, lang: str) -> None:
    """Prints the case; without `facts`, no fact that may be personal. Raises NoSuchCase or SeveralCases."""
    async with open_record(find_targets(), "cases") as database:
        case = await find_case(database, wanted, lang)
        view = await CaseReader(database, SystemTime()).one(str(case.key))
        _, deliveries = await deliveries_of_case(database, str(case.key))
    if view is None:
        raise NoSuchCase(f"There is no case {wanted!r} any more.")
    view["deliveries"] = [_delivery_row(each) for each in deliveries]
    view["facts"] = case.facts if facts else plain_facts(case)
    if page is None:
        print_json(view)
    else:
        page.whole(view, _zone_of(view), hidden_facts=len(case.facts) - len(view["facts"]))


def plain_facts(case: Case) -> dict[str, Any]:
    """The facts that can't hold personal data; a field that we don't know might, so it is left out."""
    return {name: value for name, value in case.facts.items() if name in PLAIN}


def _delivery_row(delivery: Delivery) -> dict[str, Any]:
    """Ids only; names and addresses stay in the record."""
    attempts = [
        {"at": each.at, "result": each.result, "reason": each.reason, "provider": each.provider or None}
        for each in delivery.attempts
    ]
    return row_of(delivery) | {"at": delivery.at, "attempts": attempts}


def _zone_of(view: dict[str, Any]) -> tzinfo:
    """The offset that the case's site had at its last line."""
    for line in reversed(view["timeline"]):
        zone = datetime.fromisoformat(line["at"]).tzinfo
        if zone is not None:
            return zone
    return UTC
