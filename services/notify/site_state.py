"""What stands open at a site when a message about it is rendered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.duties import POLICY as DUTIES
from reeve.domain.stored import load_case
from reeve.rulelang.message_context import OF_SITES, TABLES
from reeve.rulelang.titles import ROLE_TITLES, title_in
from reeve.runtime.site_tables import MOST_ROWS, duties_text, mail_text, open_cases_text
from reeve.runtime.store.mongo import Database, Document, store_errors

MAIL = "mail"
_LIGHT = {"policy": 1, "grade": 1, "next_due": 1, "opened_at": 1}
_MOST_LOOKED_AT = 5000
"""Open cases of a site that are put in order; a site with more has another trouble."""


def words_named(bundle: Bundle, message: str) -> frozenset[str]:
    """Which of OF_SITES the message's texts name, in any language and on any channel."""
    sources = [
        text
        for channels in bundle.messages.get(message, {}).values()
        for said in channels.values()
        for text in ([said] if isinstance(said, str) else [str(part) for part in said.values()])
    ]
    return frozenset(name for name in OF_SITES if any(name in source for source in sources))


class SiteState:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._cases = database["cases"]

    async def words(
        self, bundle: Bundle, case: Case, languages: tuple[str, ...], named: Collection[str]
    ) -> dict[str, Any]:
        """Name → value of those named. The case itself, and others of its policy, are in no table."""
        words: dict[str, Any] = {}
        if "shift_role_title" in named:
            role = str(case.facts.get("role") or "")
            words["shift_role_title"] = title_in(ROLE_TITLES.get(role, {}), languages, role)
        site = bundle.site(case.key.site)
        for table in TABLES:
            if table not in named and f"{table}_count" not in named:
                continue
            found, count = await self._of(table, bundle, case)
            words[f"{table}_count"] = count
            if table == "open_cases":
                words[table] = open_cases_text(found, count, bundle, site, languages)
            elif table == "undelivered_mail":
                words[table] = mail_text(found, count, site, languages)
            else:
                words[table] = duties_text(found, count, bundle, site, languages)
        return words

    async def _of(self, table: str, bundle: Bundle, case: Case) -> tuple[list[Case], int]:
        """The first cases of a table, in its order, and how many there are."""
        query: Document = {"site": {"$in": _sites(bundle, case.key.site)}, "open": True, "unopened": {"$ne": True}}
        if table == "missed_duties":
            return await self._missed(query)
        if table == "undelivered_mail":
            query["family"] = MAIL
        else:
            query |= {"family": {"$ne": MAIL}, "policy": {"$nin": [case.key.policy, DUTIES]}}
        with store_errors():
            light = await self._cases.find(query, _LIGHT).limit(_MOST_LOOKED_AT).to_list()
            count = len(light) if len(light) < _MOST_LOOKED_AT else await self._cases.count_documents(query)
        light.sort(key=lambda each: _worst_first(bundle, each))
        return await self._whole([each["_id"] for each in light[:MOST_ROWS]]), count

    async def _missed(self, query: Document) -> tuple[list[Case], int]:
        with store_errors():
            found = self._cases.find(query | {"policy": DUTIES}, {"state": 1}).sort("opened_at", 1)
            cases = [load_case(each["state"]) async for each in found.limit(_MOST_LOOKED_AT)]
        missed = [each for each in cases if any(clock.breached_at for clock in each.clocks.values())]
        return missed, len(missed)

    async def _whole(self, ids: list[str]) -> list[Case]:
        with store_errors():
            found = await self._cases.find({"_id": {"$in": ids}}, {"state": 1}).to_list()
        cases = {each["_id"]: load_case(each["state"]) for each in found}
        return [cases[one] for one in ids if one in cases]


def _sites(bundle: Bundle, place: str) -> list[str]:
    """The site, or all sites of the organisation."""
    return [place, *(site for site, settings in bundle.sites.items() if settings.parent == place)]


def _worst_first(bundle: Bundle, light: Mapping[str, Any]) -> tuple[int, bool, Any, Any]:
    policy = bundle.policies.get(light["policy"])
    order = policy.grade_order if policy else ()
    rank = order.index(light["grade"]) if light["grade"] in order else len(order) or 99
    due = light["next_due"]
    return rank, due is None, due or light["opened_at"], light["_id"]
