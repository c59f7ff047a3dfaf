"""`reeve cases repin`: a person puts one case on the rules of another version."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

import typer

from reeve.cli.options import AsJson, TheCase
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.rules.versions import ACTIVE, find_version
from reeve.cli.targets import Targets, find_targets, open_bus, open_record
from reeve.cli.wording import phrase
from reeve.domain.errors import ReeveError
from reeve.domain.inputs import Revise
from reeve.ports import BusAway, Message
from reeve.runtime.active_rules import ActiveRules
from reeve.runtime.author import login_name
from reeve.runtime.bundles import Bundles
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.cases import MongoCaseRecord
from reeve.runtime.time_source import SystemTime
from services.escalation.repinning import Repinned
from services.escalation.repinning import repin as decide

EXAMPLES = (
    "Examples: reeve cases repin T-1001 --reason 'agreed with the customer'; "
    "reeve cases repin sunshine-garden/complaint/T-1001 --to 3fa9 --by u-7; "
    "reeve cases repin T-1001 --recompute --json"
)


class CantRepin(ReeveError):
    """The version has no file for the case's policy, or the case is closed."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody asked for."""

    case: str
    to: str
    by: str
    reason: str | None
    recompute: bool


def repin(
    case: TheCase,
    to: Annotated[
        str, typer.Option(help="A version of `reeve rules history` (its first letters will do), or `current`.")
    ] = "current",
    by: Annotated[
        str | None, typer.Option(help="Who decides this: an id, for the timeline.", show_default="your login name")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the timeline.")] = None,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Also decide its grade and clocks anew by that file.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put one open case on the policy file of another version; the timeline says who chose it, and why.

    On the current file it goes on like any new case. On an earlier one it stays, whatever on_change says, until
    somebody repins it.

    Exit codes: 0 done (or on that file already), 1 no such case or version, 2 wrong usage, 3 MongoDB is away.
    """
    asyncio.run(_repin(_Asked(case, to, by or login_name(), reason, recompute), as_json))


async def _repin(asked: _Asked, as_json: bool) -> None:
    from reeve.cli.cases.command import find_case  # registers this command, so it is loaded before

    targets, time = find_targets(), SystemTime()
    async with open_record(targets, "cases") as database:
        case = await find_case(database, asked.case)
        case_id = str(case.key)
        if not case.open:
            raise CantRepin(f"{case_id} is closed; only an open case can go on with other rules.")
        store = BundleStore(database)
        bundles = Bundles(store, time, None, targets.matcher)
        version = await find_version(store, ACTIVE if asked.to == "current" else asked.to)
        digest = await bundles.digest_of(version, case.key.policy)
        if digest is None:
            raise CantRepin(f"Version {version} has no policy {case.key.policy} that this release can read.")
        rules = ActiveRules(bundles, await bundles.load_active())
        choice = Revise(time.now(), digest, asked.by, asked.reason, asked.recompute)
        done = await decide(MongoCaseRecord(database.client, database), rules, case, choice, time)
    if done.alarms:
        await _set_schedules(targets, [alarm.message() for alarm in done.alarms])
    _show(case_id, version, done, as_json)


def _show(case_id: str, version: str, done: Repinned, as_json: bool) -> None:
    if as_json:
        row = {"case": case_id, "version": version, "was": done.was, "now": done.now}
        print_json({**row, "changed": bool(done.lines), "timeline": list(done.lines)})
    elif not done.lines:
        print_line(f"{case_id} is on the file of version {version} already.")
    else:
        print_line((f"{case_id} goes on with the rules of version {version}.", "green"))
        for line in done.lines:
            print_line(f"  {line['at']}  {phrase(line['effect'], line)}")


async def _set_schedules(targets: Targets, messages: list[Message]) -> None:
    """The case's next moment is on the bus; where that is away, a running replica sees to it a little later."""
    try:
        async with open_bus(targets, "cases") as bus:
            publisher = BusPublisher(bus)
            await publisher.start()
            await publisher.publish_all(messages)
    except BusAway:
        errors().print(
            "NATS can't be reached; the case's next deadline may come some seconds late.", style="yellow"
        )
