"""`reeve rules`: check, test and simulate a folder of rules, without any server."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import RULES, AsJson, EventsFile, RulesFolder
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.rules import calendars, checking, facts, history, pushing, shadow
from reeve.cli.rules.backtest import command as backtest
from reeve.cli.speaking import spoken_language

if TYPE_CHECKING:
    from reeve.domain.bundle import Bundle
    from reeve.domain.recipients import Recipient
    from reeve.rulelang.load import LoadResult
    from reeve.runtime.run_scenarios import Outcome

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Check, test and simulate a folder of rules (no server is needed); activate it, look back, go back.",
    epilog="Start with: reeve rules check    (a folder that is not named is `rules`, or what REEVE_RULES says)",
)

app.command(epilog=checking.EXAMPLES)(checking.check)
app.add_typer(calendars.app, name="calendar")
app.add_typer(shadow.app, name="shadow")
app.command(epilog="Examples: reeve rules facts; reeve rules facts --missing; reeve rules facts --json | jq .")(
    facts.facts
)
app.command(epilog=backtest.EXAMPLES)(backtest.backtest)

app.command(epilog=pushing.PUSH_EXAMPLES)(pushing.push)
app.command(epilog=pushing.ROLLBACK_EXAMPLES)(pushing.rollback)
app.command(epilog=history.HISTORY_EXAMPLES)(history.history)
app.command(epilog=history.DIFF_EXAMPLES)(history.diff)

DEFAULT = Path("rules")


@app.command("test", epilog="Examples: reeve rules test; reeve rules test rules --json")
def run_tests(folder: RulesFolder = RULES, as_json: AsJson = False) -> None:
    """Run the scenarios in tests/*.test.yaml under a virtual clock.

    Every expectation that nothing met is shown with the lines nearest to it.

    Exit codes: 0 all hold, 1 one does not or the rules have errors, 2 the folder can't be read.
    """
    from reeve.runtime.run_scenarios import run_scenarios

    result, _ = _load(folder)
    bundle = _bundle(result, as_json)
    passed = failed = 0
    for outcome in run_scenarios(bundle, result.scenarios):
        passed += outcome.passed
        failed += not outcome.passed
        _show_outcome(outcome, as_json)
    if not as_json:
        print_line((f"{passed} passed", "green"), ", ", (f"{failed} failed", "bold red" if failed else ""), ".")
    if failed:
        raise typer.Exit(BAD)


@app.command(
    epilog="Examples: reeve rules simulate rules morning.ndjson --until 2026-02-14; "
    "reeve rules simulate rules - --json < events.json; "
    "reeve rules simulate rules events.ndjson --recipients people.csv"
)
def simulate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Rules folder.")],
    events: EventsFile,
    until: Annotated[
        str | None,
        typer.Option(
            help="Stop at this moment: 2026-02-14, or 2026-02-14 18:10 at the site.",
            show_default="until nothing is due any more, at most a year after the last event",
        ),
    ] = None,
    recipients: Annotated[
        Path | None,
        typer.Option(
            help="CSV, XLSX or JSON of people, as for `reeve recipients import`.", show_default="all are reachable"
        ),
    ] = None,
    duties: Annotated[
        bool, typer.Option("--duties/--no-duties", help="Recurring duties of the events' sites as well.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Show the whole timeline that these events would cause, without any server.

    Events are taken in the order of the file. A bad one is told about on stderr with its line; the others run.

    Exit codes: 0 done, 1 an event or recipient was bad or the rules have errors, 2 wrong usage.
    """
    from reeve.cli.rules.simulating import simulate_file

    result, _ = _load(folder)
    bundle = _bundle(result, as_json)
    end = _moment(until, bundle) if until is not None else None
    people, faults = _people(recipients) if recipients is not None else (None, 0)
    tally = simulate_file(bundle, events, end, people, as_json=as_json, duties=duties)
    if not as_json:
        refused = f", {tally.refused:,} refused" if tally.refused else ""
        errors().print(f"{tally.events:,} events{refused}: {tally.lines:,} lines.")
    if tally.refused or faults:
        raise typer.Exit(BAD)


def _people(file: Path) -> tuple[list[Recipient], int]:
    """The recipients of a file, and how many of its rows are wrong: those are told about and left out."""
    from reeve.cli.recipients.files import BadRecipientFile, read_recipients

    try:
        rows = read_recipients(file)
    except BadRecipientFile as bad:
        _fail(str(bad), USAGE)
    for fault in rows.faults:
        errors().print(f"{file}, {fault}")
    return list(rows.recipients), len(rows.faults)


def _load(folder: Path, today: date | None = None) -> tuple[LoadResult, int]:
    """What came of a folder, and how many files it has. Ends the command if it is no folder.

    With `today`, calendars that end soon are warned about.
    """
    from reeve.rulelang.load import load_bundle, read_folder

    if not folder.is_dir():
        _fail(f"{folder}: there is no such folder. Name the folder with the rule files.", USAGE)
    files = read_folder(folder)
    return load_bundle(files, today=today), len(files)


def _bundle(result: LoadResult, as_json: bool) -> Bundle:
    """The bundle; where it has errors they are shown and the command ends."""
    if result.bundle is not None:
        return result.bundle
    if as_json:
        for problem in result.errors:
            print_json(problem.as_json(spoken_language(None)))
    else:
        for problem in result.errors:
            errors().print(problem.render(spoken_language(None)))
        errors().print("The rules have errors; mend them first (`reeve rules check`).")
    raise typer.Exit(BAD)


def _show_outcome(outcome: Outcome, as_json: bool) -> None:
    pos = outcome.scenario.pos
    if as_json:
        row = {"file": outcome.file, "line": pos.line, "test": outcome.scenario.test, "passed": outcome.passed}
        print_json({**row, "failures": [failure.as_json() for failure in outcome.failures]})
        return
    if outcome.passed:
        print_line(("ok      ", "green"), f"{pos}: {outcome.scenario.test}")
        return
    print_line(("FAILED  ", "bold red"), f"{pos}: {outcome.scenario.test}")
    for failure in outcome.failures:
        for line in failure.render().splitlines():
            print_line(f"        {line}")


def _moment(text: str, bundle: Bundle) -> datetime:
    from reeve.rulelang.scenarios import read_moment

    moment = read_moment(text)
    if moment is None:
        _fail(f"--until {text}: write a moment like 2026-02-14, 2026-02-14 18:10 or 2026-02-14T18:10+08:00.", USAGE)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(bundle.defaults.zone))


def _fail(sentence: str, code: int) -> NoReturn:
    errors().print(sentence)
    raise typer.Exit(code)
