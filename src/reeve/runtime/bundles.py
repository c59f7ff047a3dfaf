"""The active bundle: checked, recorded, switched to and announced; loaded again by every process that needs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from reeve.contracts.notices import rules_notice
from reeve.contracts.outgoing import OutMessage
from reeve.domain.bundle import Bundle, Matcher, Policy
from reeve.domain.errors import ReeveError
from reeve.ports import Away, TimeSource
from reeve.rulelang.load import LoadResult, bundle_version, load_bundle, read_folder
from reeve.rulelang.problems import Problem
from reeve.runtime.matchers import MatcherName, matcher_named, unsuitable
from reeve.runtime.run_scenarios import run_scenarios
from reeve.runtime.store.bundles import Activated, BundleStore, StoredBundle
from reeve.runtime.telemetry import get_log

log = get_log(__name__)

Publish = Callable[[OutMessage], Awaitable[None]]
"""Puts one message on the bus and returns when the bus has it; raises BusAway."""

Files = Mapping[str, bytes]
"""Path within the bundle → content."""


class BundleRejected(ReeveError):
    """A bundle with errors; the active one stays. Permanent until somebody mends the files."""

    def __init__(self, version: str, errors: list[str], problems: tuple[Problem, ...] = ()) -> None:
        super().__init__("These rules can't be activated:\n" + "\n".join(f"  {error}" for error in errors))
        self.version = version
        self.errors = errors
        """`file:line:column: what is wrong → what to write`, one each, in English."""
        self.problems = problems
        """Every problem found, warnings included, for whoever speaks another language."""


class ActivationLost(ReeveError):
    """Somebody else activated another version in the meantime; look at it, then try again."""

    def __init__(self, version: str, active: str | None) -> None:
        super().__init__(f"Not activated: meanwhile version {active or 'unknown'} became the active one.")
        self.version = version
        self.active = active


class NoBundle(ReeveError):
    """The record holds no active bundle, or one that this release can't read; `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Activation:
    """What an activation did."""

    version: str
    was: str | None
    """The version active before."""
    changed: bool
    """False: this version was active already, and nothing was done."""
    files: tuple[str, ...]
    """Paths that were added, changed or removed, each with `+`, `~` or `-` before it."""
    warnings: tuple[Problem, ...]


class Bundles:
    """One process's way to the bundles in the record.

    `publish` None: this process has no bus; what it activates is announced by the next one that has
    (`announce_pending`).
    """

    def __init__(
        self,
        store: BundleStore,
        time: TimeSource,
        publish: Publish | None = None,
        matcher: MatcherName = "closures",
    ) -> None:
        self._store = store
        self._time = time
        self._publish = publish
        self._matcher_name: MatcherName = matcher
        self._matcher: Matcher | None = None
        self._archive: dict[str, Policy] = {}

    async def seed(self, folder: Path) -> Activation | None:
        """The folder's rules are active if the record had none; None if it had.

        Raises BundleRejected, and OSError if the folder can't be read.
        """
        if await self._store.active() is not None:
            return None
        files = read_folder(folder)
        try:
            done = await self.activate(files, author="seed", note=f"first rules, from {folder.name}")
        except ActivationLost:  # another process seeded the same empty record
            return None
        if not done.changed:  # the same, between our two looks
            return None
        await self._store.note_folder(bundle_version(files))
        return done

    async def activate(self, files: Files, author: str, note: str = "", was: str | None = None) -> Activation:
        """These files are the active bundle, for every process, from now on.

        `was`: the version that the caller saw active, if it matters which; else the one active now. Raises
        BundleRejected (which is announced) and ActivationLost; in both cases the active bundle stays.
        """
        active = await self._store.active()
        before = await self._store.get(active.version) if active is not None else None
        result = load_bundle(files)
        errors = [problem.render() for problem in result.problems if problem.is_error]
        if result.bundle is not None:
            suits = unsuitable(result.bundle, self._matcher_name)
            errors += [f"{pos.file}:{pos.line}:{pos.column}: error: {text}" for pos, text in suits]
            errors += _failed_scenarios(result)
        if result.bundle is None or errors:
            rejected = BundleRejected(bundle_version(files), errors, tuple(result.problems))
            await self._announce_rejected(rejected, files, author, note)
            raise rejected
        version = result.bundle.version
        warnings = tuple(problem for problem in result.problems if not problem.is_error)
        was = was or (active.version if active is not None else None)
        if active is not None and active.version == was == version:
            return Activation(version, was, changed=False, files=(), warnings=warnings)
        await self._store.save(version, files, [policy.digest for policy in result.bundle.policies.values()])
        now = Activated(version, _whole_milliseconds(self._time.now()), author, note)
        if not await self._store.switch(was, now):
            current = await self._store.active()
            raise ActivationLost(version, current.version if current is not None else None)
        log.info("A bundle was activated.", action="bundle_activated", bundle=version, was=was)
        await self.announce_pending()
        return Activation(version, was, True, _differences(before, files), warnings)

    async def announce_pending(self) -> bool:
        """The active bundle is announced on `rules.activated` if it was not yet; whether it is now.

        Call it at start and whenever the bus comes back: an activation outlives a bus that was away.
        """
        active = await self._store.active()
        if active is None or active.announced or self._publish is None:
            return active is not None and active.announced
        stored = await self._store.get(active.version)
        notice = rules_notice(
            "activated",
            version=active.version,
            files=sorted(stored.files) if stored is not None else [],
            by=active.author,
            at=active.at,
            note=active.note or None,
        )
        try:
            await self._publish(notice)
        except Away:
            log.warning("An activation is not announced yet: the bus is away.", action="bundle_unannounced")
            return False
        await self._store.mark_announced(active)
        return True

    async def active_version(self) -> str | None:
        """Version of the active bundle; a cheap question, for polling."""
        active = await self._store.active()
        return active.version if active is not None else None

    async def load_active(self) -> Bundle:
        """The active bundle, loaded, with this process's matcher. Raises NoBundle.

        Its `archive` holds the policies that this process has loaded so far; `recall` adds to it.
        """
        active = await self._store.active()
        if active is None:
            raise NoBundle(
                "no rules are active yet: run `reeve rules push`, or start escalation with a rules folder"
            )
        stored = await self._store.get(active.version)
        bundle = self._loaded(stored) if stored is not None else None
        if bundle is None:
            raise NoBundle(f"the active rules, version {active.version}, can't be read by this release")
        return bundle

    async def recall(self, digest: str) -> bool:
        """The policy of that digest is in the archive of every bundle from here; false if no bundle has it.

        For a case that is pinned to an earlier file: call it on `PolicyMissing`, then decide again.
        """
        if digest in self._archive:
            return True
        stored = await self._store.with_policy(digest)
        return stored is not None and self._loaded(stored) is not None and digest in self._archive

    def _loaded(self, stored: StoredBundle) -> Bundle | None:
        bundle = load_bundle(stored.files).bundle
        if bundle is None:
            log.error("A recorded bundle can't be read.", action="bundle_unreadable", bundle=stored.version)
            return None
        if self._matcher is None:
            self._matcher = matcher_named(self._matcher_name)
        self._archive.update({policy.digest: policy for policy in bundle.policies.values()})
        return replace(bundle, matcher=self._matcher, archive=self._archive)

    async def _announce_rejected(self, rejected: BundleRejected, files: Files, author: str, note: str) -> None:
        log.warning("A bundle was rejected.", action="bundle_rejected", errors=len(rejected.errors))
        if self._publish is None:
            return
        notice = rules_notice(
            "rejected",
            version=rejected.version,
            files=sorted(files),
            by=author,
            at=self._time.now(),
            note=note or None,
            errors=rejected.errors,
        )
        try:
            await self._publish(notice)
        except Away:
            log.warning("A rejection could not be announced: the bus is away.", action="bundle_unannounced")


def _failed_scenarios(result: LoadResult) -> list[str]:
    """The scenarios that don't hold, a sentence each; none where there is no bundle to try them on."""
    if result.bundle is None:
        return []
    return [
        f"{outcome.scenario.pos}: error: the test `{outcome.scenario.test}` does not hold: {failure.render()}"
        for outcome in run_scenarios(result.bundle, result.scenarios)
        for failure in outcome.failures[:1]
    ]


def _whole_milliseconds(at: datetime) -> datetime:
    """MongoDB keeps milliseconds; what is announced must be what is stored."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _differences(before: StoredBundle | None, files: Files) -> tuple[str, ...]:
    old = before.files if before is not None else {}
    signs = {
        path: "+" if path not in old else "-" if path not in files else "~"
        for path in sorted({*old, *files})
        if old.get(path) != files.get(path)
    }
    return tuple(f"{sign} {path}" for path, sign in signs.items())
