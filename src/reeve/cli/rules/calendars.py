"""`reeve rules calendar update`: working days as published, written into the rules folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.output import errors, print_line

app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, help="Working days of the sites' countries."
)


@app.callback()
def calendars() -> None:
    """Working days of the sites' countries."""


@app.command(epilog="Examples: reeve rules calendar update; reeve rules calendar update rules --name de --name cn")
def update(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Rules folder.")] = Path("rules"),
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="cn, or a country's ISO code like de; may be given again.", show_default="those sites name"
        ),
    ] = None,
) -> None:
    """Write calendars/<name>.yaml with the working days published for last year, this year and the next.

    Mainland China's come from chinesecalendar and end where the State Council's announcements end; other
    countries' public holidays come from holidays.

    Exit codes: 0 done, 1 nobody publishes such a calendar, 2 the folder can't be read.
    """
    from reeve.rulelang.load import load_bundle, read_folder
    from reeve.rulelang.published_calendars import calendar_for, calendar_yaml
    from reeve.runtime.time_source import SystemTime

    if not folder.is_dir():
        errors().print(f"{folder}: there is no such folder. Name the folder with the rule files.")
        raise typer.Exit(USAGE)
    lacking = {
        str(problem.particulars["name"])
        for problem in load_bundle(read_folder(folder)).problems
        if problem.code in ("no_calendar_file", "calendar_stands_in")
    }
    present = {file.stem for file in (folder / "calendars").glob("*.yaml")}
    wanted = sorted(set(name) if name else lacking | present)
    if not wanted:
        print_line("No site names a calendar: Monday to Friday are worked. Name one in site.yaml: calendar: cn")
    year = SystemTime().now().year
    failed = False
    for each in wanted:
        calendar = calendar_for(each, range(year - 1, year + 2))
        if calendar is None:
            errors().print(f"{each}: nobody publishes such a calendar; write calendars/{each}.yaml yourself.")
            failed = True
            continue
        file = folder / "calendars" / f"{each}.yaml"
        file.parent.mkdir(exist_ok=True)
        text = calendar_yaml(calendar)
        same = file.exists() and file.read_text(encoding="utf-8") == text
        if not same:
            file.write_text(text, encoding="utf-8")
        print_line(f"{file}: {'as it was' if same else 'written'}, known until {calendar.known_until}.")
    if failed:
        raise typer.Exit(BAD)
