"""`reeve recipients`: who can be told, brought in from a file, listed, and checked against the rules."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from reeve.cli.exit_codes import BAD
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.recipient_files import read_recipients
from reeve.cli.recipient_rows import Rows
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.domain.bundle import Bundle
from reeve.domain.recipients import ASSIGNEE, CHANNELS, OWNER, UNREACHABLE, Recipient, resolve
from reeve.runtime.bundles import Bundles
from reeve.runtime.store import recipients as collection
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.mongo import ensure_indexes
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.time_source import SystemTime

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Import, list and check the people who are told."
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command("import")
def import_recipients(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8 or GB18030), XLSX or JSON.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Brings recipients in; each replaces the one with its place and id. Bad rows are listed, good rows kept.

    Columns: id, place (site or organisation), roles, language, sms, email, customers, name; also in Chinese.
    Several roles or customers in one cell are separated by blanks or semicolons. Exit code 1 if a row is bad.

    Examples:

    reeve recipients import examples/recipients.csv --dry-run

    reeve recipients import 人员.xlsx
    """
    rows = read_recipients(file)
    bad = asyncio.run(_import(find_targets(), rows, dry_run, as_json))
    if bad:
        raise typer.Exit(BAD)


@app.command("list")
def list_recipients(
    place: Annotated[str | None, typer.Option(help="Only this site or organisation.")] = None,
    role: Annotated[str | None, typer.Option(help="Only holders of this role.")] = None,
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
    asyncio.run(_list(find_targets(), place, role, show_addresses, as_json))


@app.command("check")
def check_recipients(as_json: AsJson = False) -> None:
    """For every site and every role the active rules tell: who is reached, or who up the ladder is told instead.

    Exit code 1 if somewhere nobody at all would be told.

    Example: reeve recipients check
    """
    if asyncio.run(_check(find_targets(), as_json)):
        raise typer.Exit(BAD)


async def _import(targets: Targets, rows: Rows, dry_run: bool, as_json: bool) -> bool:
    async with open_record(targets, "recipients") as database:
        store = RecipientStore(database)
        known = {(person.place, person.id): person for person in await store.all()}
        new = [person for person in rows.recipients if (person.place, person.id) not in known]
        changed = [
            person
            for person in rows.recipients
            if (was := known.get((person.place, person.id))) is not None and was != person
        ]
        if not dry_run:
            await ensure_indexes(database, collection.INDEXES)
            await store.save([*new, *changed])
    counts = {
        "new": len(new),
        "changed": len(changed),
        "unchanged": len(rows.recipients) - len(new) - len(changed),
        "bad": len({fault.row for fault in rows.faults}),
        "dry_run": dry_run,
    }
    if as_json:
        for fault in rows.faults:
            print_json({"row": fault.row, "column": fault.column, "fault": fault.says})
        print_json(counts)
        return bool(rows.faults)
    for fault in rows.faults:
        errors().print(str(fault), style="yellow")
    if dry_run:
        for sign, people in (("+", new), ("~", changed)):
            for person in people:
                print_line(f"{sign} {person.place}/{person.id} {' '.join(sorted(person.roles))}")
    would = "would be " if dry_run else ""
    print_line(
        f"{counts['new']} {would}new, {counts['changed']} {would}changed, {counts['unchanged']} as before, "
        f"{counts['bad']} bad rows left out"
    )
    return bool(rows.faults)


async def _list(targets: Targets, place: str | None, role: str | None, show_addresses: bool, as_json: bool) -> None:
    async with open_record(targets, "recipients") as database:
        people = await RecipientStore(database).all(place)
    for person in people:
        if role is not None and role not in person.all_roles:
            continue
        addresses = {
            channel: address if show_addresses else masked(address)
            for channel, address in sorted(person.addresses.items())
        }
        if as_json:
            print_json(_as_json(person, addresses, show_addresses))
        else:
            name = f" {person.name}" if show_addresses and person.name else ""
            held = " ".join(sorted(person.roles)) or "-"
            spoken = f" [{person.language}]" if person.language else ""
            reached = ", ".join(f"{channel} {address}" for channel, address in addresses.items())
            print_line((f"{person.place}/{person.id}", "bold"), f"{name}{spoken}  {held}  {reached}")


async def _check(targets: Targets, as_json: bool) -> bool:
    async with open_record(targets, "recipients") as database:
        bundle = await Bundles(BundleStore(database), SystemTime()).load_active()
        people = await RecipientStore(database).all()
    nobody = False
    parents = {site.parent for site in (bundle.defaults, *bundle.sites.values()) if site.parent}
    places = sorted(({person.place for person in people} | set(bundle.sites)) - parents)
    for place in places:
        for role in sorted(_roles_told(bundle)):
            row = _reach(bundle, people, place, role)
            nobody = nobody or row["told"] is None
            if as_json:
                print_json(row)
            elif row["told"] is None:
                print_line((f"{place}: nobody at all would be told for {role}", "bold red"))
            elif row["told"] != role:
                print_line((f"{place}: nobody is {role}; {row['told']} is told instead", "yellow"))
    if not as_json and not places:
        print_line(("There are no recipients yet; start with: reeve recipients import FILE", "yellow"))
    elif not as_json and not nobody:
        print_line(("Every role the rules tell ends with somebody who can be reached.", "green"))
    return nobody or not places


def _roles_told(bundle: Bundle) -> set[str]:
    levels = [level for policy in bundle.policies.values() for step in policy.steps for level in step.levels]
    return {role for level in levels for role in level.notify}


def _reach(bundle: Bundle, people: list[Recipient], place: str, role: str) -> dict[str, Any]:
    """Who is told for a role at a site; owners and assignees differ by case, so their ladder is checked."""
    site = bundle.site(place)
    resolution = resolve([role], {}, people, site, place, "", CHANNELS, at=SystemTime().now())
    told: str | None = role
    if resolution.climbs:
        last = resolution.climbs[-1]
        told = last.next
    by_case = role in (OWNER, ASSIGNEE)
    return {
        "place": place,
        "role": role,
        "told": told,
        "instead": [climb.unreached for climb in resolution.climbs],
        "recipients": [target.recipient.id for target in resolution.targets],
        "depends_on_case": by_case,
        "message": UNREACHABLE if resolution.climbs and not by_case else None,
    }


def _as_json(person: Recipient, addresses: dict[str, str], whole: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": person.id,
        "place": person.place,
        "roles": sorted(person.roles),
        "language": person.language or None,
        "addresses": addresses,
        "customers": sorted(person.customers),
    }
    return row | {"name": person.name} if whole else row


def masked(address: str) -> str:
    """Enough to recognise an address one knows, too little to use one: `+44…01`, `m…@example.org`."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}…{at}{domain}" if at else f"{address[:3]}…{address[-2:]}"
