"""The command `reeve`: names its commands and loads each only when it is invoked, so that `--help` is quick.

A command's module exposes either a Typer app named `app` or a function named like the command.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from reeve.cli.exit_codes import INTERRUPTED, USAGE

if TYPE_CHECKING:
    from types import ModuleType

# Pydantic would look through every installed package for plugins at each start; Reeve uses none.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("reeve.cli.stack.up", "Everything on one machine: servers, services, rules watched."),
    "demo": ("reeve.cli.demo.command", "A morning at a site: grades, deadlines, SMS and email, live."),
    "send": ("reeve.cli.traffic.send", "Post events from a file or stdin (JSON, JSON array, NDJSON)."),
    "tail": ("reeve.cli.traffic.tail", "Follow the topics, readable or --json."),
    "cases": ("reeve.cli.cases.command", "List cases, and show what became of one and why."),
    "rules": ("reeve.cli.rules.command", "Check, test, simulate and activate the rules folder."),
    "recipients": ("reeve.cli.recipients.command", "Import and list the people who are told."),
    "notifications": ("reeve.cli.notifications.command", "Which messages went to whom; show one, send one again."),
    "messages": ("reeve.cli.messages.command", "The texts people get: list, preview, send one to try."),
    "answers": ("reeve.cli.answers.command", "What people replied by SMS and mail; hand in a mail."),
    "shifts": ("reeve.cli.shifts.command", "Who is on shift: import, show, override, swap, export."),
    "silences": ("reeve.cli.flood.silences", "For a time nobody is told what they match; never without an end."),
    "budget": ("reeve.cli.flood.budget", "SMS segments of the month, the forecast, and what is degraded."),
    "channels": ("reeve.cli.channels.command", "The providers messages go through: list, check, try one."),
    "scores": ("reeve.cli.cases.scores", "Points per department and month, each with its case."),
    "dead": ("reeve.cli.traffic.dead", "List, show and replay messages that could not be handled."),
    "schemas": ("reeve.cli.schemas", "Write or check the JSON Schemas and AsyncAPI documents."),
    "bench": ("reeve.cli.stack.bench", "Measure this machine with the benchmark."),
    "run": ("reeve.cli.stack.run", "One service in this process, for containers."),
}
"""Command → its module, and its line in `reeve --help`."""

ALONE = {("rules", "check"): "reeve.cli.rules.checking"}
"""Commands of a group that are loaded without the others, as hooks and editors run them at every save."""

_EPILOG = (
    "Start here: reeve up, then reeve demo in another terminal.  "
    "Exit codes: 0 done, 1 the thing asked about is bad, 2 wrong usage, 3 a server can't be reached."
)
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def _version(wanted: bool) -> None:
    if wanted:
        from reeve import __version__

        typer.echo(f"reeve {__version__}")
        raise typer.Exit


def _overview(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Grades what comes in at a property-service site, runs its clocks, tells the right people in time."""


def _app() -> typer.Typer:
    """The overview of all commands; each command in it hands its arguments on to its own module."""
    overview = typer.Typer(
        name="reeve",
        add_completion=False,
        no_args_is_help=True,
        # Without Rich, whose import alone would double the time of `reeve --help`.
        rich_markup_mode=None,
        epilog=_EPILOG,
        callback=_overview,
    )
    for name, (_, text) in COMMANDS.items():
        overview.command(name, help=text, add_help_option=False, context_settings=_PASSED_ON)(_handing_on(name))
    return overview


def _handing_on(name: str) -> Callable[[typer.Context], None]:
    def hand_on(context: typer.Context) -> None:
        _dispatch(name, context.args)

    return hand_on


def _dispatch(name: str, arguments: Sequence[str]) -> Any:
    """Runs one command with its own arguments; always ends in SystemExit."""
    module_name, _ = COMMANDS[name]
    alone = ALONE.get((name, arguments[0])) if arguments else None
    if alone is not None:
        # It ends before there is anything worth throwing away: looking for it takes a tenth of the time.
        gc.disable()
        module = importlib.import_module(alone)
        return _command(module, name)(args=list(arguments[1:]), prog_name=f"reeve {name} {arguments[0]}")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise
        _fail(f"`reeve {name}` is not part of this installation.", USAGE)
    return _command(module, name)(args=list(arguments), prog_name=f"reeve {name}")


def _command(module: ModuleType, name: str) -> Any:
    """The module's Typer app or its function, as something that can be called with arguments."""
    app = getattr(module, "app", None)
    if not isinstance(app, typer.Typer):
        app = typer.Typer(add_completion=False)
        app.command(name)(getattr(module, name))
    return typer.main.get_command(app).main


def _fail(sentence: str, code: int) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise SystemExit(code)


app = _app()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs `reeve` with these arguments (default: the process's own). Raises SystemExit, always."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # What is there at the end is given back to the system with the process; nobody need look through it.
    atexit.register(gc.freeze)
    try:
        if given and given[0] in COMMANDS:
            # Straight to the module, so that its arguments are read by nobody but itself.
            _dispatch(given[0], given[1:])
        else:
            app(args=given, prog_name="reeve")
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read our output (`head`) has seen enough; Python would complain once more while ending.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except Exception as error:  # the command line's own verdict table; what it lacks is raised again
        from reeve.cli.failures import explained

        known = explained(error)
        if known is None:
            raise
        _fail(*known)
    raise SystemExit(0)


if __name__ == "__main__":
    main()
