"""`reeve recipients`: who can be told, brought in from a file, written to one, listed, and checked."""

from __future__ import annotations

import asyncio
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rapidfuzz import process

from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import AsJson, DryRun, Lang, OnlyPlace
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.recipients.cells import write_away, write_quiet, write_roles
from reeve.cli.recipients.changes import Changes, changes_between, lines_of, masked, rows_of
from reeve.cli.recipients.checks import check_recipients
from reeve.cli.recipients.export import exported, object_of
from reeve.cli.recipients.files import read_recipients
from reeve.cli.recipients.notes import needs_rules, notes_about, notes_about_places, tell_notes
from reeve.cli.recipients.rows import Fault, Rows
from reeve.cli.recipients.texts import counts_text, fault_text, removed_text, say, staying_text
from reeve.cli.speaking import spoken_language
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.domain.bundle import Bundle
from reeve.domain.recipients import ROLES, Recipient
from reeve.runtime.store import recipients as collection
from reeve.runtime.store.mongo import Database, ensure_indexes
from reeve.runtime.store.recipients import RecipientStore

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Import, export, list and check the people who are told."
)
app.command("check")(check_recipients)


_MOST_NAMED = 10


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
    language = spoken_language(lang)
    rows = read_recipients(file)
    if replace and not (yes or dry_run or sys.stdin.isatty()):
        errors().print(say("nobody_to_ask", language))
        raise typer.Exit(USAGE)
    if asyncio.run(_import(find_targets(), rows, dry_run, replace, yes, as_json, language)):
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
) -> None:
    """Writes all recipients to a file that imports to the same. It holds names and addresses: keep it safe.

    Examples:

    reeve recipients export people.xlsx

    reeve recipients export --place sunshine-garden --format json > garden.json
    """
    ending = file.suffix.lower().lstrip(".") if file is not None else ""
    if kind is None:
        if file is not None and ending not in tuple(FileKind):
            errors().print(f"{file}: name it .csv, .xlsx or .json, or say --format.")
            raise typer.Exit(USAGE)
        kind = FileKind(ending or "csv")
    if encoding.lower() not in ("utf-8", "utf-8-sig", "gb18030"):
        errors().print("--encoding is utf-8, utf-8-sig or gb18030.")
        raise typer.Exit(USAGE)
    if file is not None and file.exists() and not force:
        errors().print(f"{file}: is there already; add --force to overwrite it.")
        raise typer.Exit(USAGE)
    people = asyncio.run(_all(find_targets(), place))
    content = exported(people, kind.value, encoding.lower())
    if file is None:
        sys.stdout.buffer.write(content)
        return
    _write_privately(file, content)
    errors().print(f"{len(people)} recipients written to {file}, with names and addresses.")


@app.command("list")
def list_recipients(
    place: OnlyPlace = None,
    role: Annotated[str | None, typer.Option(help="Only holders of this role, at any time.")] = None,
    show_addresses: Annotated[
        bool, typer.Option("--show-addresses", help="Names and whole addresses; this is personal data.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Lists recipients by place and id; addresses are shortened unless you ask for them.

    Examples:

    reeve recipients list --place sunshine-garden

    reeve recipients list --role technician --json
    """
    if role is not None and role not in ROLES:
        close = process.extractOne(role, ROLES, score_cutoff=60)
        errors().print(f"--role {role}: no such role" + (f"; did you mean {close[0]}?" if close else ""))
        raise typer.Exit(USAGE)
    people = asyncio.run(_all(find_targets(), place))
    shown = [person for person in people if role is None or role in person.all_roles]
    for person in shown:
        _show(person, show_addresses, as_json)
    if not shown and not as_json:
        whose = " ".join([*([f"as {role}"] if role else []), *([f"at {place}"] if place else [])])
        errors().print(f"There are no recipients{' ' + whose if whose else ''}.")


async def _all(targets: Targets, place: str | None) -> list[Recipient]:
    async with open_record(targets, "recipients") as database:
        return await RecipientStore(database).all(place)


async def _import(
    targets: Targets, rows: Rows, dry_run: bool, replace: bool, yes: bool, as_json: bool, language: str
) -> bool:
    """Whether something was wrong."""
    bad = len({fault.row for fault in rows.faults if fault.row})
    async with open_record(targets, "recipients") as database:
        store = RecipientStore(database)
        known = await store.all()
        changes = changes_between(known, rows.recipients)
        for fault in rows.faults:
            _tell_fault(fault, as_json, language)
        tell_notes(notes_about_places(known, rows.recipients), language, as_json=as_json)
        removing = replace and not bad and bool(changes.missing)
        if replace and bad and changes.missing:
            errors().print(say("none_removed", language), style="yellow")
        if dry_run:
            _show_changes(changes, removing, as_json)
        declined = removing and not dry_run and not _agreed(changes.missing, yes, language)
        removing = removing and not declined
        if not dry_run:
            await ensure_indexes(database, collection.INDEXES)
            await store.save(changes.saved)
            if removing:
                await store.remove((one.place, one.id) for one in changes.missing)
        rules = await _active_rules(database) if needs_rules(rows.recipients) else None
        gone = {(one.place, one.id) for one in changes.missing} if removing else set()
        there = [one for one in known if (one.place, one.id) not in gone]
        notes = notes_about(rows.recipients, [*there, *rows.recipients], rules)
        tell_notes(notes, language, as_json=as_json)
    counts = {
        "new": len(changes.new),
        "changed": len(changes.changed),
        "unchanged": changes.unchanged,
        "removed": len(changes.missing) if removing else 0,
        "bad": bad,
    }
    if as_json:
        print_json(counts | {"dry_run": dry_run})
        return bool(rows.faults) or declined
    print_line(counts_text(counts, language, dry_run=dry_run, removing=removing))
    if changes.missing and not replace:
        print_line(staying_text(len(changes.missing), language))
    return bool(rows.faults) or declined


async def _active_rules(database: Database) -> Bundle | None:
    from reeve.cli.rules.versions import active_rules
    from reeve.runtime.bundles import NoBundle

    try:
        return await active_rules(database)
    except NoBundle:
        return None


def _agreed(missing: tuple[Recipient, ...], yes: bool, language: str) -> bool:
    """Whether these people may be removed; who they are is said first."""
    named = [f"{one.place}/{one.id}" for one in missing[:_MOST_NAMED]]
    errors().print(removed_text(named, len(missing), language))
    return yes or typer.confirm(say("remove", language), err=True)


def _tell_fault(fault: Fault, as_json: bool, language: str) -> None:
    if as_json:
        print_json({"row": fault.row, "column": fault.column, "fault": fault.says})
    else:
        errors().print(fault_text(fault, language), style="yellow")


def _show_changes(changes: Changes, removing: bool, as_json: bool) -> None:
    if as_json:
        for row in rows_of(changes, removing=removing):
            print_json(row)
        return
    for line in lines_of(changes, removing=removing):
        print_line(line)


def _show(person: Recipient, show_addresses: bool, as_json: bool) -> None:
    addresses = {
        channel: address if show_addresses else masked(address)
        for channel, address in sorted(person.addresses.items())
    }
    if as_json:
        print_json(object_of(person, addresses, name=show_addresses))
        return
    name = f" {person.name}" if show_addresses and person.name else ""
    held = write_roles(person.roles, person.terms) or "-"
    spoken = f" [{person.language}]" if person.language else ""
    reached = ", ".join(
        f"{channel} {address}" + (" (unverified)" if channel in person.unverified else "")
        for channel, address in addresses.items()
    )
    more = [f"quiet {write_quiet(person.quiet)}"] if person.quiet else []
    more += [f"away {write_away(person.away)}"] if person.away else []
    print_line((f"{person.place}/{person.id}", "bold"), "  ".join([f"{name}{spoken}", held, reached, *more]))


def _write_privately(file: Path, content: bytes) -> None:
    """A new file is for its owner alone; nothing is left of an old one."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:  # noqa: PTH123
        opened.write(content)
