"""People of a file into the record: what is new, changed, missing or wrong, and whether some are removed."""

from __future__ import annotations

import typer

from reeve.cli.output import errors, print_json, print_line
from reeve.cli.recipients.changes import Changes, changes_between, lines_of, rows_of
from reeve.cli.recipients.notes import needs_rules, notes_about, notes_about_places, tell_notes
from reeve.cli.recipients.rows import Fault, Rows
from reeve.cli.recipients.texts import counts_text, fault_text, removed_text, say, staying_text
from reeve.cli.rules.versions import rules_if_any
from reeve.cli.targets import find_targets, open_record
from reeve.domain.recipients import Recipient
from reeve.runtime.store import recipients as collection
from reeve.runtime.store.mongo import ensure_indexes
from reeve.runtime.store.recipients import RecipientStore

_MOST_NAMED = 10


async def import_people(rows: Rows, dry_run: bool, replace: bool, yes: bool, as_json: bool, language: str) -> bool:
    """Whether a row is bad or the removal was declined; the others are in the record."""
    bad = len({fault.row for fault in rows.faults if fault.row})
    async with open_record(find_targets(), "recipients") as database:
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
        rules = await rules_if_any(database) if needs_rules(rows.recipients) else None
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
