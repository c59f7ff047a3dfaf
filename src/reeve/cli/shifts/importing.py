"""`reeve shifts import`: rotas from a file into the record, or every mistake in the file."""

from __future__ import annotations

from reeve.cli.excerpts import excerpt
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.rules.versions import rules_if_any
from reeve.cli.shifts.checks import check_rota, known_people, tell
from reeve.cli.shifts.texts import say
from reeve.cli.targets import find_targets, open_record
from reeve.domain.rotas import Rota
from reeve.rulelang.shift_files import read_shifts
from reeve.runtime.store import shifts as collection
from reeve.runtime.store.mongo import ensure_indexes
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.store.shifts import ShiftStore
from reeve.runtime.time_source import SystemTime


async def import_rotas(name: str, content: bytes, dry_run: bool, lang: str, as_json: bool) -> bool:
    """Whether the file has a mistake, and so changed nothing; each is printed."""
    async with open_record(find_targets(), "shifts") as database:
        rules = await rules_if_any(database)
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
        people = await known_people(RecipientStore(database), rotas, rules)
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
