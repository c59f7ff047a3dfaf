"""The way of a bundle from a person to all replicas: check, scenarios, preview, consent, activation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from typing import Literal as OneOf

import typer

from reeve.cli.exit_codes import BAD
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.rules.activating_texts import TEXTS
from reeve.cli.targets import Targets, find_targets, open_bus, open_record
from reeve.contracts.outgoing import OutMessage
from reeve.ports import BusAway
from reeve.rulelang.check_recipients import check_recipients
from reeve.rulelang.comparing import differences
from reeve.rulelang.differences import Difference
from reeve.rulelang.problems import Problem
from reeve.runtime.author import login_name
from reeve.runtime.bundles import ActivationLost, Bundles, Publish
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.candidates import BundleRejected, Candidate
from reeve.runtime.impact import Impact, impact_of
from reeve.runtime.store.bundles import Activated, BundleStore
from reeve.runtime.store.cases import MongoCaseRecord
from reeve.runtime.store.mongo import Database
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.store.running_cases import RunningCases
from reeve.runtime.time_source import SystemTime
from services.escalation.rehearsal import Rehearsal, rehearse

SAMPLE = 200
"""Open cases of a policy that are decided for the preview; a second or two for each policy."""
_MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "unreadable": ("!", "bold red")}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to activate, and how they want to be dealt with."""

    what: OneOf["push", "rollback", "promote"]
    files: Mapping[str, bytes]
    source: str
    """The folder, or the version to go back to."""
    author: str | None
    note: str
    ask: bool
    dry_run: bool
    as_json: bool
    lang: str

    @property
    def by(self) -> str:
        return self.author or login_name()

    def text(self, name: str, **words: Any) -> str:
        return TEXTS[self.lang][name].format(**words)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an activation would change."""

    candidate: Candidate
    active: Activated | None
    differences: tuple[Difference, ...]
    impact: tuple[Impact, ...]
    rehearsals: tuple[Rehearsal, ...]
    unmanned: tuple[Problem, ...] = ()
    """Roles these rules tell and nobody holds, where people are in the record."""

    @property
    def active_already(self) -> bool:
        return self.active is not None and self.active.version == self.candidate.version


def fulfil(wish: Wish) -> int:
    """The exit code, after everything was said. Raises StoreAway, and SettingsError."""
    targets = find_targets()
    try:
        preview = asyncio.run(_look(targets, wish))
    except BundleRejected as rejected:
        if not wish.dry_run:
            asyncio.run(_tell_rejected(targets, wish, rejected))
        return _show_rejected(wish, rejected)
    if preview.active_already:
        return asyncio.run(_stay(targets, wish, preview))
    _show(wish, preview)
    if wish.dry_run:
        _result(wish, "dry_run", preview.candidate.version, preview.active)
        return 0
    # Nothing is held open while a person thinks.
    question = wish.text("ask", version=preview.candidate.version)
    if wish.ask and not typer.confirm(question, err=True):
        _result(wish, "declined", preview.candidate.version, preview.active)
        return BAD
    return asyncio.run(_activate(targets, wish, preview))


async def preview_of(database: Database, candidate: Candidate) -> Preview:
    """What activating this candidate would change, by what is active and open now. Raises StoreAway."""
    store, cases = BundleStore(database), RunningCases(database)
    active = await store.active()
    stored = await store.get(active.version) if active is not None else None
    if stored is not None and stored.version == candidate.version:
        return Preview(candidate, active, (), (), ())
    people, now = await RecipientStore(database).all(), SystemTime().now()
    unmanned = await asyncio.to_thread(check_recipients, candidate.bundle, people, now) if people else ()
    if stored is None:
        return Preview(candidate, active, (), (), (), unmanned)
    words = await asyncio.to_thread(differences, stored.files, candidate.files)
    impact = await impact_of(candidate, stored, cases)
    record = MongoCaseRecord(database.client, database)
    rehearsals: list[Rehearsal] = []
    for each in impact:
        if each.follows and each.cases:
            sample: list[str] = []
            async for case in cases.outdated({each.policy: each.digest}):
                sample.append(case.case_id)
                if len(sample) == SAMPLE:
                    break
            rehearsals.append(await rehearse(record, candidate.bundle, each.policy, sample, now))
    return Preview(candidate, active, words, impact, tuple(rehearsals), unmanned)


async def _look(targets: Targets, wish: Wish) -> Preview:
    async with open_record(targets, "rules") as database:
        # Without a bus: nothing is announced before somebody has said yes.
        bundles = Bundles(BundleStore(database), SystemTime(), None, targets.matcher)
        with _busy(wish, "busy_checking"):
            candidate = await bundles.prepare(wish.files, wish.by, wish.note)
        with _busy(wish, "busy_looking"):
            return await preview_of(database, candidate)


def _busy(wish: Wish, text: str) -> AbstractContextManager[object]:
    """A word on the terminal for as long as it takes; nothing where there is no terminal."""
    screen = errors()
    return screen.status(wish.text(text)) if screen.is_terminal and not wish.as_json else nullcontext()


async def _stay(targets: Targets, wish: Wish, preview: Preview) -> int:
    """What was wanted is active already."""
    if wish.what == "push" and not wish.dry_run:
        async with open_record(targets, "rules") as database:
            await BundleStore(database).note_folder(preview.candidate.version)
    _result(wish, "unchanged", preview.candidate.version, preview.active)
    return 0


async def _activate(targets: Targets, wish: Wish, preview: Preview) -> int:
    was = preview.active.version if preview.active is not None else None
    async with open_record(targets, "rules") as database, _publishing(targets, wish) as publish:
        store = BundleStore(database)
        bundles = Bundles(store, SystemTime(), publish, targets.matcher)
        try:
            done = await bundles.activate(preview.candidate, wish.by, wish.note, was)
        except ActivationLost as lost:
            winner = await store.active()
            _result(wish, "lost", lost.version, winner)
            return BAD
        if wish.what == "push":
            # `reeve up` on this folder need not push it once more, nor undo a later rollback.
            await store.note_folder(done.version)
        if publish is not None and done.changed and not done.announced:
            errors().print(wish.text("unannounced"), style="yellow")
    follow = sum(each.cases for each in preview.impact if each.follows)
    outcome = "activated" if done.changed else "unchanged"
    _result(wish, outcome, done.version, preview.active, announced=done.announced, following=follow)
    return 0


async def _tell_rejected(targets: Targets, wish: Wish, rejected: BundleRejected) -> None:
    async with open_record(targets, "rules") as database, _publishing(targets, wish) as publish:
        bundles = Bundles(BundleStore(database), SystemTime(), publish, targets.matcher)
        await bundles.announce_rejected(rejected, wish.files, wish.by, wish.note)


@asynccontextmanager
async def _publishing(targets: Targets, wish: Wish) -> AsyncIterator[Publish | None]:
    """A way to the bus; None with a word about it if that is away, because the record alone decides."""
    async with AsyncExitStack() as stack:
        try:
            publisher = BusPublisher(await stack.enter_async_context(open_bus(targets, "rules")))
            await publisher.start()
        except BusAway:
            errors().print(wish.text("bus_away"), style="yellow")
            yield None
            return

        async def publish(message: OutMessage) -> None:
            await publisher.publish(message.subject, message.id, message.body)

        yield publish


# --- what is said ---------------------------------------------------------------------------------------------


def _show(wish: Wish, preview: Preview) -> None:
    candidate = preview.candidate
    warnings = [*candidate.warnings, *preview.unmanned]
    if wish.as_json:
        for problem in warnings:
            print_json({"row": "problem", **problem.as_json(wish.lang)})
        for each in preview.differences:
            print_json({"row": "difference", **each.as_json(), "says": each.say(wish.lang)})
        for impact in preview.impact:
            print_json({"row": "cases", **impact.as_json()})
        for rehearsal in preview.rehearsals:
            print_json({"row": "sample", **rehearsal.as_json()})
        return
    for problem in warnings:
        print_line((problem.render(wish.lang), "yellow"))
    print_line(wish.text("checked", files=len(candidate.files), tests=candidate.tests))
    if preview.active is None:
        print_line(wish.text("first", version=candidate.version))
        return
    print_line((wish.text("changes", was=preview.active.version, version=candidate.version), "bold"))
    for line in difference_lines(preview.differences, wish.lang):
        print_line(line)
    print_line((wish.text("cases"), "bold"))
    if not preview.impact:
        print_line("  " + wish.text("no_cases"))
    samples = {rehearsal.policy: rehearsal for rehearsal in preview.rehearsals}
    for impact in preview.impact:
        print_line("  " + impact.say(wish.lang))
        if impact.policy in samples:
            print_line("    " + _sample(wish, samples[impact.policy], impact))


def difference_lines(found: tuple[Difference, ...], lang: str) -> list[tuple[str, str]]:
    """Each difference with a sign and a colour; never empty."""
    if not found:
        return [("  " + TEXTS[lang]["no_differences"], "")]
    lines = []
    for each in found:
        sign, style = _MARKS.get(each.kind, ("~", ""))
        lines.append((f"  {sign} {each.say(lang)}", style))
    return lines


def _sample(wish: Wish, rehearsal: Rehearsal, impact: Impact) -> str:
    of = wish.text("sample_all" if rehearsal.looked_at >= impact.cases else "sample", n=rehearsal.looked_at)
    if rehearsal.quiet:
        return of + wish.text("sample_quiet")
    said = [
        wish.text("sample_grade", n=n, was=was or "-", grade=grade)
        for (was, grade), n in rehearsal.grades.most_common()
    ]
    counted = ("breached", "notifications", "closed", "failed")
    said += [wish.text(f"sample_{name}", n=n) for name in counted if (n := getattr(rehearsal, name))]
    return of + wish.text("comma").join(said)


def _show_rejected(wish: Wish, rejected: BundleRejected) -> int:
    if wish.as_json:
        for problem in rejected.problems:
            print_json({"row": "problem", **problem.as_json(wish.lang)})
        for outcome in rejected.failed:
            failures = [failure.as_json() for failure in outcome.failures]
            pos = outcome.scenario.pos
            row = {"file": pos.file, "line": pos.line, "test": outcome.scenario.test, "failures": failures}
            print_json({"row": "failed_test", **row})
        for text in rejected.unsuitable:
            print_json({"row": "problem", "message": text})
    else:
        for line in rejected.said(wish.lang):
            errors().print(line)
        if rejected.failed:
            errors().print(wish.text("scenarios"))
    _result(wish, "rejected", rejected.version, None)
    return BAD


def _result(
    wish: Wish,
    outcome: str,
    version: str,
    other: Activated | None,
    *,
    announced: bool = False,
    following: int = 0,
) -> None:
    """The last line. `other`: what was active before, or (lost, unchanged) what is active now."""
    if wish.as_json:
        row: dict[str, Any] = {"row": "result", "outcome": outcome, "version": version}
        if outcome != "rejected":
            row["active"] = version if outcome in ("activated", "unchanged") else other.version if other else None
        if outcome == "activated":
            row |= {"was": other.version if other else None, "by": wish.by, "note": wish.note or None}
            row |= {"announced": announced, "following": following}
        elif outcome == "lost" and other is not None:
            row |= {"by": other.author, "note": other.note or None}
        print_json(row)
        return
    words = {
        "version": version,
        "other": other.version if other else "",
        "by": other.author if other else "",
        "note": f" ({other.note})" if other and other.note else "",
        "source": wish.source,
        "n": following,
    }
    bad = outcome in ("rejected", "lost")
    line = wish.text(outcome, **words)
    if bad:
        errors().print(line, style="bold red")
        return
    print_line((line, "bold green" if outcome == "activated" else ""))
    if outcome == "activated" and following:
        print_line(wish.text("following", **words))
    if outcome == "activated" and other is not None:
        print_line(wish.text("way_back", **words))
