"""What the commands of `reeve rules` read: a folder, a file of people, a moment. What is wrong there ends them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.output import errors, print_json

if TYPE_CHECKING:
    from reeve.domain.bundle import Bundle
    from reeve.domain.recipients import Recipient
    from reeve.rulelang.load import LoadResult
    from reeve.runtime.store.shifts import Rotas


def files_in(folder: Path) -> dict[str, bytes]:
    """The rule files of a folder, by their paths in it; ends the command where there is no such folder."""
    from reeve.rulelang.load import read_folder

    if not folder.is_dir():
        fail(f"{folder}: there is no such folder. Name the folder with the rule files.", USAGE)
    return dict(read_folder(folder))


def loaded(folder: Path) -> LoadResult:
    """What came of a folder, its scenarios too; ends the command where there is no such folder."""
    from reeve.rulelang.load import load_bundle

    return load_bundle(files_in(folder))


def bundle_of(result: LoadResult, folder: Path, language: str, as_json: bool) -> Bundle:
    """The bundle of that folder; where it has errors they are shown and the command ends."""
    if result.bundle is None:
        for problem in result.errors:
            if as_json:
                print_json(problem.as_json(language))
            else:
                errors().print(problem.render(language))
        fail(f"{folder}: the rules have errors; mend them first (`reeve rules check {folder}`).", BAD)
    return result.bundle


def rules_in(folder: Path, language: str, as_json: bool) -> Bundle:
    """The bundle of a folder; ends the command where there is none, after showing what is wrong."""
    return bundle_of(loaded(folder), folder, language, as_json)


def people_in(file: Path, language: str = "en") -> tuple[list[Recipient], int]:
    """The recipients of a file, and how many of its rows are wrong: those are told about and left out.

    Ends the command where the file can't be read.
    """
    from reeve.cli.recipients.files import BadRecipientFile, read_recipients
    from reeve.cli.recipients.texts import fault_text

    try:
        rows = read_recipients(file)
    except BadRecipientFile as bad:
        fail(str(bad), USAGE)
    except OSError:
        fail(f"{file}: can't be read.", USAGE)
    for fault in rows.faults:
        errors().print(f"{file}, {fault_text(fault, language)}")
    return list(rows.recipients), len(rows.faults)


def rotas_in(file: Path, bundle: Bundle, language: str, as_json: bool) -> Rotas:
    """The rotas of a file; where it has errors or can't be read, that is told and the command ends."""
    from reeve.cli.excerpts import excerpt
    from reeve.rulelang.shift_files import read_shifts
    from reeve.runtime.store.shifts import Rotas

    try:
        content = file.read_bytes()
    except OSError:
        fail(f"{file}: can't be read.", USAGE)
    rotas, problems = read_shifts(str(file), content, lambda place: bundle.site(place).zone)
    for problem in problems:
        if as_json:
            print_json(problem.as_json(language))
            continue
        errors().print(problem.render(language))
        for line in excerpt(content, problem.line, problem.column) or ():
            errors().print(line)
    if any(problem.is_error for problem in problems):
        fail(f"{file}: the rotas have errors; mend them first (`reeve shifts import --dry-run` finds them).", BAD)
    return Rotas({(rota.place, rota.role): rota for rota in rotas})


def moment_in(option: str, text: str, bundle: Bundle, like: str) -> datetime:
    """The moment, a wall time being that of the bundle's sites; ends the command where it is none.

    `like` is what the option wants, for the sentence: `a moment like 2026-02-14`.
    """
    from reeve.rulelang.scenarios import read_moment

    moment = read_moment(text)
    if moment is None:
        fail(f"{option} {text}: write {like}.", USAGE)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(bundle.defaults.zone))
