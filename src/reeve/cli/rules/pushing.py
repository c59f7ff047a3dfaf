"""`reeve rules push` and `rollback`: other rules become the active ones, after a look at what that means."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from reeve.cli.ending import fail
from reeve.cli.exit_codes import USAGE
from reeve.cli.options import RULES, AsJson, Author, Lang, Note, RulesFolder, Yes
from reeve.cli.rules.reading import files_in
from reeve.cli.speaking import spoken_language

PUSH_EXAMPLES = (
    "Examples: reeve rules push --note 'respond in 6 minutes'; reeve rules push rules --dry-run; "
    "reeve rules push --yes --author $CI_USER --note $CI_COMMIT --json; reeve rules push new-rules --shadow"
)
ROLLBACK_EXAMPLES = "Examples: reeve rules history; reeve rules rollback 3fa9; reeve rules rollback 3fa9 --yes"

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only look: nothing is activated and nobody is told.")]


def push(
    folder: RulesFolder = RULES,
    note: Note = "",
    author: Author = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    shadow: Annotated[
        bool,
        typer.Option(
            "--shadow",
            help="Activate nothing: evaluate these rules silently on live traffic (`reeve rules shadow`).",
        ),
    ] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Activate a rules folder on every running replica at once.

    The files are checked, their scenarios run, and what changes is shown: rule by rule, and which open cases
    follow. Then it asks; where nobody can be asked (a pipeline), --yes is needed. A folder with errors, or one
    whose scenarios don't hold, changes nothing. If somebody activated other rules since you looked, theirs stay.

    Exit codes: 0 active now (or already), 1 refused, declined or too late, 2 wrong usage, 3 MongoDB is away.
    """
    from reeve.cli.rules.activating import Wish, fulfil

    language = spoken_language(lang)
    _can_ask(yes or shadow, dry_run, language)
    wish = Wish("push", files_in(folder), str(folder), author, note, not yes, dry_run, as_json, language)
    if shadow and not dry_run:
        from reeve.cli.rules.shadow import start_shadow

        raise typer.Exit(start_shadow(wish))
    raise typer.Exit(fulfil(wish))


def rollback(
    version: Annotated[str, typer.Argument(help="Version of `reeve rules history`; its first letters will do.")],
    note: Note = "",
    author: Author = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Make an earlier version of the rules the active one again.

    It goes the same way as a push: checked by this release, shown, asked. The rules folder stays as it is, and is
    not activated again by `reeve up` until somebody changes it.

    Exit codes: 0 active now (or already), 1 refused, declined or too late, 2 wrong usage, 3 MongoDB is away.
    """
    from reeve.cli.rules.activating import Wish, fulfil
    from reeve.cli.rules.versions import recorded_files

    language = spoken_language(lang)
    _can_ask(yes, dry_run, language)
    found, files = recorded_files(version, language)
    wish = Wish(
        "rollback",
        files,
        found,
        author,
        note or f"rollback to {found}",
        not yes,
        dry_run,
        as_json,
        language,
    )
    raise typer.Exit(fulfil(wish))


def _can_ask(yes: bool, dry_run: bool, lang: str) -> None:
    """Ends the command where it would have to ask and nobody is there."""
    if not (yes or dry_run or sys.stdin.isatty()):
        from reeve.cli.rules.activating_texts import TEXTS

        fail(TEXTS[lang]["nobody_to_ask"], USAGE)
