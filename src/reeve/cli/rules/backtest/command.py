"""`reeve rules backtest`: what other rules would have changed in what has happened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.lengths import ago, length_of
from reeve.cli.options import Lang, OnlySite
from reeve.cli.output import errors, print_json
from reeve.cli.rules.reading import moment_in, people_in, rotas_in, rules_in
from reeve.cli.running import run
from reeve.cli.speaking import spoken_language

if TYPE_CHECKING:
    from reeve.cli.rules.backtest.replaying import Task
    from reeve.domain.bundle import Bundle
    from reeve.domain.recipients import Recipient
    from reeve.runtime.backtest.findings import Findings
    from reeve.runtime.store.mongo import Database
    from reeve.runtime.store.shifts import Rotas

EXAMPLES = (
    "Examples: reeve rules backtest new-rules; reeve rules backtest new-rules --since 90d --html report.html; "
    "reeve rules backtest new-rules --fail-on worse --max-changed 20; "
    "reeve rules backtest new-rules --against rules --events march.ndjson --json"
)


def backtest(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the candidate rules.")],
    since: Annotated[
        str | None,
        typer.Option(
            help="Compare from here on: 30d, 12h, 4w, or a moment like 2026-02-14.",
            show_default="30d; with --events the whole file",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(help="Compare up to here.", show_default="now; with --events until nothing is due any more"),
    ] = None,
    site: OnlySite = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Compare with this version from the record, or with the rules in this folder.",
            show_default="the active version",
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(help="Replay this file instead of the record; needs --against DIR and no server."),
    ] = None,
    recipients: Annotated[
        Path | None,
        typer.Option(
            help="CSV, XLSX or JSON of people, as for `reeve recipients import`.",
            show_default="those in the record; without any, every role counts as one person",
        ),
    ] = None,
    shifts: Annotated[
        Path | None,
        typer.Option(
            help="YAML of rotas, as for `reeve shifts import`.",
            show_default="those in the record; none with --recipients or --events",
        ),
    ] = None,
    top: Annotated[int, typer.Option(help="Show so many of the cases that change most.", min=0, max=200)] = 10,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help="End with 1 if this differs: any, grades, breaches, notifications, sms, or worse (more breaches, "
            "fewer cases opened, more roles nobody is reached for). May be given several times.",
        ),
    ] = None,
    max_changed: Annotated[
        int | None, typer.Option(help="End with 1 if more cases than this differ.", min=0)
    ] = None,
    max_breaches: Annotated[
        int | None, typer.Option(help="End with 1 if more breaches than this are gained.", min=0)
    ] = None,
    max_sms: Annotated[
        int | None, typer.Option(help="End with 1 if more SMS segments than this are added.", min=0)
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a report with plots: one HTML file, no network.")
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object a line on stdout, and nothing else: the sums, the cases."),
    ] = False,
    lang: Lang = None,
) -> None:
    """Show what the candidate rules would have changed: grades, breaches, who is told, SMS, the cases most changed.

    Recorded events run through the active rules and through the candidate in virtual time. Events before `--since`
    only set the scene: cases are opened under the active rules, and one that its policy pins keeps that file.
    Nothing is sent and nothing is written to the record.

    Exit codes: 0 done (whatever differs, unless bounds are given), 1 beyond the bounds or the candidate has errors,
    2 wrong usage, 3 a server can't be reached.
    """
    from reeve.cli.rules.backtest.bounds import Bounds, UnknownKind, beyond, kinds_of

    language = spoken_language(lang)
    try:
        bounds = Bounds(kinds_of(fail_on or []), max_changed, max_breaches, max_sms)
    except UnknownKind as unknown:
        fail(str(unknown), USAGE)
    if html is not None and not html.absolute().parent.is_dir():
        fail(f"--html {html}: there is no such folder.", USAGE)  # said now, not after minutes of work
    candidate = rules_in(folder, language, as_json)
    other = Path(against) if against is not None and Path(against).is_dir() else None
    rotas = rotas_in(shifts, candidate, language, as_json) if shifts is not None else None
    asked = _Asked(candidate, since, until, site, against, other, recipients, rotas, top, language, as_json)
    found, cases = _over_file(asked, events) if events is not None else run(_over_record(asked))
    reasons = beyond(found, bounds)
    if html is not None:
        from reeve.runtime.backtest.page import page

        html.write_text(page(found, cases, language), encoding="utf-8")
    _show(found, cases, reasons, html, language, as_json=as_json)
    if reasons or found["refused"]:
        raise typer.Exit(BAD)


def _show(
    found: Findings, cases: list[Findings], reasons: list[str], html: Path | None, lang: str, *, as_json: bool
) -> None:
    from reeve.runtime.backtest.texts import TEXTS

    if as_json:
        print_json({"row": "sums", **found, "beyond": reasons})
        for case in cases:
            print_json({"row": "case", **case})
    else:
        from reeve.cli.rules.backtest.view import print_comparison

        print_comparison(found, cases, lang)
    if html is not None:
        errors().print(TEXTS[lang]["written"].format(file=html))
    if reasons:
        errors().print(TEXTS[lang]["exceeded"].format(reasons=", ".join(reasons)), style="bold red")


# --- what is compared -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options that say what is compared."""

    candidate: Bundle
    since: str | None
    until: str | None
    site: str | None
    against: str | None
    folder: Path | None
    """`against`, where that is a folder."""
    recipients: Path | None
    rotas: Rotas | None
    """Of the file given."""
    top: int
    lang: str
    as_json: bool

    def task(
        self, active: Bundle, people: list[Recipient] | None, since: datetime | None, now: datetime | None
    ) -> Task:
        """What to replay; `now` is what lengths of time are counted back from."""
        from reeve.cli.rules.backtest.replaying import Task
        from reeve.runtime.backtest.links import public_url

        until = _moment("--until", self.until, active, now) if self.until is not None else None
        if since is not None and (end := until or now) is not None and end <= since:
            fail(f"Nothing lies between {since:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M}.", USAGE)
        return Task(active, self.candidate, people, self.site, since, until, public_url(), self.top, self.rotas)


def _over_file(asked: _Asked, events: Path) -> tuple[Findings, list[Findings]]:
    from reeve.cli.rules.backtest.replaying import newest_in, replay_file

    if asked.folder is None:
        fail("--events needs --against DIR: the folder of the rules to compare with.", USAGE)
    active = rules_in(asked.folder, asked.lang, asked.as_json)
    newest = None
    if any(option is not None and length_of(option) is not None for option in (asked.since, asked.until)):
        if str(events) == "-":
            fail("With events from standard input, write --since and --until as moments like 2026-02-14.", USAGE)
        newest = newest_in(events)
        if newest is None:
            fail(f"{events}: no event in it has a time.", USAGE)
    since = _moment("--since", asked.since, active, newest) if asked.since is not None else None
    people = people_in(asked.recipients, asked.lang)[0] if asked.recipients is not None else None
    return replay_file(asked.task(active, people, since, newest), events)


async def _over_record(asked: _Asked) -> tuple[Findings, list[Findings]]:
    from reeve.cli.rules.backtest.replaying import replay_record
    from reeve.cli.targets import find_targets, open_record
    from reeve.runtime.backtest.recorded import RecordedEvents
    from reeve.runtime.store.shifts import ShiftStore
    from reeve.runtime.time_source import SystemTime

    now = SystemTime().now()
    async with open_record(find_targets(), "backtest") as database:
        if asked.folder is not None:
            active = rules_in(asked.folder, asked.lang, asked.as_json)
        else:
            active = await _recorded(database, asked.against)
        since = _moment("--since", asked.since or "30d", active, now)
        if asked.recipients is not None:
            task = asked.task(active, people_in(asked.recipients, asked.lang)[0], since, now)
        else:
            people = await _known_people(database, active, asked.site)
            rotas = asked.rotas or await ShiftStore(database).load()
            task = replace(asked.task(active, people, since, now), rotas=rotas)
        return await replay_record(task, RecordedEvents(database, asked.site), now)


async def _recorded(database: Database, version: str | None) -> Bundle:
    """The active bundle, or the recorded one whose version begins so. Raises NoBundle."""
    from reeve.cli.rules.versions import UnknownVersion, active_rules, find_version
    from reeve.rulelang.load import load_bundle
    from reeve.runtime.store.bundles import BundleStore

    if version is None:
        return await active_rules(database)
    store = BundleStore(database)
    try:
        stored = await store.get(await find_version(store, version))
    except UnknownVersion as unknown:
        fail(f"--against {version}: no such folder, and: {unknown}", USAGE)
    bundle = load_bundle(stored.files).bundle if stored is not None else None
    if bundle is None:
        fail(f"--against {version}: this release can't read that version.", BAD)
    return bundle


async def _known_people(database: Database, active: Bundle, site: str | None) -> list[Recipient] | None:
    """The recipients of the record; None where it has none."""
    from reeve.runtime.store.recipients import RecipientStore

    store = RecipientStore(database)
    if site is None:
        return await store.all() or None
    parent = active.site(site).parent
    return [*await store.all(site), *(await store.all(parent) if parent else [])] or None


def _moment(option: str, text: str, bundle: Bundle, now: datetime | None) -> datetime:
    """A moment, or so long before `now`."""
    before = ago(text, now) if now is not None else None
    if before is not None:
        return before
    return moment_in(option, text, bundle, "30d, 12h or 4w, or a moment like 2026-02-14 or 2026-02-14 18:10")
