"""`reeve dead`: messages that could not be handled, and how to put them back."""

from __future__ import annotations

from typing import Annotated

import typer

from reeve.cli.ending import fail
from reeve.cli.exit_codes import USAGE
from reeve.cli.options import AsJson, Lang
from reeve.cli.running import run
from reeve.cli.speaking import say, spoken_language

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Messages that could not be handled: list them, look at one, put it back. They are kept 30 days.",
)


@app.command("list")
def list_letters(
    service: Annotated[str, typer.Option(help="Only of this service.")] = "*",
    site: Annotated[str, typer.Option(help="Only of this site; _ for an unusable one.")] = "*",
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Lists the dead letters, oldest first: number, when, which service and site, and why.

    Example: reeve dead list --service intake
    """
    from reeve.cli.traffic import dead_letters

    run(dead_letters.list_letters(f"dead.{service}.{site}", as_json, spoken_language(lang)))


@app.command("show")
def show_letter(
    number: Annotated[int, typer.Argument(help="Number of the letter, from `reeve dead list`.", min=1)],
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Shows one dead letter with the original message. That may hold personal data."""
    from reeve.cli.traffic import dead_letters

    run(dead_letters.show_letter(number, as_json, spoken_language(lang)))


@app.command("replay")
def replay_letters(
    numbers: Annotated[list[int] | None, typer.Argument(help="Numbers of letters, from `reeve dead list`.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Every letter that is there now.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Publishes the original bytes on the original subject again, and removes the letter.

    What still can't be handled comes back as a new letter. What was handled meanwhile changes nothing.

    Examples:

    reeve dead replay 17 18

    reeve dead replay --all
    """
    from reeve.cli.traffic import dead_letters, dead_texts

    spoken = spoken_language(lang)
    if bool(numbers) == all_of_them:
        fail(say(dead_texts.WORDS, "which", spoken), USAGE)
    run(dead_letters.replay_letters(numbers, as_json, spoken))
