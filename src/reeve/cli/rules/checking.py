"""`reeve rules check`: every problem of a folder, for people, for programs, and for GitHub's pages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import RULES, AsJson, Lang, RulesFolder
from reeve.cli.output import errors, on_terminal, print_json, print_line
from reeve.cli.rules.reading import files_in, people_in
from reeve.cli.speaking import spoken_language

if TYPE_CHECKING:
    from reeve.domain.expressions import Position
    from reeve.domain.recipients import Recipient
    from reeve.rulelang.load import LoadResult
    from reeve.rulelang.problems import Problem

EXAMPLES = (
    "Examples: reeve rules check; reeve rules check rules --lang zh; reeve rules check --json | jq .; "
    "reeve rules check --recipients people.csv; reeve rules check --format github"
)


class Format(StrEnum):
    """How problems are printed."""

    text = "text"
    json = "json"
    github = "github"


_SUMMARY = {
    "en": (
        "{files} files: {errors} error{errors_s}, {warnings} warning{warnings_s}.{version}",
        "{files} files, no problems.{version}",
        " Version {}.",
    ),
    "zh": (
        "{files} 个文件：{errors} 个错误，{warnings} 个警告。{version}",
        "{files} 个文件，没有问题。{version}",
        "版本 {}。",
    ),
}


def check(
    folder: RulesFolder = RULES,
    recipients: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV, XLSX or JSON of people, as for `reeve recipients import`: says where a role has nobody.",
            show_default="roles are not held against people",
        ),
    ] = None,
    as_json: AsJson = False,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="`github` marks the lines of a pull request.",
            show_default="text; github where GITHUB_ACTIONS is true",
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Find every error in a rules folder: where it is, what is wrong, and what to write instead.

    On a terminal the line is shown, with a mark under the word.

    Exit codes: 0 no errors (there may be warnings), 1 errors, 2 a folder or file can't be read.
    """
    from reeve.rulelang.load import load_bundle
    from reeve.runtime.time_source import SystemTime

    form, lang = _format(form, as_json), spoken_language(lang)
    files = files_in(folder)
    people = people_in(recipients, lang)[0] if recipients is not None else None
    result = load_bundle(files, today=SystemTime().now().date())
    problems = [*result.problems, *_about_people(result, people)]
    unsuitable = list(_unsuitable(result))
    _show(problems, unsuitable, _Shower(folder, files, form, lang))
    wrong = sum(found.is_error for found in problems) + len(unsuitable)
    if form is not Format.json:
        some, none, version = _SUMMARY[lang]
        made = version.format(result.bundle.version) if result.bundle is not None else ""
        counts = {"errors": wrong, "warnings": len(problems) + len(unsuitable) - wrong}
        plural = {f"{name}_s": "" if count == 1 else "s" for name, count in counts.items()}
        summary = some if problems or unsuitable else none
        print_line(summary.format(files=len(files), version=made, **counts, **plural))
    if wrong:
        raise typer.Exit(BAD)


app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.command(epilog=EXAMPLES)(check)


def _format(asked: Format | None, as_json: bool) -> Format:
    if as_json:
        if asked not in (None, Format.json):
            errors().print(f"--json and --format {asked.value}: choose one.")
            raise typer.Exit(USAGE)
        return Format.json
    if asked is not None:
        return asked
    return Format.github if os.environ.get("GITHUB_ACTIONS") == "true" else Format.text


def _about_people(result: LoadResult, people: Sequence[Recipient] | None) -> tuple[Problem, ...]:
    if people is None or result.bundle is None:
        return ()
    from reeve.rulelang.check_recipients import check_recipients
    from reeve.runtime.time_source import SystemTime

    return check_recipients(result.bundle, people, SystemTime().now())


def _unsuitable(result: LoadResult) -> Iterable[tuple[Position, str]]:
    """Conditions that durable-rules must not be given, where REEVE_MATCHER chooses it."""
    if result.bundle is None or os.environ.get("REEVE_MATCHER") != "durable-rules":
        return ()
    from reeve.runtime.matchers import unsuitable

    return unsuitable(result.bundle, "durable-rules")


def _show(problems: list[Problem], unsuitable: list[tuple[Position, str]], shower: _Shower) -> None:
    for problem in problems:
        shower.show(problem.as_json(shower.lang))
    for pos, text in unsuitable:
        place: dict[str, str | int] = {"file": pos.file, "line": pos.line, "column": pos.column}
        shower.show({**place, "severity": "error", "code": "outside_fence", "message": text, "mend": ""})


class _Shower:
    """Prints one problem after the other in the format asked for."""

    def __init__(self, folder: Path, files: Mapping[str, bytes], form: Format, lang: str) -> None:
        self._folder = folder
        self._files = files
        self._form = form
        self.lang = lang
        self._excerpts = form is Format.text and on_terminal()

    def show(self, row: dict[str, str | int]) -> None:
        match self._form:
            case Format.json:
                print_json(row)
            case Format.github:
                print_line(github_line(row, self._folder))
            case Format.text:
                self._text(row)

    def _text(self, row: dict[str, str | int]) -> None:
        from reeve.rulelang.problem_texts import WORDS

        severity = str(row["severity"])
        style = "bold red" if severity == "error" else "yellow"
        where = f"{row['file']}:{row['line']}:{row['column']}: "
        mend = (f" → {row['mend']}", "green") if row["mend"] else ""
        print_line((where, "bold"), (f"{WORDS[self.lang][severity]}: ", style), str(row["message"]), mend)
        if self._excerpts:
            for line, line_style in self._excerpt(str(row["file"]), int(row["line"]), int(row["column"])):
                print_line((line, line_style or style))

    def _excerpt(self, file: str, line: int, column: int) -> Iterator[tuple[str, str]]:
        from reeve.cli.excerpts import excerpt

        if file in self._files and (found := excerpt(self._files[file], line, column)):
            yield found[0], "dim"
            yield found[1], ""


def github_line(row: Mapping[str, str | int], folder: Path) -> str:
    """A problem as a GitHub workflow command, which marks the line on the page of a pull request.

    The file is named from the working directory, which has to be the top of the repository.
    """
    said = f"{row['message']} → {row['mend']}" if row["mend"] else str(row["message"])
    place = f"file={_property((folder / str(row['file'])).as_posix())}"
    if row["line"]:
        place += f",line={row['line']},col={row['column']}"
    return f"::{row['severity']} {place},title={_property('reeve ' + str(row['code']))}::{_data(said)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
