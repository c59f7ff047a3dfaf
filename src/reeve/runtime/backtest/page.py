"""A comparison as one HTML file that needs nothing else: style and plots are in it, and there is no script.

Ids only (PRIVACY-01); whatever comes from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from html import escape
from typing import Any

from reeve.runtime.backtest.findings import Findings, sums
from reeve.runtime.backtest.plots import bars, days
from reeve.runtime.backtest.texts import TEXTS, beside, line_at, line_said, story

_MOST_ROLES = 12
"""Charts by day: the roles told most; the table above has all."""

_STYLE = """
:root { --paper: #fff; --ink: #1d2430; --dim: #667085; --rule: #e3e7ee; --was: #9aa7b8; --now: #2563c9;
  --good: #12805c; --bad: #b42318; --card: #f6f8fb; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161d; --ink: #e7ebf2; --dim: #98a2b3; --rule: #2a3240;
  --was: #66758a; --now: #6ea8ff; --good: #4fc79b; --bad: #ff8f83; --card: #1a202a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 64rem; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; overflow-wrap: anywhere; }
p { margin: .25rem 0; } .dim { color: var(--dim); } code { font-size: .92em; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0 0; }
.tile { flex: 1 1 10rem; background: var(--card); border: 1px solid var(--rule); border-radius: .6rem;
  padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.45rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.key span { display: inline-block; width: .8em; height: .8em; margin: 0 .35em 0 1em; border-radius: .15em; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--rule); vertical-align: top;
  overflow-wrap: anywhere; }
th { color: var(--dim); font-weight: 600; } td.n, th.n { text-align: right; padding-right: 1rem; }
.scroll { overflow-x: auto; } .lines { table-layout: fixed; font-size: .88rem; } .lines .at { color: var(--dim); }
svg { width: 100%; max-width: 42rem; height: auto; display: block; margin: .4rem 0; }
svg text { fill: var(--ink); font-size: 12px; } svg text.number { fill: var(--dim); font-size: 11px; }
svg line { stroke: var(--rule); } .was { fill: var(--was); background: var(--was); }
.now { fill: var(--now); background: var(--now); } .good { color: var(--good); } .bad { color: var(--bad); }
"""


def page(found: Findings, cases: Sequence[Findings], lang: str) -> str:
    """The page. `found` is `findings` with the heading of `story`; `cases` are `case_findings`."""
    texts = TEXTS[lang]
    body = [
        f"<h1>{escape(texts['title'])}</h1>",
        *(f'<p class="dim">{escape(sentence)}</p>' for sentence in story(found, lang)),
        _tiles(found, texts),
        _key(found, texts),
        *_grades(found, texts),
        *_breaches(found, texts),
        *_notifications(found, texts),
        *_cost(found, texts),
        *_cases(cases, texts, lang),
    ]
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(texts['title'])}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _key(found: Findings, texts: Mapping[str, str]) -> str:
    active, candidate = escape(str(found["active"])), escape(str(found["candidate"]))
    return (
        f'<p class="key dim"><span class="was"></span>{escape(texts["active"])} <code>{active}</code>'
        f'<span class="now"></span>{escape(texts["candidate"])} <code>{candidate}</code></p>'
    )


def _tiles(found: Findings, texts: Mapping[str, str]) -> str:
    total = sums(found)
    tiles = [(texts["cases_changed"], f"{found['changed_cases']:,}", 0)]
    for name, key in (("breaches", "breaches"), ("notifications", "notifications"), ("sms_segments", "sms")):
        before, after = total[name]["before"], total[name]["after"]
        tiles.append((texts[key], f"{before:,} → {after:,}", after - before))
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile"><span class="dim">{escape(label)}</span><b{_mood(change)}>{value}</b></div>'
            for label, value, change in tiles
        )
        + "</div>"
    )


def _grades(found: Findings, texts: Mapping[str, str]) -> list[str]:
    rows = [(f"{each['policy']} · {each['grade']}", each["before"], each["after"]) for each in found["gradings"]]
    moves = [[row["policy"], row["from"] or "–", row["to"] or "–", row["cases"]] for row in found["grades"]]
    opened = [_counted(row, "policy") for row in found["cases_opened"] if row["gained"] or row["lost"]]
    return [
        _heading(texts["gradings"]),
        bars(rows, texts["gradings"]) or _none(texts),
        _heading(texts["grades"]) if moves else "",
        _table([texts["policy"], texts["from"], texts["to"], texts["cases"]], moves),
        _heading(texts["opened"]) if opened else "",
        _table([texts[key] for key in ("policy", "before", "after", "gained", "lost")], opened),
    ]


def _counted(row: Mapping[str, Any], *names: str) -> list[Any]:
    return [*(row[name] for name in names), row["before"], row["after"], row["gained"], row["lost"]]


def _breaches(found: Findings, texts: Mapping[str, str]) -> list[str]:
    rows = [
        (f"{each['policy']} · {each['clock']}", each["before"], each["after"])
        for each in found["breaches"]
        if each["before"] or each["after"]
    ]
    changed = [
        [*_counted(row, "policy", "clock"), row["moved"]]
        for row in found["breaches"]
        if row["gained"] or row["lost"] or row["moved"]
    ]
    names = ("policy", "clock", "before", "after", "gained", "lost", "moved")
    return [
        _heading(texts["breaches"]),
        bars(rows, texts["breaches"]) or _none(texts),
        _table([texts[name] for name in names], changed),
    ]


def _notifications(found: Findings, texts: Mapping[str, str]) -> list[str]:
    by_day: dict[str, dict[str, tuple[int, int]]] = {}
    for row in found["notifications_per_day"]:
        by_day.setdefault(row["role"], {})[row["day"]] = (row["before"], row["after"])
    dates = _every_day([row["day"] for row in found["notifications_per_day"]])
    weights = {role: sum(map(sum, counts.values())) for role, counts in by_day.items()}
    shown = sorted(by_day, key=lambda role: (-weights[role], role))[:_MOST_ROLES]
    most = max((max(pair) for role in shown for pair in by_day[role].values()), default=1)
    people = [row for row in found["people"] if row["before"] != row["after"]]
    unreached = found["undeliverable"]
    return [
        _heading(texts["notifications"]),
        "" if found["recipients_known"] else f'<p class="dim">{escape(texts["one_each"])}</p>',
        _changes(found["notifications"], "role", texts["role"], texts) or _none(texts),
        _heading(texts["per_day"]) if shown else "",
        *(days(role, by_day[role], dates, most) for role in shown),
        _heading(texts["people"]) if people else "",
        _changes(people, "recipient", texts["person"], texts),
        f"<p>{escape(texts['undeliverable'])}: {unreached['before']:,} → {unreached['after']:,}</p>"
        if found["recipients_known"]
        else "",
    ]


def _every_day(days_with: Sequence[str]) -> list[str]:
    """From the first to the last, so that quiet days are seen as such."""
    if not days_with:
        return []
    first, last = date.fromisoformat(min(days_with)), date.fromisoformat(max(days_with))
    return [(first + timedelta(days=place)).isoformat() for place in range((last - first).days + 1)]


def _cost(found: Findings, texts: Mapping[str, str]) -> list[str]:
    failed = _changes(found["sms_not_rendered"], "message", texts["message"], texts)
    return [
        _heading(texts["sms"]),
        _changes(found["sms_segments"], "role", texts["role"], texts) or _none(texts),
        f'<p class="bad">{escape(texts["not_rendered"])}</p>' if failed else "",
        failed,
        _heading(texts["messages"]),
        _changes(found["messages"], "channel", texts["channel"], texts) or _none(texts),
    ]


def _cases(cases: Sequence[Findings], texts: Mapping[str, str], lang: str) -> list[str]:
    parts = [_heading(texts["most_changed"]), "" if cases else _none(texts)]
    for case in cases:
        grade = case["grade"]
        moved = f" · {grade['before'] or '–'} → {grade['after'] or '–'}" if grade else ""
        count = texts["lines"].format(count=case["differences"])
        parts.append(
            f"<h3><code>{escape(case['case'])}</code>{escape(moved)} <span class='dim'>{count}</span></h3>"
        )
        rows = [
            f"<tr><td>{_line(before, lang)}</td><td>{_line(after, lang)}</td></tr>"
            for before, after in beside(case["active"], case["candidate"])
        ]
        left = [texts["left_out"].format(count=count) if count else "" for count in case["left_out"].values()]
        if any(left):
            rows.append("<tr>" + "".join(f"<td class='dim'>{escape(text)}</td>" for text in left) + "</tr>")
        head = f"<tr><th>{escape(texts['active'])}</th><th>{escape(texts['candidate'])}</th></tr>"
        parts.append(f"<table class='lines'>{head}{''.join(rows)}</table>")
    return parts


def _line(line: Mapping[str, Any] | None, lang: str) -> str:
    if line is None:
        return ""
    return (
        f"<span class='at'>{escape(line_at(line))}</span> {escape(line_said(line, lang))} "
        f"<span class='dim'>{escape(str(line['because']['rule']))}</span>"
    )


def _changes(rows: Sequence[Mapping[str, Any]], key: str, label: str, texts: Mapping[str, str]) -> str:
    """A table of before, after and the change; empty where there are no rows."""
    cells = [[row[key], row["before"], row["after"], row["after"] - row["before"]] for row in rows]
    return _table([label, texts["before"], texts["after"], texts["change"]], cells)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return ""
    numbers = [all(isinstance(row[place], int) for row in rows) for place in range(len(head))]

    def cells(row: Sequence[Any], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=n' if number else ''}>{_cell(value)}</{tag}>"
            for value, number in zip(row, numbers, strict=True)
        )

    lines = [f"<tr>{cells(head, 'th')}</tr>", *(f"<tr>{cells(row, 'td')}</tr>" for row in rows)]
    return f"<div class='scroll'><table>{''.join(lines)}</table></div>"


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def _heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def _none(texts: Mapping[str, str]) -> str:
    return f'<p class="dim">{escape(texts["none"])}</p>'


def _mood(change: int) -> str:
    return ' class="bad"' if change > 0 else ' class="good"' if change < 0 else ""
