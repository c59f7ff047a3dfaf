"""`reeve budget`: a site's SMS of this month, where that leads, and what goes another way because of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reeve.cli.ending import fail
from reeve.cli.exit_codes import USAGE
from reeve.cli.flood.texts import TEXTS
from reeve.cli.options import Lang, OnlySite
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.running import run
from reeve.cli.speaking import spoken_language

if TYPE_CHECKING:
    from reeve.domain.bundle import Bundle


def budget(
    site: OnlySite = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a site and line.")] = False,
    lang: Lang = None,
) -> None:
    """Show the SMS segments used this month, the forecast for its end, and what is degraded where it does not last.

    A budget stands in site.yaml: `sms_budget: {segments: 5000}`, a calendar month at the site. A site without
    one has no line. Exit codes: 0 shown, also where there is no budget; 2 no such site, 3 MongoDB is away.

    Examples: reeve budget; reeve budget --site sunshine-garden --json | jq .forecast
    """
    words = TEXTS[spoken_language(lang)]
    rows = run(_rows(site, words))
    for row in rows:
        if as_json:
            print_json(row)
            continue
        style = "bold red" if row["used"] >= row["budget"] else "yellow" if row["degraded"] else "green"
        print_line((f"{row['site']}  ", "bold"), (words["budget"].format(**row), style))
        if row["degraded"]:
            grades = ", ".join([*row["grades"], words["ungraded"]])
            print_line((f"  {words['degraded'].format(grades=grades)}", "yellow"))
    if not rows and not as_json:
        errors().print(words["no_such_budget"].format(site=site) if site else words["no_budget"].format())


async def _rows(only: str | None, words: dict[str, str]) -> list[dict[str, Any]]:
    from reeve.cli.rules.versions import active_rules
    from reeve.cli.targets import find_targets, open_record
    from reeve.domain.facts import zone_of
    from reeve.domain.flood.budget import month_of, usage
    from reeve.runtime.store.budgets import BudgetStore
    from reeve.runtime.store.mongo import store_errors
    from reeve.runtime.time_source import SystemTime

    now = SystemTime().now()
    async with open_record(find_targets(), "budget") as database:
        bundle = await active_rules(database)
        zones = {one.zone for one in (bundle.defaults, *bundle.sites.values())}
        with store_errors():
            # A site without a file of its own is known by its cases.
            sites = {*bundle.sites, *await database["cases"].distinct("site")}
        months = await BudgetStore(database).of_months({month_of(now, zone_of(zone)) for zone in zones})
    used = {each.site: each for each in months if each.month == month_of(now, zone_of(bundle.site(each.site).zone))}
    if only is not None:
        check_site(only, sites | used.keys(), words)
    rows = []
    for site in sorted(sites | used.keys() if only is None else {only}):
        settings = bundle.site(site)
        zone, segments = zone_of(settings.zone), settings.flood.sms_budget
        if segments is None:
            continue
        found = usage(used[site].segments if site in used else 0, segments, now, zone)
        rows.append(
            {
                "site": site,
                "month": month_of(now, zone),
                "used": found.used,
                "budget": found.budget,
                "percent": found.percent,
                "forecast": found.forecast,
                "degraded": found.degraded,
                "grades": _milder(bundle) if found.degraded else [],
            }
        )
    return rows


def check_site(site: str, known: Collection[str], words: dict[str, str]) -> None:
    """Ends the command where nothing is known of such a site, and says which may be meant."""
    from reeve.rulelang.problems import closest

    if site not in known:
        best = closest(site, known)
        hint = words["mean"].format(best=best) if best else words["nothing_like"].format(option="site")
        fail(words["unknown"].format(option="site", found=site, hint=hint), USAGE)


def _milder(bundle: Bundle) -> list[str]:
    from reeve.domain.flood.settings import WORST_RANK

    found = [
        grade for _, policy in sorted(bundle.policies.items()) for grade in policy.grade_order[WORST_RANK + 1 :]
    ]
    return list(dict.fromkeys(found))
