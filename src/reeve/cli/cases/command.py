"""`reeve cases`: which cases there are, and what became of one and why."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from reeve.cli.exit_codes import USAGE
from reeve.cli.options import AsJson, Lang, Limit, OnlySite, TheCase
from reeve.cli.output import errors
from reeve.cli.running import run
from reeve.cli.speaking import spoken_language

if TYPE_CHECKING:
    from reeve.cli.cases.page import Page

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="List cases, and show what became of one and why."
)


class State(StrEnum):
    """Which cases to list."""

    open = "open"
    closed = "closed"
    scheduled = "scheduled"
    """Duties to come."""
    all = "all"


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
    from reeve.cli.cases import reading

    page = _page(lang, as_json)
    run(reading.list_cases(site, policy, state.value, grade, overdue or None, limit, page))


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
    from reeve.cli.cases import reading

    run(reading.show_case(case, facts, _page(lang, as_json), spoken_language(lang)))


@app.command(
    epilog="Examples: reeve cases explain T-1001; "
    "reeve cases explain sunshine-garden/complaint/T-1001 --at '2026-02-13 17:55'; "
    "reeve cases explain T-1001 --who property_manager --lang zh; "
    "reeve cases explain --event c0ffee-1 --json | jq ."
)
def explain(
    case: Annotated[
        str | None, typer.Argument(help="site/policy/subject, or a subject, also one that no case took.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="As things stood then: '2026-02-13 17:55' at the site, or RFC 3339.")
    ] = None,
    who: Annotated[str | None, typer.Option(help="Only what concerns this recipient (an id) or this role.")] = None,
    event: Annotated[
        str | None, typer.Option(help="What became of this event: its id as posted, or its key.")
    ] = None,
    facts: Annotated[bool, typer.Option("--facts", help="Also facts that may be personal data.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Explains a case from its stored decisions: why this grade, what happened last and why, who was told and why,
    and for every other step why it told nobody, with the condition that did not hold and the facts as they were."""
    from reeve.cli.cases.explain import Speaker, explain_named, explain_posted
    from reeve.cli.cases.explain_texts import ONE_OF_THEM

    spoken = spoken_language(lang)
    if (case is None) == (event is None):
        errors().print(ONE_OF_THEM[spoken == "zh"])
        raise typer.Exit(USAGE)
    moment = None if at is None else _read_moment(at, spoken)
    speaker = Speaker.of(spoken, facts, as_json)
    if event is not None:
        run(explain_posted(event, speaker))
    elif case is not None:
        run(explain_named(case, moment, who, speaker))


@app.command(
    epilog="Examples: reeve cases repin T-1001 --reason 'agreed with the customer'; "
    "reeve cases repin sunshine-garden/complaint/T-1001 --to 3fa9 --by u-7; "
    "reeve cases repin T-1001 --recompute --json"
)
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
    lang: Lang = None,
) -> None:
    """Put one open case on the policy file of another version; the timeline says who chose it, and why.

    On the current file it goes on like any new case. On an earlier one it stays, whatever on_change says, until
    somebody repins it.

    Exit codes: 0 done (or on that file already), 1 no such case or version, 2 wrong usage, 3 MongoDB is away.
    """
    from reeve.cli.cases.repinning import Asked, repin_case

    run(repin_case(Asked(case, to, by, reason, recompute), as_json, spoken_language(lang)))


def _page(lang: str | None, as_json: bool) -> Page | None:
    """What prints for people; None: as JSON. A language that nobody speaks ends the command either way."""
    from reeve.cli.cases.page import Page
    from reeve.runtime.time_source import SystemTime

    spoken = spoken_language(lang)
    return None if as_json else Page(spoken, SystemTime().now())


def _read_moment(text: str, lang: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        from reeve.cli.cases.explain_texts import MOMENT

        errors().print(f"--at {text}: {MOMENT[lang == 'zh']}")
        raise typer.Exit(USAGE) from None
