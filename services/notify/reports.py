"""What messages say besides their case: which duty it is and the report it makes, and how the site stands."""

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
from services.notify.site_state import SiteState, words_named


class Reports:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._cases = database["cases"]
        self._site = SiteState(database)

    async def words(self, bundle: Bundle, case: Case, language: str, message: str = "") -> dict[str, Any]:
        """Name → value: what a duty's messages may name, and what of the site the texts of `message` name.

        All of it as it is now; a report is of the cases opened in the period that ended when the duty came.
        """
        words: dict[str, Any] = {}
        if named := words_named(bundle, message):
            languages = languages_for(language, bundle.site(case.key.site))
            words |= await self._site.words(bundle, case, languages, named)
        return words if case.key.policy != POLICY else words | await self._of_duty(bundle, case, language)

    async def _of_duty(self, bundle: Bundle, case: Case, language: str) -> dict[str, Any]:
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
