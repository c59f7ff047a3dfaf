"""Points on the timelines of cases: found among the decisions, each with the case, the rule and the moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from pymongo import IndexModel

from reeve.runtime.store.mongo import Database, store_errors

INDEX = IndexModel([("scored", 1), ("at", 1)], name="scored", partialFilterExpression={"scored": True})
"""Of `decisions`: the few on which something scored."""
MARK = b'"effect":"scored"'


@dataclass(frozen=True, slots=True)
class Point:
    """Points for one thing that happened."""

    at: str
    """RFC 3339 with the site's offset."""
    case: str
    """Case id."""
    points: int
    to: str | None
    """Who has them: a department's or a person's id; None: the case names nobody."""
    fact: str | None
    rule: str
    """`<file>:<line>`."""


class Scores:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._decisions = database["decisions"]

    async def points(self, month: str, site: str | None = None) -> AsyncIterator[Point]:
        """Everything that scored in that month (`2026-11`) of the site's own calendar, in the order decided."""
        # Nothing is decided before it happens; the day is for sites whose month begins before UTC's does.
        first = datetime.fromisoformat(f"{month}-01T00:00:00+00:00") - timedelta(days=1)
        with store_errors():
            found = self._decisions.find({"scored": True, "at": {"$gte": first}}, {"case": 1, "lines": 1})
            async for document in found.sort([("at", 1), ("_id", 1)]):
                if site is not None and not document["case"].startswith(f"{site}/"):
                    continue
                for line in orjson.loads(document["lines"]):
                    if line["effect"] == "scored" and line["at"].startswith(month):
                        yield _point(document["case"], line)


def _point(case: str, line: dict[str, Any]) -> Point:
    rule = line["because"]["rule"]
    return Point(line["at"], case, line["points"], line.get("to"), line.get("fact"), rule)
