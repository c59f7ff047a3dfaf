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
from reeve.rulelang.problems import language
from reeve.runtime.bundles import Activation, ActivationLost, Bundles
from reeve.runtime.candidates import BundleRejected, Files
from reeve.runtime.impact import Impact, impact_of
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.running_cases import RunningCases

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
    """Keeps the active bundle in step with a folder that somebody edits: a valid save is a push without asking."""

    def __init__(
        self,
        bundles: Bundles,
        store: BundleStore,
        folder: Path,
        tell: Tell,
        author: str,
        cases: RunningCases | None = None,
        lang: str = "en",
    ) -> None:
        """`cases`: where to count the open cases that a save changes; None: that is not told."""
        self._bundles = bundles
        self._store = store
        self._folder = folder
        self._tell = tell
        self._author = author
        self._cases = cases
        self._lang = language(lang)
        self._warned: set[tuple[str, tuple[str, str]]] = set()
        """Warnings of the last save, by file and words: whoever saves twenty times reads each of them once."""

    async def start(self) -> str:
        """The folder is active if it changed since it last was; a few sentences about what is active now."""
        try:
            files = await asyncio.to_thread(read_folder, self._folder)
        except OSError as error:
            return self._say("unreadable", why=error.strerror or error) + await self._active()
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
            return self._say("empty") + await self._active()
        version = bundle_version(files)
        active = await self._store.active()
        if version == await self._store.folder_seen():
            if active is not None and active.version == version:
                return self._say("as_in_folder", version=version)
            return self._say("not_again", version=version, active=active.version if active is not None else "-")
        note = self._say("note", saved=self._folder.name)
        try:
            candidate = await self._bundles.prepare(files, self._author, note)
            before = await self._store.get(active.version) if active is not None else None
            impact = await impact_of(candidate, before, self._cases) if self._cases is not None else ()
            done = await self._bundles.activate(candidate, self._author, note, active.version if active else None)
        except BundleRejected as rejected:
            problems = "\n".join(f"  {line}" for line in rejected.said(self._lang))
            return f"{self._say('rejected')}{await self._active()}\n{problems}"
        except ActivationLost as lost:
            return self._say("lost", active=lost.active)
        await self._store.note_folder(version)
        return self._told(done, impact)

    async def _active(self) -> str:
        active = await self._bundles.active_version()
        return self._say("none") if active is None else self._say("stays", version=active)

    def _told(self, done: Activation, impact: tuple[Impact, ...]) -> str:
        if not done.changed:
            return self._say("unchanged", version=done.version)
        lines = [self._say("activated", version=done.version)]
        if done.was is not None:
            lines += [f"  {change}" for change in done.files]
            lines += [f"  {each.say(self._lang)}" for each in done.differences if each.kind != "layout"]
            lines += [f"  {each.say(self._lang)}" for each in impact if each.cases or each.kept]
        warned = {(warning.file, warning.say(self._lang)): warning for warning in done.warnings}
        fresh = [warning for key, warning in warned.items() if key not in self._warned]
        lines += [f"  {warning.render(self._lang)}" for warning in fresh]
        if known := len(warned) - len(fresh):
            lines.append("  " + self._say("warned", n=known))
        self._warned = set(warned)
        return "\n".join(lines)

    def _say(self, name: str, **words: object) -> str:
        return _TEXTS[self._lang][name].format(folder=self._folder, **words)


_TEXTS = {
    "en": {
        "unreadable": "{folder} can't be read ({why}); ",
        "empty": "No rule files in {folder}; ",
        "rejected": "These rules can't be activated; ",
        "none": "no rules are active.",
        "stays": "version {version} stays active.",
        "as_in_folder": "Rules: version {version} is active, as in {folder}.",
        "not_again": "Rules: version {active} is active, not {folder}: its version {version} was active before. "
        "Change a file there, or push it, to activate it.",
        "note": "saved in {saved}",
        "lost": "Not activated: meanwhile version {active} became the active one. "
        "Save again to activate this folder.",
        "unchanged": "Rules: version {version} is active already.",
        "activated": "Rules: version {version} is active now.",
        "warned": "Warnings as before: {n} (reeve rules check).",
    },
    "zh": {
        "unreadable": "{folder} 无法读取（{why}）；",
        "empty": "{folder} 中没有规则文件；",
        "rejected": "这些规则无法启用；",
        "none": "目前没有生效的规则。",
        "stays": "版本 {version} 继续生效。",
        "as_in_folder": "规则：版本 {version} 生效，与 {folder} 一致。",
        "not_again": "规则：生效的是版本 {active}，不是 {folder}：其版本 {version} 先前已启用过。"
        "改动其中文件或推送即可启用。",
        "note": "保存于 {saved}",
        "lost": "没有启用：此间版本 {active} 已生效。再次保存即可启用本文件夹。",
        "unchanged": "规则：版本 {version} 已经生效。",
        "activated": "规则：版本 {version} 现已生效。",
        "warned": "与之前相同的警告：{n} 条（reeve rules check）。",
    },
}
