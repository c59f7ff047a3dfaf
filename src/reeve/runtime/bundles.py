"""The active bundle: checked, recorded, switched to and announced; loaded again by every process that needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from reeve.contracts.notices import rules_notice
from reeve.contracts.outgoing import OutMessage
from reeve.domain.bundle import Bundle, Matcher, Policy
from reeve.domain.errors import ReeveError
from reeve.ports import Away, TimeSource
from reeve.rulelang.comparing import changed_files, differences
from reeve.rulelang.differences import Difference
from reeve.rulelang.load import bundle_version, load_bundle, read_folder
from reeve.rulelang.problems import Problem
from reeve.runtime.candidates import BundleRejected, Candidate, Files, prepare
from reeve.runtime.matchers import MatcherName, matcher_named
from reeve.runtime.store.bundles import Activated, BundleStore, StoredBundle
from reeve.runtime.telemetry import get_log

log = get_log(__name__)

WHICHEVER = ""
"""In place of a version: whichever is active at that moment."""

Publish = Callable[[OutMessage], Awaitable[None]]
"""Puts one message on the bus and returns when the bus has it; raises BusAway."""


class ActivationLost(ReeveError):
    """Somebody else activated another version in the meantime; look at it, then try again."""

    def __init__(self, version: str, active: Activated | None) -> None:
        who = "another version" if active is None else f"{active.author} activated version {active.version}"
        noted = f" ({active.note})" if active is not None and active.note else ""
        super().__init__(
            f"Not activated: meanwhile {who}{noted}. "
            "Look at what it changed (`reeve rules diff`), take that into your files, then push again."
        )
        self.version = version
        self.active = active.version if active is not None else None


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
    differences: tuple[Difference, ...] = ()
    """What changed in the rules, in words; empty for a first bundle."""
    announced: bool = False
    """Whether the bus has the announcement; else whoever has a bus announces it within seconds."""


def following(bundle: Bundle) -> dict[str, str]:
    """Policy → digest of its file, of those whose open cases follow a change (`adopt`, `recompute`)."""
    return {name: policy.digest for name, policy in bundle.policies.items() if policy.on_change != "pin"}


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

    async def prepare(self, files: Files, author: str, note: str = "") -> Candidate:
        """The files, checked and tried. Raises BundleRejected, which is announced."""
        try:
            return await asyncio.to_thread(prepare, files, self._matcher_name, self._time.now().date())
        except BundleRejected as rejected:
            await self.announce_rejected(rejected, files, author, note)
            raise

    async def activate(
        self, wanted: Files | Candidate, author: str, note: str = "", was: str | None = WHICHEVER
    ) -> Activation:
        """These files are the active bundle, for every process, from now on.

        `was`: the version that the caller saw active (None: none was), if it matters which. Raises BundleRejected
        (which is announced) and ActivationLost; in both cases the active bundle stays.
        """
        candidate = wanted if isinstance(wanted, Candidate) else await self.prepare(wanted, author, note)
        version, warnings = candidate.version, candidate.warnings
        active = await self._store.active()
        if active is not None and active.version == version:
            return Activation(version, version, changed=False, files=(), warnings=warnings)
        if was == WHICHEVER:
            was = active.version if active is not None else None
        before = await self._store.get(was) if was is not None else None
        digests = [policy.digest for policy in candidate.bundle.policies.values()]
        await self._store.save(version, candidate.files, digests, following(candidate.bundle))
        now = Activated(version, _whole_milliseconds(self._time.now()), author, note)
        if not await self._store.switch(was, now):
            current = await self._store.active()
            if current is not None and current.version == version:
                return Activation(version, version, changed=False, files=(), warnings=warnings)
            raise ActivationLost(version, current)
        log.info("A bundle was activated.", action="bundle_activated", bundle=version, was=was)
        announced = await self.announce_pending()
        old = before.files if before is not None else {}
        words = await asyncio.to_thread(differences, old, candidate.files) if old else ()
        return Activation(version, was, True, changed_files(old, candidate.files), warnings, words, announced)

    async def announce_pending(self) -> bool:
        """The active bundle is announced on `rules.activated` if it was not yet; whether it is now.

        Call it at start and whenever the bus comes back: an activation outlives a bus that was away.
        """
        active = await self._store.active()
        if active is None or active.announced or self._publish is None:
            return active is not None and active.announced
        # Whoever activated it may have died before it was in the history.
        await self._store.write_down(active)
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
            log.info("An activation is not announced yet: the bus is away.", action="bundle_unannounced")
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
        bundle = await self._loaded(stored) if stored is not None else None
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
        return stored is not None and await self._loaded(stored) is not None and digest in self._archive

    async def digest_of(self, version: str, policy: str) -> str | None:
        """The digest of that policy's file in a recorded version, which `recall` finds from now on; None: it has
        none, or can't be read by this release."""
        stored = await self._store.get(version)
        bundle = await self._loaded(stored) if stored is not None else None
        found = bundle.policies.get(policy) if bundle is not None else None
        return found.digest if found is not None else None

    async def _loaded(self, stored: StoredBundle) -> Bundle | None:
        # Compiling takes a second for a large bundle; the loop that serves events goes on meanwhile.
        bundle = (await asyncio.to_thread(load_bundle, stored.files)).bundle
        if bundle is None:
            log.error("A recorded bundle can't be read.", action="bundle_unreadable", bundle=stored.version)
            return None
        if self._matcher is None:
            self._matcher = matcher_named(self._matcher_name)
        self._archive.update({policy.digest: policy for policy in bundle.policies.values()})
        return replace(bundle, matcher=self._matcher, archive=self._archive)

    async def announce_rejected(self, rejected: BundleRejected, files: Files, author: str, note: str = "") -> None:
        """It is on `rules.rejected`, unless there is no bus or it is away."""
        log.info("A bundle was rejected.", action="bundle_rejected", errors=len(rejected.errors))
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
            log.info("A rejection could not be announced: the bus is away.", action="bundle_unannounced")


def _whole_milliseconds(at: datetime) -> datetime:
    """MongoDB keeps milliseconds; what is announced must be what is stored."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
