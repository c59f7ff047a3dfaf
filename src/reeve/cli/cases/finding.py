"""The one case that somebody named, by its id or by its subject alone."""

from __future__ import annotations

from reeve.domain.case import Case
from reeve.domain.errors import ReeveError
from reeve.runtime.explaining.finding import find_cases
from reeve.runtime.store.mongo import Database


class NoSuchCase(ReeveError):
    """No case has this id or subject."""


class SeveralCases(ReeveError):
    """A subject alone does not say which case."""


async def find_case(database: Database, wanted: str) -> Case:
    """The case of this id, or the only one of this subject. Raises NoSuchCase or SeveralCases."""
    found = await find_cases(database, wanted)
    if not found:
        raise NoSuchCase(f"There is no case {wanted!r}; `reeve cases list --state all` shows what there is.")
    if len(found) > 1:
        names = ", ".join(str(each.key) for each in found)
        raise SeveralCases(f"Several cases have the subject {wanted!r}: {names}. Name one of these.")
    return found[0]
