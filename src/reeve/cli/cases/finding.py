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


_NO_CASE = (
    "There is no case {wanted!r}; `reeve cases list --state all` shows what there is.",
    "没有工单 {wanted!r}；`reeve cases list --state all` 列出全部工单。",
)
_SEVERAL = (
    "Several cases have the subject {wanted!r}: {names}. Name one of these.",
    "有多张工单的编号是 {wanted!r}：{names}。请写明其中一张。",
)


async def find_case(database: Database, wanted: str, lang: str = "en") -> Case:
    """The case of this id, or the only one of this subject. Raises NoSuchCase or SeveralCases."""
    found = await find_cases(database, wanted)
    if not found:
        raise NoSuchCase(_NO_CASE[lang == "zh"].format(wanted=wanted))
    if len(found) > 1:
        names = ", ".join(str(each.key) for each in found)
        raise SeveralCases(_SEVERAL[lang == "zh"].format(wanted=wanted, names=names))
    return found[0]
