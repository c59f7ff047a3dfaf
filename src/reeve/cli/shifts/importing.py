"""`reeve shifts import`: rotas from a file into the record, or every mistake in the file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from reeve.cli.exit_codes import BAD
from reeve.cli.options import AsJson, DryRun, Lang
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.shifts.checks import check_rota, known_people, load_rules, tell
from reeve.cli.shifts.texts import say
from reeve.cli.speaking import spoken_language
from reeve.cli.targets import Targets, find_targets, open_record
from reeve.domain.rotas import Rota
from reeve.runtime.store import shifts as collection
from reeve.runtime.store.mongo import ensure_indexes
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.store.shifts import ShiftStore
from reeve.runtime.time_source import SystemTime


def import_shifts(
    file: Annotated[Path, typer.Argument(help="A YAML file with rotas; see docs/shifts.md.", show_default=False)],
    dry_run: DryRun = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """Brings rotas in; each replaces the one of its place and role. Overrides and swaps stay.

    A file with a mistake changes nothing: each is told with its line and what to write instead; exit code 1.

    Examples:

    reeve shifts import examples/shifts.yaml --dry-run

    reeve shifts import 排班.yaml --lang zh
    """
    if asyncio.run(_import(find_targets(), file.name, file.read_bytes(), dry_run, spoken_language(lang), as_json)):
        raise typer.Exit(BAD)


async def _import(targets: Targets, name: str, content: bytes, dry_run: bool, lang: str, as_json: bool) -> bool:
    from reeve.cli.excerpts import excerpt
    from reeve.rulelang.shift_files import read_shifts

    async with open_record(targets, "shifts") as database:
        rules = await load_rules(database)
        zones = (lambda place: rules.site(place).zone) if rules is not None else (lambda place: None)
        rotas, problems = read_shifts(name, content, zones)
        for problem in problems:
            if as_json:
                print_json(problem.as_json(lang))
                continue
            errors().print(problem.render(lang), style="red" if problem.is_error else "yellow")
            for line in excerpt(content, problem.line, problem.column) or ():
                errors().print(line)
        if any(problem.is_error for problem in problems):
            return True
        store, time = ShiftStore(database), SystemTime().now()
        known = (await store.load()).rotas
        new = [rota for rota in rotas if (rota.place, rota.role) not in known]
        changed = [
            rota
            for rota in rotas
            if (was := known.get((rota.place, rota.role))) is not None and _differs(rota, was)
        ]
        people = await known_people(RecipientStore(database), rotas)
        if not dry_run:
            await ensure_indexes(database, collection.INDEXES)
            await store.save([*new, *changed], time)
    counts = {"new": len(new), "changed": len(changed), "unchanged": len(rotas) - len(new) - len(changed)}
    tell([each for rota in rotas for each in check_rota(rota, people, rules, lang=lang)], as_json, lang)
    if as_json:
        print_json(counts | {"dry_run": dry_run})
        return False
    for sign, those in (("+", new), ("~", changed)):
        for rota in those:
            print_line(f"{sign} {rota.place}/{rota.role}  {' '.join(sorted(rota.people))}")
    said = say(
        "would_counts" if dry_run else "counts", lang, new=len(new), changed=len(changed), same=counts["unchanged"]
    )
    print_line(said)
    return False


def _differs(rota: Rota, was: Rota) -> bool:
    """Whether it says something else; when it came in does not count."""
    fields = ("zone", "layers", "title", "hands_over")
    return any(getattr(rota, field) != getattr(was, field) for field in fields)
