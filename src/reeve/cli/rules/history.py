"""`reeve rules history` and `reeve rules diff`: which rules were active when, and what differs between two."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from reeve.cli.options import AsJson, Lang, Limit
from reeve.cli.output import errors, moment, print_json, print_line
from reeve.cli.running import run
from reeve.cli.speaking import spoken_language

HISTORY_EXAMPLES = "Examples: reeve rules history; reeve rules history --limit 5 --json"
DIFF_EXAMPLES = (
    "Examples: reeve rules diff; reeve rules diff active rules --text; reeve rules diff 3fa9 81c2; "
    "reeve rules diff old-rules rules --json"
)

_WORDS = {
    "en": {
        "active": "active",
        "none": "No rules were ever active here: run `reeve rules push`.",
        "left": "{count:,} open cases are still to follow the active rules.",
    },
    "zh": {
        "active": "生效中",
        "none": "这里还没有启用过规则：运行 `reeve rules push`。",
        "left": "还有 {count:,} 张未结工单尚未改用现行规则。",
    },
}


def history(
    limit: Limit = 20,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """List which rules became active when, by whom and why, newest first; and how many open cases still follow.

    Moments are in this computer's zone: rules are of all sites.

    Exit codes: 0 done, 3 MongoDB can't be reached.
    """
    run(_history(limit, as_json, spoken_language(lang)))


def diff(
    first: Annotated[
        str, typer.Argument(metavar="[A]", help="A version (its first letters), `active`, or a folder.")
    ] = "active",
    second: Annotated[
        str, typer.Argument(metavar="[B]", help="The same.", envvar="REEVE_RULES", show_envvar=False)
    ] = "rules",
    text: Annotated[bool, typer.Option("--text", help="Line by line, as a unified diff.")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Show what differs between two versions of the rules, in the words of the rules.

    Without arguments: what the folder `rules` would change if it were pushed. Two folders need no server.

    Exit codes: 0 done, whether they differ or not, 1 no such version or folder, 3 MongoDB can't be reached.
    """
    from reeve.cli.rules.activating import difference_lines
    from reeve.cli.rules.versions import rules_named
    from reeve.rulelang.comparing import differences, text_differences

    lang = spoken_language(lang)
    (one, was), (other, now) = rules_named(first, lang), rules_named(second, lang)
    if text and not as_json:
        for line in text_differences(was, now, (one, other)):
            print_line((line, _style(line)))
        return
    found = differences(was, now)
    if as_json:
        for each in found:
            print_json({**each.as_json(), "says": each.say(lang)})
        return
    for row in difference_lines(found, lang):
        print_line(row)


def _style(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")


async def _history(limit: int, as_json: bool, lang: str) -> None:
    from reeve.cli.targets import find_targets, open_record
    from reeve.runtime.store.bundles import BundleStore
    from reeve.runtime.store.running_cases import RunningCases

    async with open_record(find_targets(), "rules") as database:
        store = BundleStore(database)
        active = await store.active()
        found = await store.history(limit)
        stored = await store.get(active.version) if active is not None else None
        left = await RunningCases(database).count_outdated(stored.follows) if stored is not None else 0
    for each in found:
        is_active = active is not None and (each.version, each.at) == (active.version, active.at)
        at = each.at.astimezone().isoformat(timespec="seconds")
        row: dict[str, Any] = {
            "version": each.version,
            "at": at,
            "by": each.author,
            "note": each.note or None,
            "active": is_active,
        }
        if is_active:
            row["following"] = left
        if as_json:
            print_json(row)
            continue
        print_line(
            (f"{each.version}  ", "bold green" if is_active else ""),
            f"{moment(at)} {at[19:]}  {each.author:<12} {each.note}",
            (f"  {_WORDS[lang]['active']}" if is_active else "", "bold green"),
        )
    if as_json:
        return
    if not found:
        errors().print(_WORDS[lang]["none"])
    elif left:
        print_line((_WORDS[lang]["left"].format(count=left), "yellow"))
