"""Plots as SVG text, drawn here: two bars a row, before and after, and small charts by day. No script, no fetching.

Colours are classes (`was`, `now`) that the page styles, so that it can be read in the dark and printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_WIDTH = 640
_LABELS = 210
_NUMBERS = 110
_ROW = 34
_DAY_HEIGHT = 84

Row = tuple[str, int, int]
"""Label, before, after."""


def bars(rows: Sequence[Row], title: str) -> str:
    """One row of two bars for each; lengths are to scale over all rows. Empty text where there are no rows."""
    if not rows:
        return ""
    most = max(max(before, after) for _, before, after in rows) or 1
    room = _WIDTH - _LABELS - _NUMBERS
    height = _ROW * len(rows) + 6
    parts = [_opening(_WIDTH, height, title)]
    for place, (label, before, after) in enumerate(rows):
        top = place * _ROW + 6
        parts += [
            f'<text x="{_LABELS - 8}" y="{top + 17}" text-anchor="end">{escape(_cut(label, 34))}</text>',
            f'<rect class="was" x="{_LABELS}" y="{top}" width="{_length(before, most, room)}" height="12"/>',
            f'<rect class="now" x="{_LABELS}" y="{top + 13}" width="{_length(after, most, room)}" height="12"/>',
            _number(_LABELS + _length(max(before, after), most, room) + 8, top + 17, f"{before:,} → {after:,}"),
        ]
    return "".join([*parts, "</svg>"])


def days(role: str, counts: Mapping[str, tuple[int, int]], dates: Sequence[str], most: int) -> str:
    """One role's notifications day by day, two bars a day; `most` is the full height, so that roles compare."""
    parts = [_opening(_WIDTH, _DAY_HEIGHT + 34, role), f'<text x="0" y="12">{escape(role)}</text>']
    step = (_WIDTH - 40) / max(1, len(dates))
    width = max(0.5, min(14.0, step * 0.4))
    base = _DAY_HEIGHT + 16
    for place, day in enumerate(dates):
        left = 36 + place * step
        tip = f"<title>{escape(day)}: {counts.get(day, (0, 0))[0]} → {counts.get(day, (0, 0))[1]}</title>"
        for name, count, shift in zip(("was", "now"), counts.get(day, (0, 0)), (0.0, width), strict=True):
            tall = _length(count, most, _DAY_HEIGHT - 8)
            parts.append(
                f'<rect class="{name}" x="{left + shift:.1f}" y="{base - tall:.1f}" width="{width:.1f}" '
                f'height="{tall}">{tip}</rect>'
            )
    parts += [
        f'<line x1="34" y1="{base}" x2="{_WIDTH}" y2="{base}"/>',
        _number(30, 28, f"{most:,}", "end"),
        _number(30, base, "0", "end"),
    ]
    for place in sorted({0, len(dates) // 2, len(dates) - 1} if dates else ()):
        last = place > 0 and place == len(dates) - 1
        left = 36 + place * step + (2 * width if last else 0)
        parts.append(_number(left, base + 14, dates[place][5:], "end" if last else "start"))
    return "".join([*parts, "</svg>"])


def _opening(width: int, height: int, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title, quote=True)}" '
        f'preserveAspectRatio="xMinYMin meet">'
    )


def _number(left: float, top: float, text: str, anchor: str = "start") -> str:
    return f'<text class="number" x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _length(count: int, most: int, room: int) -> float:
    """To scale, and never so short that something looks like nothing."""
    return round(max(1.0, count / most * room), 1) if count > 0 else 0.0


def _cut(label: str, most: int) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"
