"""`reeve shifts`: who is on shift for a role, brought in from a file, shown, changed, exported, checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reeve.cli.exit_codes import BAD
from reeve.cli.options import AsJson, DryRun, Lang
from reeve.cli.output import print_line
from reeve.cli.running import run
from reeve.cli.shifts.texts import say
from reeve.cli.speaking import spoken_language

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Rotas: import, show, override, swap, export and check them."
)

Which = Annotated[str | None, typer.Argument(metavar="[WHICH]", help="place, or place/role; all without it.")]
Days = Annotated[int, typer.Option("--days", min=1, max=400, help="How many days.")]
From = Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day.", show_default="today")]
TheRota = Annotated[str, typer.Argument(metavar="PLACE/ROLE", help="Whose rota.", show_default=False)]
Note = Annotated[str, typer.Option(help="Why; shown to everybody who lists changes, so no personal data.")]
Author = Annotated[str | None, typer.Option(help="Who enters this.", show_default="your login name")]


@app.command("import")
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
    from reeve.cli.shifts.importing import import_rotas

    if run(import_rotas(file.name, file.read_bytes(), dry_run, spoken_language(lang), as_json)):
        raise typer.Exit(BAD)


@app.command("list")
def list_rotas(which: Which = None, as_json: AsJson = False, lang: Lang = None) -> None:
    """Lists the rotas, and the overrides and swaps that have not ended, with their ids.

    Examples:

    reeve shifts list

    reeve shifts list sunshine-garden/guard --json
    """
    from reeve.cli.shifts import viewing

    run(viewing.list_rotas(which, as_json, spoken_language(lang)))


@app.command("show")
def show(
    which: Which = None,
    start: From = None,
    days: Days = 7,
    person: Annotated[str | None, typer.Option(help="Only the shifts of this recipient id.")] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Shows who is on when, in local time, with everything that was changed.

    Examples:

    reeve shifts show sunshine-garden/front_desk

    reeve shifts show --from 2026-12-21 --days 14 --person guard-01
    """
    from reeve.cli.shifts.viewing import show_shifts

    run(show_shifts(which, start, days, person, as_json, spoken_language(lang)))


@app.command("now")
def now(
    which: Which = None,
    at: Annotated[str, typer.Option(help="Another moment: 2026-11-22T08:00, local.")] = "now",
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Says who is on shift now, or at another moment.

    Examples:

    reeve shifts now

    reeve shifts now sunshine-garden --at 2026-11-22T03:00 --lang zh
    """
    from reeve.cli.shifts.viewing import show_now

    run(show_now(which, at, as_json, spoken_language(lang)))


@app.command("export")
def export(
    ical: Annotated[str, typer.Option("--ical", metavar="FILE", help="Where to write; - is standard output.")],
    which: Which = None,
    start: From = None,
    days: Days = 90,
    person: Annotated[str | None, typer.Option(help="Only the shifts of this recipient id.")] = None,
    names: Annotated[bool, typer.Option("--names", help="Names instead of ids; this is personal data.")] = False,
    lang: Lang = None,
) -> None:
    """Writes an iCalendar file. Exported again, shifts keep their identity, so calendars update them.

    Examples:

    reeve shifts export --ical guards.ics sunshine-garden/guard

    reeve shifts export --ical - --person desk-01 --days 30
    """
    from reeve.cli.shifts.viewing import calendar

    spoken = spoken_language(lang)
    content, count = run(calendar(which, start, days, person, names, spoken))
    if ical == "-":
        typer.echo(content, nl=False)
        return
    Path(ical).write_bytes(content)
    print_line(say("written", spoken, n=count, file=ical))


@app.command("check")
def check(
    which: Which = None,
    days: Days = 14,
    gaps: Annotated[bool, typer.Option("--gaps", help="Hours with nobody on are bad, too.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Looks for hours with nobody on, and for people on a rota who are unknown or can't be reached.

    While nobody is on, everybody who holds the role is told, so a gap alone is no mistake unless you say --gaps.
    Exit code 1 if something is bad.

    Examples:

    reeve shifts check

    reeve shifts check sunshine-garden/guard --days 60 --gaps
    """
    from reeve.cli.shifts.viewing import check_rotas

    if run(check_rotas(which, days, gaps, as_json, spoken_language(lang))):
        raise typer.Exit(BAD)


@app.command("override")
def override(
    which: TheRota,
    person: Annotated[
        list[str] | None, typer.Option("--person", help="Recipient id of who comes; repeatable.")
    ] = None,
    start: Annotated[str, typer.Option("--from", help="2026-11-22T08:00 (local), or now.")] = "now",
    until: Annotated[str | None, typer.Option("--until", help="2026-11-22T16:00 (local).")] = None,
    length: Annotated[str | None, typer.Option("--for", help="Instead of --until: 8h, 90m, 2d.")] = None,
    instead_of: Annotated[
        list[str] | None, typer.Option("--instead-of", help="Only in this person's stead; repeatable.")
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="In addition to whoever is on.")] = False,
    note: Note = "",
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Puts somebody on shift for some time: instead of all who are on, of one of them, or in addition.

    What was before now stays as it was. Who comes is told at the hand-over, and who comes back, too.

    Examples:

    reeve shifts override sunshine-garden/guard --person lobby-01 --instead-of guard-01 --from 2026-11-24T08:00
    --for 24h

    reeve shifts override sunshine-garden/front_desk --person steward-01 --add --until 2026-11-24T18:00
    --note "open day"
    """
    from reeve.cli.shifts.changes import Wish

    spoken = spoken_language(lang)
    if (until is None) == (length is None):
        raise typer.BadParameter(say("one_end", spoken), param_hint="--until")
    if add and instead_of:
        raise typer.BadParameter(say("one_way", spoken), param_hint="--add")
    if not person and not instead_of:
        raise typer.BadParameter(say("who_comes", spoken), param_hint="--person")
    leaves = frozenset(instead_of) if instead_of else frozenset() if add else None
    wish = Wish(which, note, author, dry_run, as_json, spoken)
    run(wish.override(frozenset(person or ()), leaves, start, until, length))


@app.command("swap")
def swap(
    which: TheRota,
    one: Annotated[str, typer.Argument(metavar="ID@DAY", help="A person and the day on which the shift begins.")],
    other: Annotated[str, typer.Argument(metavar="ID@DAY", help="The other person, and the other shift.")],
    note: Note = "",
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Two people exchange two shifts. Where a person begins twice on a day, name a moment of the shift.

    Examples:

    reeve shifts swap sunshine-garden/guard guard-01@2026-11-24 security-lead@2026-11-25

    reeve shifts swap sunshine-garden/front_desk desk-01@2026-11-24T09:00 desk-02@2026-11-26 --note "exam"
    """
    from reeve.cli.shifts.changes import Wish

    wish = Wish(which, note, author, dry_run, as_json, spoken_language(lang))
    run(wish.swap(one, other))


@app.command("remove")
def remove(
    what: Annotated[str, typer.Argument(metavar="ID|PLACE/ROLE", help="A change's id, or with --rota a rota.")],
    rota: Annotated[bool, typer.Option("--rota", help="The whole rota, with its changes.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Takes back an override or swap from now on, or removes a whole rota.

    Without a rota everybody who holds the role is told again.

    Examples:

    reeve shifts remove 3f9a01c2

    reeve shifts remove sunshine-garden/guard --rota
    """
    from reeve.cli.shifts.changes import take_back

    run(take_back(what, rota, as_json, spoken_language(lang)))
