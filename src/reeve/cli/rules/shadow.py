"""`reeve rules shadow`: candidate rules evaluated silently on live traffic, and what they would do otherwise."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import AsJson, Author, Lang, Note, Yes
from reeve.cli.output import errors, print_json, print_line, span
from reeve.cli.running import run
from reeve.cli.speaking import spoken_language

if TYPE_CHECKING:
    from reeve.cli.rules.activating import Wish
    from reeve.runtime.backtest.findings import Findings
    from reeve.runtime.store.shadows import Shadow

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    help="Show what the rules in the shadow would do otherwise on live traffic; promote or drop them.",
    epilog="Examples: reeve rules push new-rules --shadow; reeve rules shadow; reeve rules shadow --json | jq .; "
    "reeve rules shadow promote; reeve rules shadow drop",
)


_TEXTS = {
    "en": {
        "nobody_to_ask": "Nobody can be asked here: add --yes to activate.",
        "none": "No rules are in the shadow. Put some there with `reeve rules push DIR --shadow`.",
        "head": "Shadow {version}, since {since}, by {author}{note}",
        "against": "beside {active}, which was active then",
        "failed": "Its evaluation ended: {reason}. Mend the rules and push them again, or drop them.",
        "waiting": "Escalation has not looked at it yet.",
        "roles": "Roles count as one person each; people and rotas don't count (`reeve rules backtest` does).",
        "seen": "{events} events evaluated, {lag} behind.",
        "catching_up": "{events} events evaluated; there are more to come.",
        "started": "Version {version} is in the shadow: `reeve rules shadow` shows what it would do otherwise.",
        "replaced": "Version {version} was in the shadow before and is dropped.",
        "active_already": "Version {version} is active already; a shadow of it would show nothing.",
        "no_rules": "No rules are active yet: push these without --shadow.",
        "dropped": "Version {version} is in the shadow no more. Nothing else has changed.",
    },
    "zh": {
        "nobody_to_ask": "这里无法询问：加 --yes 直接启用。",
        "none": "没有规则在影子中运行。用 `reeve rules push DIR --shadow` 放入。",
        "head": "影子规则 {version}，自 {since}，{author}{note}",
        "against": "对照当时的现行规则 {active}",
        "failed": "评估已中止：{reason}。请修改规则后重新放入，或放弃。",
        "waiting": "升级服务还没有开始评估。",
        "roles": "每个角色按一人计：不看人员和值班表（`reeve rules backtest` 会看）。",
        "seen": "已评估 {events} 个事件，落后 {lag}。",
        "catching_up": "已评估 {events} 个事件，还有更多。",
        "started": "版本 {version} 已放入影子：`reeve rules shadow` 查看它会有什么不同。",
        "replaced": "之前在影子中的版本 {version} 已放弃。",
        "active_already": "版本 {version} 已是现行规则，放入影子不会有任何差别。",
        "no_rules": "还没有现行规则：请不带 --shadow 直接启用。",
        "dropped": "版本 {version} 已从影子中移除，其他一切不变。",
    },
}


@app.callback()
def show(
    context: typer.Context,
    top: Annotated[int, typer.Option(help="Show so many of the cases that differ most.", min=0, max=200)] = 10,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Show the rules in the shadow: how far their evaluation is, and what they would have done otherwise.

    Exit codes: 0 done, 1 there is no shadow or its evaluation failed, 2 wrong usage, 3 MongoDB is away.
    """
    if context.invoked_subcommand is None:
        raise typer.Exit(run(_show(top, as_json, spoken_language(lang))))


@app.command()
def promote(
    note: Note = "",
    author: Author = None,
    yes: Yes = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Activate the rules in the shadow, the same way as a push: checked, shown, asked. The shadow ends with it.

    Exit codes: 0 active now, 1 refused, declined, too late or no shadow, 2 wrong usage, 3 a server is away.
    """
    import sys

    from reeve.cli.rules.activating import Wish, fulfil

    language = spoken_language(lang)
    if not yes and not sys.stdin.isatty():
        fail(_TEXTS[language]["nobody_to_ask"], USAGE)
    shadow, files = run(_shadow_files())
    if shadow is None:
        errors().print(_TEXTS[language]["none"])
        raise typer.Exit(BAD)
    wish = Wish(
        "promote",
        files,
        shadow.version,
        author,
        note or shadow.note or "promoted from the shadow",
        not yes,
        False,
        as_json,
        language,
    )
    code = fulfil(wish)
    if code == 0:
        run(_drop(shadow))
    raise typer.Exit(code)


@app.command()
def drop(as_json: AsJson = False, lang: Lang = None) -> None:
    """End the shadow; its differences are gone. The active rules stay as they are.

    Exit codes: 0 done, 1 there is no shadow, 3 MongoDB is away.
    """
    language = spoken_language(lang)
    dropped = run(_drop(None))
    if as_json:
        print_json({"row": "result", "dropped": dropped.version if dropped else None})
    elif dropped is not None:
        print_line(_TEXTS[language]["dropped"].format(version=dropped.version))
    else:
        errors().print(_TEXTS[language]["none"])
    if dropped is None:
        raise typer.Exit(BAD)


def start_shadow(wish: Wish) -> int:
    """`reeve rules push --shadow`: the files are checked and their scenarios run, and then they are the shadow."""
    from reeve.runtime.candidates import BundleRejected

    try:
        return run(_start(wish))
    except BundleRejected as rejected:
        if wish.as_json:
            for problem in rejected.problems:
                print_json({"row": "problem", **problem.as_json(wish.lang)})
            print_json({"row": "result", "outcome": "rejected", "version": rejected.version})
        else:
            for line in rejected.said(wish.lang):
                errors().print(line)
        return BAD


async def _start(wish: Wish) -> int:
    from reeve.cli.targets import find_targets, open_record
    from reeve.runtime.bundles import Bundles, following
    from reeve.runtime.store.bundles import BundleStore
    from reeve.runtime.store.shadows import ShadowStore
    from reeve.runtime.time_source import SystemTime

    targets, time, texts = find_targets(), SystemTime(), _TEXTS[wish.lang]
    async with open_record(targets, "shadow") as database:
        bundles, shadows = BundleStore(database), ShadowStore(database)
        candidate = await Bundles(bundles, time, None, targets.matcher).prepare(wish.files, wish.by, wish.note)
        active = await bundles.active()
        if active is None or active.version == candidate.version:
            refusal = "no_rules" if active is None else "active_already"
            errors().print(texts[refusal].format(version=candidate.version))
            return BAD
        digests = [policy.digest for policy in candidate.bundle.policies.values()]
        await bundles.save(candidate.version, candidate.files, digests, following(candidate.bundle))
        before = await shadows.current()
        shadow = await shadows.start(candidate.version, wish.by, wish.note, time.now(), active.version)
    if wish.as_json:
        row = {"row": "result", "outcome": "shadow", "version": shadow.version, "active": shadow.active}
        print_json({**row, "replaced": before.version if before else None})
        return 0
    if before is not None:
        print_line(texts["replaced"].format(version=before.version))
    print_line((texts["started"].format(version=shadow.version), "bold green"))
    return 0


async def _show(top: int, as_json: bool, lang: str) -> int:
    from reeve.cli.targets import find_targets, open_record
    from reeve.runtime.store.shadows import ShadowStore
    from reeve.runtime.time_source import SystemTime

    async with open_record(find_targets(), "shadow") as database:
        store = ShadowStore(database)
        shadow = await store.current()
        cases = await store.differences(shadow, top) if shadow is not None else []
    if shadow is None:
        errors().print(_TEXTS[lang]["none"])
        return BAD
    if as_json:
        print_json({"row": "shadow", **_row(shadow, SystemTime().now())})
        for case in cases:
            print_json({"row": "case", **case})
    else:
        _print(shadow, cases, SystemTime().now(), lang)
    return BAD if shadow.failed else 0


def _row(shadow: Shadow, now: datetime) -> dict[str, object]:
    names = ("id", "version", "active", "since", "author", "note", "failed", "events", "until", "behind")
    row = {name: getattr(shadow, name) for name in names}
    lag = (now - shadow.until).total_seconds() if shadow.until else None
    return {**row, "lag_seconds": lag, "findings": dict(shadow.findings), "recipients_known": False}


def _print(shadow: Shadow, cases: list[Findings], now: datetime, lang: str) -> None:
    from reeve.cli.rules.backtest.view import print_cases, print_counts
    from reeve.runtime.backtest.findings import differs
    from reeve.runtime.backtest.texts import TEXTS

    texts = _TEXTS[lang]
    note = f" ({shadow.note})" if shadow.note else ""
    since = f"{shadow.since.astimezone():%Y-%m-%d %H:%M}"
    head = texts["head"].format(version=shadow.version, since=since, author=shadow.author, note=note)
    print_line((head, "bold"))
    print_line((texts["against"].format(active=shadow.active), "dim"))
    if shadow.failed:
        print_line((texts["failed"].format(reason=shadow.failed), "bold red"))
    if shadow.until is None or shadow.seen_at is None:
        print_line(texts["waiting"])
        return
    said = texts["catching_up" if shadow.behind else "seen"]
    print_line(said.format(events=f"{shadow.events:,}", lag=span(now - shadow.until)))
    print_line((texts["roles"], "dim"))
    found = {**shadow.findings, "recipients_known": False}
    if not differs(found):
        print_line(TEXTS[lang]["same"])
    print_counts(found, lang)
    print_cases(found, cases, lang)


async def _shadow_files() -> tuple[Shadow | None, dict[str, bytes]]:
    from reeve.cli.targets import find_targets, open_record
    from reeve.runtime.store.bundles import BundleStore
    from reeve.runtime.store.shadows import ShadowStore

    async with open_record(find_targets(), "shadow") as database:
        shadow = await ShadowStore(database).current()
        stored = await BundleStore(database).get(shadow.version) if shadow is not None else None
    return (shadow, dict(stored.files)) if stored is not None else (None, {})


async def _drop(only: Shadow | None) -> Shadow | None:
    """The shadow is gone; with `only`, if it is still that one."""
    from reeve.cli.targets import find_targets, open_record
    from reeve.runtime.store.shadows import ShadowStore

    async with open_record(find_targets(), "shadow") as database:
        store = ShadowStore(database)
        current = await store.current()
        if current is None or (only is not None and current.id != only.id):
            return None
        return await store.drop()
