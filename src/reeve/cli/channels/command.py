"""`reeve channels`: which providers there are, what is wrong with their files, and one real message to try one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reeve.cli.exit_codes import BAD
from reeve.cli.options import AsJson, Lang
from reeve.cli.speaking import spoken_language

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The providers that messages go out through: list them, check their files, try one.",
)

Folder = Annotated[
    Path | None,
    typer.Option("--channels", metavar="FOLDER", help="This folder.", show_default="REEVE_CHANNELS, or channels"),
]


@app.command("list")
def list_providers(channels: Folder = None, as_json: AsJson = False, lang: Lang = None) -> None:
    """Lists the providers by channel and order: shares, limits, what they post back. Never a secret.

    It reads the files and asks no service: notify runs what they say within seconds, unless one has a fault.

    Examples:

    reeve channels list

    reeve channels list --channels examples/channels --json
    """
    from reeve.cli.channels import checking

    checking.list_providers(channels, as_json, spoken_language(lang))


@app.command("check")
def check_files(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]", help="The folder of providers.", show_default="REEVE_CHANNELS, or channels"
        ),
    ] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Checks every provider's file as notify does when it starts: all faults at once, each at its line with its
    mend, and whether the environment has what the files need. Exit code 1 if there is a fault. Nothing is sent.

    Examples:

    reeve channels check

    reeve channels check examples/channels --json
    """
    from reeve.cli.channels import checking

    if checking.check_files(folder, as_json, spoken_language(lang)):
        raise typer.Exit(BAD)


@app.command("test")
def try_provider(
    provider: Annotated[str, typer.Argument(help="Its name, from `reeve channels list`.")],
    to: Annotated[str, typer.Option("--to", help="The address: a number (+86…), a mail address, a chat, a URL.")],
    text: Annotated[str, typer.Option("--text", help="What it says.")] = "Reeve: test / 测试",
    message: Annotated[
        str,
        typer.Option("--message", help="The message whose template is used, where the provider has any."),
    ] = "test",
    language: Annotated[str, typer.Option("--language", help="Language of that template.")] = "",
    channels: Folder = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Sends one real message through one provider and says what became of it: how the provider took it, why not,
    and its id of the message. Exit code 1 if it was not taken.

    Examples:

    reeve channels test aliyun --to +8613800138000 --message complaint_reported

    reeve channels test mail --to me@example.org --text "Is this on?"
    """
    from reeve.cli.channels import trying

    trying.try_provider(provider, to, text, message, language, channels, as_json, spoken_language(lang))
