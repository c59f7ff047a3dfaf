"""Maps that keep what is in use in memory and the rest in a temporary file, for simulations of any length."""

from __future__ import annotations

import pickle
import sqlite3
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HOT = 5_000
"""Entries of one map kept in memory."""
_MARKS = 1 << 23
"""Bits that tell which keys may be on disk: a megabyte for each map that spills."""


class Spill:
    """A temporary database of maps; called with a name it gives that map. Use it as a context manager."""

    def __init__(self, hot: int = HOT) -> None:
        self._hot = hot
        self._folder = tempfile.TemporaryDirectory(prefix="reeve-")
        self.database = sqlite3.connect(Path(self._folder.name) / "spill.sqlite", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16000"):
            self.database.execute(f"PRAGMA {pragma}")
        self._maps: dict[str, SpilledMap] = {}

    def __call__(self, kind: str) -> MutableMapping[str, Any]:
        """The map of that name, a plain word; empty at first."""
        if kind not in self._maps:
            self._maps[kind] = SpilledMap(self.database, kind, self._hot)
        return self._maps[kind]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.close()
        self._folder.cleanup()


class InTimeOrder:
    """Things put in any order and read back in order of time; at equal times in the order they came. On disk."""

    def __init__(self, spill: Spill) -> None:
        self._database = spill.database
        self._database.execute("CREATE TABLE in_time_order (at REAL, number INTEGER PRIMARY KEY, value BLOB)")
        self._held: list[tuple[float, bytes]] = []

    def add(self, at: datetime, value: Any) -> None:
        """One more thing, at an aware moment."""
        self._held.append((at.timestamp(), pickle.dumps(value, pickle.HIGHEST_PROTOCOL)))
        if len(self._held) >= HOT:
            self._write()

    def _write(self) -> None:
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO in_time_order (at, value) VALUES (?, ?)", self._held)
        self._database.execute("COMMIT")
        self._held.clear()

    def __iter__(self) -> Iterator[Any]:
        self._write()
        for (value,) in self._database.execute("SELECT value FROM in_time_order ORDER BY at, number"):
            yield pickle.loads(value)  # noqa: S301 - written by this process, into its own temporary folder


class SpilledMap(MutableMapping[str, Any]):
    """A map whose least used entries are on disk. A value just read may be changed in place: it is written when
    it leaves memory."""

    def __init__(self, database: sqlite3.Connection, name: str, hot: int) -> None:
        self._database = database
        self._name = name
        self._limit = hot
        self._hot: OrderedDict[str, Any] = OrderedDict()
        self._marks: bytearray | None = None
        """A bit for each key that ever went to disk, shared by few: most keys asked for are new, and where there is
        no mark the disk need not be asked. None: nothing went there."""
        database.execute(f"CREATE TABLE {name} (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")

    def __getitem__(self, key: str) -> Any:
        if key in self._hot:
            self._hot.move_to_end(key)
            return self._hot[key]
        if not self._may_be_on_disk(key):
            raise KeyError(key)
        row = self._database.execute(f"SELECT value FROM {self._name} WHERE key = ?", (key,)).fetchone()  # noqa: S608
        if row is None:
            raise KeyError(key)
        value = pickle.loads(row[0])  # noqa: S301 - written by this process, into its own temporary folder
        self[key] = value
        return value

    def _may_be_on_disk(self, key: str) -> bool:
        if self._marks is None:
            return False
        place = hash(key) % _MARKS
        return bool(self._marks[place >> 3] & (1 << (place & 7)))

    def __setitem__(self, key: str, value: Any) -> None:
        self._hot[key] = value
        self._hot.move_to_end(key)
        if len(self._hot) > self._limit:
            self._let_go(self._limit // 5)

    def _let_go(self, count: int) -> None:
        marks = self._marks
        if marks is None:
            marks = self._marks = bytearray(_MARKS >> 3)
        rows = []
        for _ in range(count):
            key, value = self._hot.popitem(last=False)
            place = hash(key) % _MARKS
            marks[place >> 3] |= 1 << (place & 7)
            rows.append((key, pickle.dumps(value, pickle.HIGHEST_PROTOCOL)))
        self._database.execute("BEGIN")
        self._database.executemany(f"INSERT OR REPLACE INTO {self._name} VALUES (?, ?)", rows)  # noqa: S608
        self._database.execute("COMMIT")

    def __delitem__(self, key: str) -> None:
        known = key in self
        self._hot.pop(key, None)
        self._database.execute(f"DELETE FROM {self._name} WHERE key = ?", (key,))  # noqa: S608
        if not known:
            raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        yield from list(self._hot)
        for (key,) in self._database.execute(f"SELECT key FROM {self._name}").fetchall():  # noqa: S608
            if key not in self._hot:
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)
