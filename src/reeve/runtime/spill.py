"""Cases of a simulation that don't fit into memory: those used lately at hand, the rest in a temporary file."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping

from reeve.domain.case import Case
from reeve.domain.stored import dump_case, load_case

_AT_HAND = 4_000
_MOVED_AT_ONCE = 500


class SpilledCases(MutableMapping[str, Case]):
    """Case id → case. A case read again is equal to the one put in, not always the same object."""

    def __init__(self, at_hand: int = _AT_HAND) -> None:
        """Empty. `at_hand`: how many cases stay in memory."""
        self._most = at_hand
        self._cases: OrderedDict[str, Case] = OrderedDict()
        # An empty name is SQLite's own temporary file, which is gone when the connection is.
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000;"
            "CREATE TABLE cases (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;"
        )
        self._stored = 0

    def close(self) -> None:
        """The temporary file is gone."""
        self._file.close()

    def __getitem__(self, id: str) -> Case:
        case = self._cases.get(id)
        if case is not None:
            self._cases.move_to_end(id)
            return case
        row = self._file.execute("SELECT state FROM cases WHERE id = ?", (id,)).fetchone() if self._stored else None
        if row is None:
            raise KeyError(id)
        case = load_case(row[0])
        self._put(id, case)
        return case

    def __setitem__(self, id: str, case: Case) -> None:
        self._put(id, case)
        self._cases.move_to_end(id)

    def __delitem__(self, id: str) -> None:
        here = self._cases.pop(id, None) is not None
        removed = self._file.execute("DELETE FROM cases WHERE id = ?", (id,)).rowcount
        self._stored -= removed
        if not here and not removed:
            raise KeyError(id)

    def __iter__(self) -> Iterator[str]:
        yield from list(self._cases)
        for (stored,) in self._file.execute("SELECT id FROM cases"):
            if stored not in self._cases:
                yield stored

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _put(self, id: str, case: Case) -> None:
        self._cases[id] = case
        if len(self._cases) > self._most + _MOVED_AT_ONCE:
            moved = [self._cases.popitem(last=False) for _ in range(_MOVED_AT_ONCE)]
            self._file.execute("BEGIN")
            self._file.executemany(
                "INSERT OR REPLACE INTO cases VALUES (?, ?)", [(key, dump_case(each)) for key, each in moved]
            )
            self._file.execute("COMMIT")
            self._stored += len(moved)
