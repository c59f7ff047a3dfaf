"""What the messages of a duty say besides its case: which duty it is, and the table of the report it makes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.duties import POLICY, SCHEDULED, duty_of, period_start
from reeve.domain.facts import zone_of
from reeve.domain.reports import tabulate
from reeve.domain.stored import load_case
from reeve.rulelang.titles import languages_for, title_in
from reeve.runtime.report_text import report_text
from reeve.runtime.store.mongo import Database, store_errors


class Reports:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._cases = database["cases"]

    async def words(self, bundle: Bundle, case: Case, language: str) -> dict[str, Any]:
        """Name → value for a duty's message; nothing for any other case.

        The table is of the cases as they are now, opened in the period that ended when the duty came.
        """
        if case.key.policy != POLICY:
            return {}
        duty = bundle.duties.get(duty_of(case))
        site = bundle.site(case.key.site)
        languages = languages_for(language, site)
        name = duty_of(case)
        words: dict[str, Any] = {"duty_title": title_in(duty.title if duty else {}, languages, name)}
        if duty is None or duty.report is None:
            return words
        at = datetime.fromisoformat(str(case.facts[SCHEDULED]))
        since = period_start(duty, at, site)
        zone = zone_of(site.zone)
        found = await self._opened(case.key.site, duty.report.cases, since, at)
        table = tabulate(duty.report, found, bundle.matcher)
        return words | {
            "report": report_text(table, duty.report, bundle, site, languages),
            "report_from": since.astimezone(zone),
            "report_to": at.astimezone(zone),
        }

    async def _opened(self, site: str, policies: tuple[str, ...], since: datetime, until: datetime) -> list[Case]:
        query = {
            "site": site,
            "policy": {"$in": list(policies)},
            "opened_at": {"$gte": since, "$lt": until},
            "unopened": {"$ne": True},
        }
        with store_errors():
            return [load_case(each["state"]) async for each in self._cases.find(query, {"state": 1})]
