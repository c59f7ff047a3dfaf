"""What somebody may have meant who typed a name that there is not."""

from __future__ import annotations

from collections.abc import Iterable

from reeve.cli.speaking import say

_WORDS = {
    "mean": ("did you mean {best}?", "是不是想写 {best}？"),
    "see": ("see `{command}`.", "见 `{command}`。"),
}


def near_name(wanted: str, names: Iterable[str], command: str, lang: str) -> str:
    """The end of a sentence: the closest name, or where none is close the command that shows what there is."""
    from difflib import get_close_matches

    close = get_close_matches(wanted, sorted(set(names)), 1)
    return say(_WORDS, "mean", lang, best=close[0]) if close else say(_WORDS, "see", lang, command=command)
