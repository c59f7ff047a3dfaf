"""A comparison of two sets of rules as people read it on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from reeve.cli.output import print_line
from reeve.runtime.backtest.findings import Findings
from reeve.runtime.backtest.texts import TEXTS, beside, line_at, line_said, story

_WIDEST = 84
"""Columns of a line of the active rules, beside which the candidate's stands."""


def print_comparison(found: Findings, cases: Sequence[Findings], lang: str) -> None:
    """The whole report: what was compared, every count that changes, the cases that change most."""
    texts = TEXTS[lang]
    print_line((f"{texts['active']} {found['active']} → {texts['candidate']} {found['candidate']}", "bold"))
    for sentence in story(found, lang):
        print_line(sentence)
    if not found["recipients_known"]:
        print_line((texts["one_each"], "dim"))
    print_counts(found, lang)
    print_cases(found, cases, lang)


def print_cases(found: Findings, cases: Sequence[Findings], lang: str) -> None:
    """The cases that change most, and how many more there are."""
    texts = TEXTS[lang]
    if cases:
        _head(texts["most_changed"])
    for case in cases:
        _print_case(case, lang)
    left = found["changed_cases"] - len(cases)
    if cases and left > 0:
        print_line((texts["rest"].format(count=f"{left:,}"), "dim"))


def print_counts(found: Findings, lang: str) -> None:
    """Every count that changes; nothing of what stays the same."""
    texts = TEXTS[lang]
    moves = [[row["policy"], row["from"] or "–", row["to"] or "–", row["cases"]] for row in found["grades"]]
    _table(texts["grades"], [texts[key] for key in ("policy", "from", "to", "cases")], moves)
    gains = ("before", "after", "gained", "lost")
    opened = [row for row in found["cases_opened"] if row["gained"] or row["lost"]]
    _table(
        texts["opened"],
        [texts[key] for key in ("policy", *gains)],
        [[row[key] for key in ("policy", *gains)] for row in opened],
    )
    keys = ("policy", "clock", *gains, "moved")
    breaches = [row for row in found["breaches"] if row["gained"] or row["lost"] or row["moved"]]
    _table(texts["breaches"], [texts[key] for key in keys], [[row[key] for key in keys] for row in breaches])
    for name, key, word in (
        ("notifications", "role", "role"),
        ("people", "recipient", "person"),
        ("messages", "channel", "channel"),
        ("sms_segments", "role", "role"),
        ("sms_not_rendered", "message", "message"),
    ):
        title = {"sms_segments": "sms", "sms_not_rendered": "not_rendered"}.get(name, name)
        rows = [row for row in found[name] if name == "sms_not_rendered" or row["before"] != row["after"]]
        cells = [[row[key], row["before"], row["after"], _signed(row["after"] - row["before"])] for row in rows]
        _table(texts[title], [texts[each] for each in (word, "before", "after", "change")], cells)
    unreached = found["undeliverable"]
    if unreached["before"] != unreached["after"]:
        print_line("")
        print_line(f"{texts['undeliverable']}: {unreached['before']:,} → {unreached['after']:,}")


def _print_case(case: Findings, lang: str) -> None:
    """One case: the lines that only one side has, beside each other in order of time."""
    texts = TEXTS[lang]
    grade = case["grade"]
    moved = f"  {grade['before'] or '–'} → {grade['after'] or '–'}" if grade else ""
    print_line("")
    count = texts["lines"].format(count=case["differences"])
    print_line((case["case"], "bold"), (moved, "yellow"), (f"  {count}", "dim"))
    pairs = beside(case["active"], case["candidate"])
    rows = [(_said(before, lang), _said(after, lang)) for before, after in pairs]
    left = case["left_out"]
    if any(left.values()):
        more = {side: texts["left_out"].format(count=count) if count else "" for side, count in left.items()}
        rows.append((more["active"], more["candidate"]))
    width = min(_WIDEST, max(cell_len(text) for text in (texts["active"], *(row[0] for row in rows))))
    print_line((f"  {_padded(texts['active'], width)} │ {texts['candidate']}", "dim"))
    for before, after in rows:
        print_line(f"  {_padded(before, width)} │ {after}")


def _said(line: Mapping[str, Any] | None, lang: str) -> str:
    return f"{line_at(line)} {line_said(line, lang)}  ({line['because']['rule']})" if line else ""


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Nothing where there are no rows."""
    if not rows:
        return
    _head(title)
    cells = [[f"{value:,}" if isinstance(value, int) else str(value) for value in row] for row in rows]
    widths = [max(cell_len(row[place]) for row in [head, *cells]) for place in range(len(head))]
    numbers = [
        all(isinstance(row[place], int) or _is_signed(row[place]) for row in rows) for place in range(len(head))
    ]
    for index, row in enumerate([list(head), *cells]):
        parts = [
            _padded(text, width, right=number) for text, width, number in zip(row, widths, numbers, strict=True)
        ]
        print_line(("  " + "  ".join(parts).rstrip(), "" if index else "dim"))


def _head(title: str) -> None:
    print_line("")
    print_line((title, "bold"))


def _signed(count: int) -> str:
    return f"{count:+,}"


def _is_signed(value: Any) -> bool:
    return isinstance(value, str) and value[:1] in "+-" and value[1:].replace(",", "").isdigit()


def _padded(text: str, width: int, *, right: bool = False) -> str:
    """Chinese characters take two columns; a text that is too long goes on past its column."""
    blanks = " " * max(0, width - cell_len(text))
    return blanks + text if right else text + blanks
