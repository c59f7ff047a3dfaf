"""`reeve rules`: check, test and simulate a folder of rules, without any server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reeve.cli.exit_codes import BAD
from reeve.cli.options import RULES, AsJson, EventsFile, Lang, RulesFolder
from reeve.cli.output import errors, padded, print_json, print_line
from reeve.cli.rules import calendars, checking, facts, history, pushing, shadow
from reeve.cli.rules.backtest import command as backtest
from reeve.cli.rules.reading import bundle_of, loaded, moment_in, people_in, rotas_in, rules_in
from reeve.cli.speaking import spoken_language

if TYPE_CHECKING:
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

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "holds": "ok", "fails": "FAILED", "passed": "{n} passed", "failed": "{n} failed",
        "comma": ", ", "stop": ".",
        "tally": "{events:,} events{refused}: {lines:,} lines.", "refused": ", {n:,} refused",
    },
    "zh": {
        "holds": "成立", "fails": "不成立", "passed": "{n} 个成立", "failed": "{n} 个不成立",
        "comma": "，", "stop": "。",
        "tally": "{events:,} 个事件{refused}，时间线 {lines:,} 行。", "refused": "（拒绝 {n:,} 个）",
    },
}  # fmt: skip


@app.command("test", epilog="Examples: reeve rules test; reeve rules test rules --lang zh; reeve rules test --json")
def run_tests(folder: RulesFolder = RULES, as_json: AsJson = False, lang: Lang = None) -> None:
    """Run the scenarios in tests/*.test.yaml under a virtual clock.

    Every expectation that nothing met is shown with the lines nearest to it.

    Exit codes: 0 all hold, 1 one does not or the rules have errors, 2 the folder can't be read.
    """
    from reeve.runtime.run_scenarios import run_scenarios

    result = loaded(folder)
    spoken = spoken_language(lang)
    bundle = bundle_of(result, folder, spoken, as_json)
    passed = failed = 0
    for outcome in run_scenarios(bundle, result.scenarios):
        passed += outcome.passed
        failed += not outcome.passed
        _show_outcome(outcome, as_json, _WORDS[spoken], spoken)
    if not as_json:
        words, style = _WORDS[spoken], "bold red" if failed else ""
        good, bad = words["passed"].format(n=passed), words["failed"].format(n=failed)
        print_line((good, "green"), words["comma"], (bad, style), words["stop"])
    if failed:
        raise typer.Exit(BAD)


@app.command(
    epilog="Examples: reeve rules simulate rules morning.ndjson --until 2026-02-14; "
    "reeve rules simulate rules - --json < events.json; "
    "reeve rules simulate rules events.ndjson --recipients people.csv --shifts shifts.yaml"
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
            help="CSV, XLSX or JSON of people, as for `reeve recipients import`.",
            show_default="all are reachable",
        ),
    ] = None,
    shifts: Annotated[
        Path | None,
        typer.Option(
            help="YAML of rotas, as for `reeve shifts import`: who is on is told, and duties that a rota tells "
            "don't come.",
            show_default="no rota plays a part",
        ),
    ] = None,
    duties: Annotated[
        bool, typer.Option("--duties/--no-duties", help="Recurring duties of the events' sites as well.")
    ] = True,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Show the whole timeline that these events would cause, without any server.

    Events are taken in the order of the file. A bad one is told about on stderr with its line; the others run.

    Exit codes: 0 done, 1 an event, recipient or rota was bad or the rules have errors, 2 wrong usage.
    """
    from reeve.cli.rules.simulating import simulate_file

    spoken = spoken_language(lang)
    bundle = rules_in(folder, spoken, as_json)
    like = "a moment like 2026-02-14, 2026-02-14 18:10 or 2026-02-14T18:10+08:00"
    end = moment_in("--until", until, bundle, like) if until is not None else None
    people, faults = people_in(recipients, spoken) if recipients is not None else (None, 0)
    rotas = rotas_in(shifts, bundle, spoken, as_json) if shifts is not None else None
    tally = simulate_file(bundle, events, end, people, rotas, as_json=as_json, duties=duties, lang=spoken)
    if not as_json:
        words = _WORDS[spoken]
        refused = words["refused"].format(n=tally.refused) if tally.refused else ""
        errors().print(words["tally"].format(events=tally.events, refused=refused, lines=tally.lines))
    if tally.refused or faults:
        raise typer.Exit(BAD)


def _show_outcome(outcome: Outcome, as_json: bool, words: Mapping[str, str], lang: str) -> None:
    pos = outcome.scenario.pos
    if as_json:
        row = {"file": outcome.file, "line": pos.line, "test": outcome.scenario.test, "passed": outcome.passed}
        print_json({**row, "failures": [failure.as_json() for failure in outcome.failures]})
        return
    holds, style = ("holds", "green") if outcome.passed else ("fails", "bold red")
    print_line((padded(words[holds], 8), style), f"{pos}: {outcome.scenario.test}")
    for failure in outcome.failures:
        for line in failure.render(lang).splitlines():
            print_line(f"        {line}")
