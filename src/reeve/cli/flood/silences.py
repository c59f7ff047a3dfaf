"""`reeve silences`: for a time nobody is told what they match; with an end, an author and a reason, always."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Annotated, Any

import typer

from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.flood.texts import TEXTS
from reeve.cli.options import AsJson, Lang
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.running import run
from reeve.cli.speaking import spoken_language

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Silence what everybody knows already: for a time nobody is told of it. Always with an end; the author is "
    "warned before it, and what is still open then is told.",
    epilog="Examples: reeve silences add --site sunshine-garden --policy repair --subject LIFT- --for 8h "
    '--author es-1 --reason "lift 2 is being replaced"; reeve silences list; reeve silences show s-7kq2m; '
    "reeve silences extend s-7kq2m --for 2h; reeve silences end s-7kq2m",
)

Until = Annotated[str | None, typer.Option("--until", metavar="MOMENT", help="Its end; a time at the site.")]
For = Annotated[
    str | None,
    typer.Option("--for", metavar="LENGTH", help="How long: from its beginning; `extend`: so much longer."),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="As `reeve silences list` shows it.")]


@app.command()
def add(
    author: Annotated[str, typer.Option(help="Your recipient id: you are warned before it ends.")],
    reason: Annotated[str, typer.Option(help="Why, in a few words; it stays in the record.")],
    site: Annotated[str, typer.Option(help="Only at this site.")] = "",
    policy: Annotated[str, typer.Option(help="Only cases of this policy.")] = "",
    grade: Annotated[str, typer.Option(help="Only of this grade.")] = "",
    subject: Annotated[str, typer.Option(help="Only cases whose number begins so.")] = "",
    role: Annotated[str, typer.Option(help="Only what goes to this role.")] = "",
    recipient: Annotated[str, typer.Option(help="Only what goes to this recipient.")] = "",
    message: Annotated[str, typer.Option(help="Only this message.")] = "",
    since: Annotated[
        str | None, typer.Option("--from", metavar="MOMENT", help="Its beginning.", show_default="now")
    ] = None,
    until: Until = None,
    length: For = None,
    include_worst: Annotated[
        bool, typer.Option("--include-worst", help="Hide the two worst grades, too. Nobody is told of them then.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would hide.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Set a silence: what matches all of the options is not sent while it lasts, at most 90 days.

    What it hides stands in the timeline of each case as suppressed. Exit codes: 0 set, 1 it can't be set,
    2 wrong usage, 3 MongoDB is away.

    Example: reeve silences add --site sunshine-garden --policy complaint --subject T-20 --for 4h --author ss-1
    --reason "burst pipe, everybody is on it"
    """
    from reeve.cli.flood.silence_adding import Asked, add_silence
    from reeve.domain.flood.silences import Matchers

    matchers = Matchers(site, policy, grade, subject, role, recipient, message)
    words = TEXTS[spoken_language(lang)]
    asked = Asked(matchers, since, until, length, author, reason, include_worst)
    run(add_silence(asked, dry_run, as_json, words))


@app.command("list")
def list_silences(
    every: Annotated[bool, typer.Option("--all", help="Those that ended in the last 7 days, too.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """List the silences that hide something now or will, the soonest to end first.

    Examples: reeve silences list; reeve silences list --all --json | jq .id
    """
    run(_list(every, as_json, TEXTS[spoken_language(lang)]))


async def _list(every: bool, as_json: bool, words: dict[str, str]) -> None:
    from reeve.cli.flood.silence_view import print_silence, row_of
    from reeve.cli.rules.versions import active_rules
    from reeve.cli.targets import find_targets, open_record
    from reeve.runtime.store.silences import SilenceStore, shown_since
    from reeve.runtime.time_source import SystemTime

    now = SystemTime().now()
    async with open_record(find_targets(), "silences") as database:
        bundle = await active_rules(database)
        found = await SilenceStore(database).all(shown_since(now) if every else now)
    for kept in found:
        if as_json:
            print_json(row_of(kept, now, bundle))
        else:
            print_silence(kept, now, bundle, words)
    if not found and not as_json:
        errors().print(words["none"])


@app.command()
def show(id: Id, as_json: AsJson = False, lang: Lang = None) -> None:
    """Show a silence and what it has hidden, by case; `--json` gives a line for each.

    Example: reeve silences show s-7kq2m
    """
    run(_show(id, as_json, TEXTS[spoken_language(lang)]))


async def _show(name: str, as_json: bool, words: dict[str, str]) -> None:
    from reeve.cli.flood.silence_view import found_silence, matching_cases, print_silence, row_of
    from reeve.cli.rules.versions import active_rules
    from reeve.cli.targets import find_targets, open_record
    from reeve.domain.facts import zone_of
    from reeve.runtime.store.silences import SilenceStore
    from reeve.runtime.store.suppressed import SuppressedStore
    from reeve.runtime.time_source import SystemTime

    now = SystemTime().now()
    async with open_record(find_targets(), "silences") as database:
        bundle = await active_rules(database)
        kept = await found_silence(SilenceStore(database), name, words)
        hidden = [each for each in await SuppressedStore(database).hidden_by(name) if each.state == "suppressed"]
        matching = await matching_cases(database, kept.silence.matchers)
        ids = sorted({str(each.case) for each in hidden})
        still_open = await database["cases"].distinct("_id", {"_id": {"$in": ids}, "open": True})
    if not as_json:
        print_silence(kept, now, bundle, words)
        print_line(words["matching"].format(count=matching))
        print_line((words["hidden"] if hidden else words["hidden_none"], "bold"))
    by_case: dict[str, list[Any]] = {}
    for each in hidden:
        by_case.setdefault(str(each.case), []).append(each)
    if as_json and not hidden:
        print_json(row_of(kept, now, bundle) | {"open_cases": matching})
    for case, those in by_case.items():
        last = those[-1]
        people = sorted({each.recipient for each in those})
        at = last.at.astimezone(zone_of(bundle.site(last.case.site).zone))
        if as_json:
            row = {"silence": name, "case": case, "open": case in still_open, "hidden": len(those)}
            print_json(row | {"recipients": people, "step": last.step, "at": at.isoformat()})
            continue
        line = words["line"].format(
            count=len(those), people=", ".join(people), step=last.step, at=f"{at:%m-%d %H:%M}"
        )
        closed = "" if case in still_open else f" ({words['closed']})"
        print_line(f"  {case}{closed}  ", (line, "dim"))


@app.command()
def end(
    id: Id,
    by: Annotated[str, typer.Option(help="Recipient id of who ends it.")] = "",
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """End a silence now. Of each case that is still open the newest message it hid goes out.

    Example: reeve silences end s-7kq2m
    """
    run(_move(id, None, None, by, as_json, TEXTS[spoken_language(lang)]))


@app.command()
def extend(
    id: Id,
    until: Until = None,
    length: For = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Move a silence's end: `--for` makes it so much longer, `--until` names the end. At most 90 days in all.

    Examples: reeve silences extend s-7kq2m --for 2h; reeve silences extend s-7kq2m --until "2026-11-22 18:00"
    """
    words = TEXTS[spoken_language(lang)]
    if (until is None) == (length is None):
        errors().print(words["one_end"])
        raise typer.Exit(USAGE)
    run(_move(id, until, length, "", as_json, words))


async def _move(
    name: str, until: str | None, length: str | None, by: str, as_json: bool, words: dict[str, str]
) -> None:
    from reeve.cli.flood.silence_view import end_asked, found_silence, row_of, span_of
    from reeve.cli.rules.versions import active_rules
    from reeve.cli.targets import find_targets, open_record
    from reeve.domain.flood.silences import SilenceRefused, check_end
    from reeve.runtime.store.silences import SilenceStore
    from reeve.runtime.time_source import SystemTime

    now = SystemTime().now()
    ending = until is None and length is None
    async with open_record(find_targets(), "silences") as database:
        bundle = await active_rules(database)
        store = SilenceStore(database)
        kept = await found_silence(store, name, words)
        if kept.silence.until <= now:
            fail(words["over"].format(id=name), BAD)
        zone = bundle.site(kept.silence.matchers.site).zone
        at = now if ending else end_asked(until, length, kept.silence.until, zone, words).astimezone(UTC)
        try:
            if not ending:
                check_end(kept.silence.since, at, now)
        except SilenceRefused as refused:
            fail(words["refused"].format(why=words.get(refused.code, refused)), BAD)
        await store.end(name, at, by)
    kept = replace(kept, silence=replace(kept.silence, until=at))
    if as_json:
        print_json(row_of(kept, now, bundle))
    else:
        said = words["ended" if ending else "extended"]
        print_line((said.format(id=name, until=span_of(kept, bundle)["until"]), "bold"))
