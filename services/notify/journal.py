"""What is on the wire, on this machine's disk, so that a kill -9 leaves few messages of which nobody knows.

The record alone can't tell what a dead process had sent and not recorded yet, nor what it had only in hand. Lines
are appended right before a provider can have a message and after its answer, and never synced: they outlive the
process, not the machine, so a file of another boot is not believed. Ids and outcomes only, no address and no text.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from reeve.ports import StoreAway, TimeSource
from reeve.runtime.store.deliveries import Attempt, DeliveryStore, Settlement
from reeve.runtime.telemetry import get_log
from services.notify.settling import put_back

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_LARGEST_BYTES = 1_000_000
"""Then it is written anew, with what still matters alone."""

log = get_log(__name__)


class Journal:
    """The lines of one living process, which holds the file's lock."""

    def __init__(self, folder: Path, record: str, claim: str) -> None:
        """`record` says which record it belongs to. Raises OSError, also where a boot has no id (Linux has)."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.claim = claim
        self._path = folder / f"{_prefix(record)}{claim}"
        self._open: dict[str, bytes] = {}
        """Delivery id → its last line, until the record has it."""
        self._file = _locked(self._path)

    def begun(self, ids: Iterable[str]) -> None:
        """A provider may have these from now on."""
        for each in ids:
            self._note(each, {"begun": each})

    def refused(self, ids: Iterable[str]) -> None:
        """No provider has these after all; another is asked."""
        self._forget([each for each in ids if each in self._open])

    def ended(self, settlement: Settlement) -> None:
        """This is what became of one; the record does not have it yet."""
        self._note(settlement.id, {"ended": settlement})

    def recorded(self, ids: Collection[str]) -> None:
        """The record has them."""
        self._forget(ids)
        if os.fstat(self._file).st_size > _LARGEST_BYTES:
            self._write_anew()

    def close(self) -> None:
        """Nothing of it is left, unless something did not get into the record."""
        if not self._open:
            self._path.unlink(missing_ok=True)
        os.close(self._file)

    def _note(self, id: str, entry: dict[str, Any]) -> None:
        self._open[id] = line = orjson.dumps(entry) + b"\n"
        os.write(self._file, line)

    def _forget(self, ids: Collection[str]) -> None:
        for each in ids:
            self._open.pop(each, None)
        if ids:
            os.write(self._file, orjson.dumps({"recorded": list(ids)}) + b"\n")

    def _write_anew(self) -> None:
        written = self._path.with_name(f"{self._path.name}.new")
        file = _locked(written)
        os.write(file, b"".join(self._open.values()))
        written.replace(self._path)
        os.close(self._file)
        self._file = file


@dataclass(slots=True)
class _Left:
    """What a dead process left behind."""

    claim: str
    ended: list[Settlement] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)


async def take_over(folder: Path, record: str, deliveries: DeliveryStore, time: TimeSource) -> None:
    """What dead processes of this machine had in hand goes on at once: sent is recorded as sent, never begun is
    queued again, and only what was on the wire is unknown. With the record away the files wait for the next start.
    """
    for path, file in _of_the_dead(folder, record):
        try:
            if path.name.startswith(_prefix(record)) and path.suffix != ".new":
                await _follow(_read(path, record), deliveries, time)
            path.unlink(missing_ok=True)
        except StoreAway:
            log.warning("The record is away; what a crash left waits for its lease.", action="journal_waits")
        finally:
            os.close(file)


def _of_the_dead(folder: Path, record: str) -> Iterator[tuple[Path, int]]:
    """Each file that no living process holds, locked now."""
    for path in sorted(folder.glob(f"{_record_digest(record)}.*")):
        try:
            yield path, _locked(path)
        except OSError:
            continue  # its process lives


async def _follow(left: _Left, deliveries: DeliveryStore, time: TimeSource) -> None:
    await deliveries.record(left.ended)
    held = await deliveries.held_by(left.claim)
    now = time.now()
    never = [each for each in held if each.id not in left.begun]
    await deliveries.record([put_back(each, now) for each in never])
    await deliveries.renew([each.id for each in held if each.id in left.begun], [left.claim], now)
    log.info(
        "What a crash left is taken over.",
        action="journal_read",
        sent=len(left.ended),
        queued=len(never),
        unknown=len(held) - len(never),
    )


def _read(path: Path, record: str) -> _Left:
    last: dict[str, Settlement | None] = {}
    for entry in _entries(path):
        if "begun" in entry:
            last[entry["begun"]] = None
        elif "ended" in entry:
            last[entry["ended"]["id"]] = _settlement(entry["ended"])
        else:
            for each in entry["recorded"]:
                last.pop(each, None)
    ended = [each for each in last.values() if each is not None]
    begun = {key for key, each in last.items() if each is None}
    return _Left(path.name.removeprefix(_prefix(record)), ended, begun)


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines():
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            return  # the last one, cut by the kill: nothing of it was sent yet


def _settlement(values: dict[str, Any]) -> Settlement:
    moments = {name: datetime.fromisoformat(values[name]) for name in ("at", "due_at")}
    attempts = tuple(Attempt(**{**each, "at": datetime.fromisoformat(each["at"])}) for each in values["attempts"])
    return Settlement(**{**values, **moments, "attempts": attempts, "references": tuple(values["references"])})


def _record_digest(record: str) -> str:
    return hashlib.sha256(record.encode()).hexdigest()[:12]


def _prefix(record: str) -> str:
    """Of the names of files that belong to this record and to this boot of the machine."""
    boot = _BOOT_ID.read_text(encoding="ascii").strip()
    return f"{_record_digest(record)}.{boot}."


def _locked(path: Path) -> int:
    """The file, opened for appending and locked. Raises OSError when another process has it."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file
