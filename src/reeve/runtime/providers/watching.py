"""Provider files that change under a running service: a save is noticed, and what is wrong with it told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from pathlib import Path

from prometheus_client import Counter, Gauge

from reeve.runtime.providers.faults import Fault
from reeve.runtime.providers.load import DEFAULT_FOLDER, files_in
from reeve.runtime.telemetry import get_log

_LOOK_SECONDS = 0.5

CHANGES = Counter("reeve_provider_files_changes_total", "Changed provider files, by what came of it", ["outcome"])
"""outcome: taken (what stands there runs), refused (it has faults: what ran before goes on)."""
FAULTS = Gauge(
    "reeve_provider_files_faults",
    "Faults in the provider files that keep what stands there from running; 0: it runs",
)

Look = tuple[tuple[str, int, int, int], ...]
"""The files from outside: a save changes it, whether it writes in place or puts another file there."""

log = get_log(__name__)


class FilesWatch:
    """Looks at the folder of providers and the file of REEVE_SMS_GATEWAY twice a second.

    Looked at and not listened to: mounted volumes and network folders report no changes, and there are a few files.
    """

    def __init__(self, folder: Path | None, sms_gateway: str | None) -> None:
        """What is saved from now on is a change: make it before the files are read. `folder` None is `channels`."""
        self._folder = folder if folder is not None else DEFAULT_FOLDER
        self._gateway = sms_gateway
        self._known = self._look()

    async def run(self, on_change: Callable[[], Awaitable[None]]) -> None:
        """`on_change` is awaited after every change, once the files have been left alone for a moment."""
        last = self._known
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            look = await asyncio.to_thread(self._look)
            if look == last and look != self._known:
                self._known = look
                await on_change()
            last = look

    def _look(self) -> Look:
        try:
            files = files_in(self._folder)
        except OSError:
            files = []
        if self._gateway and not self._gateway.startswith(("http://", "https://")):
            files.append(Path(self._gateway))
        return tuple(_seen(files))


def _seen(files: Iterable[Path]) -> Iterable[tuple[str, int, int, int]]:
    for path in files:
        try:
            stat = path.stat()
        except OSError:
            continue
        yield str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns


def tell_left_out(faults: Iterable[Fault]) -> None:
    """Each fault of files read at the start, by a service that runs without them, is in the log."""
    _tell(list(faults), "A provider's file can't be used; its posts are refused.", "provider_refused")


def tell_refused(faults: Iterable[Fault]) -> None:
    """Each fault of changed files is in the log; the change is counted."""
    CHANGES.labels("refused").inc()
    _tell(list(faults), "A provider's file has a fault; what ran before the change goes on.", "providers_refused")


def _tell(faults: Collection[Fault], sentence: str, action: str) -> None:
    """How many there are stands in FAULTS; each is named with its line and no value of the file."""
    FAULTS.set(len(faults))
    for fault in faults:
        log.error(
            sentence,
            action=action,
            source=fault.source,
            line=fault.line,
            place=fault.place,
            fault=fault.sentence,
        )


def tell_taken(before: Mapping[str, object], now: Mapping[str, object]) -> None:
    """What stands in the files runs: by name, what each was and is."""
    FAULTS.set(0)
    changed = {name for name in before.keys() & now.keys() if before[name] != now[name]}
    if not changed and before.keys() == now.keys():
        return  # a comment, or back to what runs anyway
    CHANGES.labels("taken").inc()
    log.info(
        "Provider files have changed; what they say runs from now on.",
        action="providers_changed",
        added=sorted(now.keys() - before.keys()),
        changed=sorted(changed),
        removed=sorted(before.keys() - now.keys()),
    )
