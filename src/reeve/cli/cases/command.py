"""`reeve cases`: which cases there are, and what became of one and why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Annotated, Any

import typer

from reeve.cli.cases import explain, repinning
from reeve.cli.cases.page import Page
from reeve.cli.notifications.rows import row_of
from reeve.cli.options import AsJson, Lang, Limit, OnlySite, TheCase
from reeve.cli.output import errors, print_json
from reeve.cli.speaking import spoken_language
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.contracts.personal import PLAIN
from reeve.domain.case import Case
from reeve.domain.errors import ReeveError
from reeve.runtime.delivery_lines import deliveries_of_case
from reeve.runtime.explaining.finding import find_cases
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.store.mongo import Database
from reeve.runtime.time_source import SystemTime
from services.intake.cases_api import CaseReader

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="List cases, and show what became of one and why."
)

app.command(epilog=repinning.EXAMPLES)(repinning.repin)
app.command(epilog=explain.EXAMPLES)(explain.explain)

_PAGE = 200


class State(StrEnum):
    """Which cases to list."""

    open = "open"
    closed = "closed"
    scheduled = "scheduled"
    """Duties to come."""
    all = "all"


class NoSuchCase(ReeveError):
    """No case has this id or subject."""


class SeveralCases(ReeveError):
    """A subject alone does not say which case."""


@app.command("list")
def list_cases(
    site: OnlySite = None,
    policy: Annotated[str | None, typer.Option(help="Only this policy: complaint, repair, …")] = None,
    state: Annotated[State, typer.Option(help="Open ones, closed ones, duties to come, or all.")] = State.open,
    grade: Annotated[str | None, typer.Option(help="Only this grade.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only with a clock that has run out.")] = False,
    limit: Limit = 500,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Lists cases by site, policy and subject, each with what runs out next.

    Examples:

    reeve cases list --overdue

    reeve cases list --site sunshine-garden --policy complaint --grade major --json

    reeve cases list --state scheduled --lang zh
    """
    page = Page(spoken_language(lang), SystemTime().now())
    asyncio.run(
        _list(find_targets(), site, policy, state, grade, overdue or None, limit, None if as_json else page)
    )


@app.command("show")
def show_case(
    case: TheCase,
    facts: Annotated[bool, typer.Option("--facts", help="Also what was posted; this is personal data.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Shows a case: its clocks, who was told, and the timeline with the rule and the event behind each line.

    Examples:

    reeve cases show sunshine-garden/complaint/T-1001

    reeve cases show T-1001 --json
    """
    page = Page(spoken_language(lang), SystemTime().now())
    asyncio.run(_show(find_targets(), case, facts, None if as_json else page))


async def _list(
    targets: Targets,
    site: str | None,
    policy: str | None,
    state: State,
    grade: str | None,
    overdue: bool | None,
    limit: int,
    page: Page | None,
) -> None:
    count, more = 0, False
    async with open_record(targets, "cases") as database:
        rows = _rows(
            CaseReader(database, SystemTime()),
            sites=None if site is None else frozenset({site}),
            policy=policy,
            state=None if state is State.all else state.value,
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
        errors().print(page.count(state.value, count, more), style="dim")


async def _rows(reader: CaseReader, **filters: Any) -> AsyncIterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = await reader.page(**filters, limit=_PAGE, cursor=cursor)
        for row in page["cases"]:
            yield row
        cursor = page["next"]
        if cursor is None:
            return


async def _show(targets: Targets, wanted: str, facts: bool, page: Page | None) -> None:
    async with open_record(targets, "cases") as database:
        case = await find_case(database, wanted)
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


async def find_case(database: Database, wanted: str) -> Case:
    """The case of this id, or the only one of this subject. Raises NoSuchCase or SeveralCases."""
    found = await find_cases(database, wanted)
    if not found:
        raise NoSuchCase(f"There is no case {wanted!r}; `reeve cases list --state all` shows what there is.")
    if len(found) > 1:
        names = ", ".join(str(each.key) for each in found)
        raise SeveralCases(f"Several cases have the subject {wanted!r}: {names}. Name one of these.")
    return found[0]


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
