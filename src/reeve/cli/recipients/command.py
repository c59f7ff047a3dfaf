"""`reeve recipients`: who can be told, brought in from a file, written to one, listed, and checked."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import AsJson, DryRun, Lang, OnlyPlace, OnlySite
from reeve.cli.running import run
from reeve.cli.speaking import spoken_language

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Import, export, list and check the people who are told."
)


class FileKind(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


@app.command("import")
def import_recipients(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8 or GB18030), XLSX or JSON.", show_default=False)],
    dry_run: DryRun = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also remove people of the file's places that the file lacks.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove them without asking.")] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """Brings recipients in; each replaces the one with its place and id. Bad rows are listed, good rows kept.

    Columns: id, place (site or organisation), roles, areas, since, until, language, sms, email, chat, webhook,
    unverified, channel_order, quiet, away, customers, name; also in Chinese. Areas and dates of a role stand
    behind it: `front_desk; steward @3 @5/2 2026-01-01..2026-06-30`. docs/recipients.md has all of it.

    What is hardly meant is noted and imported all the same: a stand-in nobody knows, a grade of channel_order that
    the active rules do not have, a new place that looks like another; --json has a line with `note` each.

    Nobody is removed without --replace, and none if a row of the file is bad.

    Exit codes: 0 done, 1 a row is bad, or the removal was declined, 2 wrong usage, 3 MongoDB is away.

    Examples:

    reeve recipients import examples/recipients.csv --dry-run

    reeve recipients import 人员.xlsx --lang zh

    reeve recipients import everybody.csv --replace
    """
    from reeve.cli.recipients.files import read_recipients
    from reeve.cli.recipients.importing import import_people

    language = spoken_language(lang)
    rows = read_recipients(file)
    if replace and not (yes or dry_run or sys.stdin.isatty()):
        from reeve.cli.recipients.texts import say

        fail(say("nobody_to_ask", language), USAGE)
    if run(import_people(rows, dry_run, replace, yes, as_json, language)):
        raise typer.Exit(BAD)


@app.command("export")
def export_recipients(
    file: Annotated[
        Path | None, typer.Argument(help="Where to; its ending says the format. None: standard output, as CSV.")
    ] = None,
    place: OnlyPlace = None,
    kind: Annotated[FileKind | None, typer.Option("--format", help="The format, whatever the ending.")] = None,
    encoding: Annotated[
        str, typer.Option(help="Of CSV: utf-8, utf-8-sig (Excel takes it for UTF-8) or gb18030.")
    ] = "utf-8-sig",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    lang: Lang = None,
) -> None:
    """Writes all recipients to a file that imports to the same. It holds names and addresses: keep it safe.

    Examples:

    reeve recipients export people.xlsx

    reeve recipients export --place sunshine-garden --format json > garden.json
    """
    from reeve.cli.recipients.texts import say

    language = spoken_language(lang)
    ending = file.suffix.lower().lstrip(".") if file is not None else ""
    if kind is None:
        if file is not None and ending not in tuple(FileKind):
            fail(say("no_ending", language, file=file), USAGE)
        kind = FileKind(ending or "csv")
    if encoding.lower() not in ("utf-8", "utf-8-sig", "gb18030"):
        fail(say("no_encoding", language), USAGE)
    if file is not None and file.exists() and not force:
        fail(say("exists", language, file=file), USAGE)
    from reeve.cli.recipients.listing import export_people

    export_people(file, place, kind.value, encoding.lower(), language)


@app.command("list")
def list_recipients(
    place: OnlyPlace = None,
    role: Annotated[str | None, typer.Option(help="Only holders of this role, at any time.")] = None,
    show_addresses: Annotated[
        bool, typer.Option("--show-addresses", help="Names and whole addresses; this is personal data.")
    ] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Lists recipients by place and id; addresses are shortened unless you ask for them.

    Examples:

    reeve recipients list --place sunshine-garden

    reeve recipients list --role technician --json
    """
    from reeve.cli.recipients.listing import list_people

    list_people(place, role, show_addresses, as_json, spoken_language(lang))


@app.command("check")
def check_recipients(
    coverage: Annotated[
        str | None,
        typer.Option(help="Look so far ahead for hours in which a role has nobody: 14d.", show_default=False),
    ] = None,
    site: OnlySite = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """For every site and every role the active rules tell: who is reached, or who up the ladder is told instead.

    What is hardly meant is noted: a stand-in nobody knows, a grade there is not (`note` in --json).

    With --coverage: the hours ahead in which nobody of a role can be reached at once, because a term ends, people
    are away and nobody stands in, nobody is on shift, or everybody has quiet hours. Times are the site's.

    Exit codes: 0 good, 1 somewhere nobody at all would be told, or there are such hours, 2 wrong usage, 3 MongoDB
    is away.

    Examples:

    reeve recipients check

    reeve recipients check --coverage 14d --site sunshine-garden
    """
    from reeve.cli.recipients.checks import check_people

    if run(check_people(coverage, site, as_json, spoken_language(lang))):
        raise typer.Exit(BAD)
