"""The rules folder under `reeve up`: a valid save becomes the active bundle, an invalid one changes nothing.

The record says which content of the folder was activated last. So a folder that has not changed since is left
alone: after a rollback it does not push itself forward again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from watchfiles import awatch

from reeve.ports import Away
from reeve.rulelang.load import bundle_version, read_folder
from reeve.runtime.bundles import Activation, ActivationLost, Bundles
from reeve.runtime.candidates import BundleRejected, Files
from reeve.runtime.store.bundles import BundleStore

Tell = Callable[[str], None]
"""Shows text to whoever watches."""

_AWAY_SECONDS = 1.0


async def watch_folder(
    folder: Path, on_change: Callable[[Files], Awaitable[None]], ready: asyncio.Event | None = None
) -> None:
    """`on_change` gets the folder's files after every change of their content; runs until cancelled.

    Changes within a tenth of a second count as one, so an editor's write-and-rename is one. `ready` is set once
    nothing is missed any more. A folder that can't be read (moved away for a moment) is waited for.
    """
    last: str | None = None
    while True:
        try:
            # Wakes up once a second as well: network and container file systems don't report every change.
            async for _ in awatch(folder, debounce=400, step=100, rust_timeout=1000, yield_on_timeout=True):
                files = await asyncio.to_thread(read_folder, folder)
                version = bundle_version(files)
                if last is not None and version != last:
                    await on_change(files)
                last = version
                if ready is not None:
                    ready.set()
        except OSError:
            await asyncio.sleep(_AWAY_SECONDS)


class RulesFolder:
    """Keeps the active bundle in step with a folder that somebody edits."""

    def __init__(self, bundles: Bundles, store: BundleStore, folder: Path, tell: Tell, author: str) -> None:
        self._bundles = bundles
        self._store = store
        self._folder = folder
        self._tell = tell
        self._author = author

    async def start(self) -> str:
        """The folder is active if it changed since it last was; one sentence about what is active now."""
        try:
            files = await asyncio.to_thread(read_folder, self._folder)
        except OSError as error:
            return f"{self._folder} can't be read ({error.strerror or error}); {await self._active()}"
        return await self._take(files)

    async def watch(self, ready: asyncio.Event | None = None) -> None:
        """Every later save is taken or told about, until cancelled."""
        await watch_folder(self._folder, self._saved, ready)

    async def _saved(self, files: Files) -> None:
        while True:
            try:
                self._tell(await self._take(files))
            except Away:
                await asyncio.sleep(_AWAY_SECONDS)
            else:
                return

    async def _take(self, files: Files) -> str:
        if not files:
            return f"No rule files in {self._folder}; {await self._active()}"
        version = bundle_version(files)
        if version == await self._store.folder_seen():
            active = await self._bundles.active_version()
            if active == version:
                return f"Rules: version {version} is active, as in {self._folder}."
            return (
                f"Rules: version {active} is active, not {self._folder}: its version {version} was active before. "
                "Change a file there, or push it, to activate it."
            )
        try:
            done = await self._bundles.activate(files, self._author, f"saved in {self._folder.name}")
        except BundleRejected as rejected:
            problems = "\n".join(f"  {error}" for error in rejected.errors)
            return f"These rules can't be activated; {await self._active()}\n{problems}"
        except ActivationLost as lost:
            return f"{lost} Save again to activate this folder."
        await self._store.note_folder(version)
        return _told(done)

    async def _active(self) -> str:
        active = await self._bundles.active_version()
        return "no rules are active." if active is None else f"version {active} stays active."


def _told(done: Activation) -> str:
    if not done.changed:
        return f"Rules: version {done.version} is active already."
    lines = [f"Rules: version {done.version} is active now."]
    lines += [f"  {change}" for change in done.files] if done.was is not None else []
    lines += [f"  {warning.render()}" for warning in done.warnings]
    return "\n".join(lines)
