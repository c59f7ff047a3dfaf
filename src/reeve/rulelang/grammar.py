"""The parser of `grammar.lark`, from tables made beforehand: making them anew takes a tenth of a second each start.

`python -m reeve.rulelang.grammar` writes `grammar_tables.json`; a test holds it against the grammar. Tables of
another grammar or of another version of lark are not used.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import lark
from lark import Lark

_FILES = resources.files("reeve.rulelang")
_GRAMMAR = "grammar.lark"
_TABLES = "grammar_tables.json"


@cache
def grammar() -> Lark:
    """The parser; its starts are `condition`, `limit` and `trigger`."""
    kept = json.loads(_FILES.joinpath(_TABLES).read_text(encoding="utf-8"), object_hook=_numbered)
    text = _FILES.joinpath(_GRAMMAR).read_text(encoding="utf-8")
    if kept["made_with"] != _made_with(text):
        return built(text)
    # The bytes are our own, made a line above: `Lark.load` takes nothing else.
    return Lark.load(io.BytesIO(pickle.dumps(kept["tables"])))


def built(text: str) -> Lark:
    """The parser of a grammar, its tables made anew."""
    return Lark(
        text,
        parser="lalr",
        start=["condition", "limit", "trigger"],
        propagate_positions=True,
        maybe_placeholders=False,
    )


def tables() -> str:
    """What `grammar_tables.json` must hold."""
    text = _FILES.joinpath(_GRAMMAR).read_text(encoding="utf-8")
    stream = io.BytesIO()
    built(text).save(stream)
    made = pickle.loads(stream.getvalue())  # noqa: S301 -- our own bytes, and the only form lark gives them in
    return json.dumps({"made_with": _made_with(text), "tables": made}, separators=(",", ":"), sort_keys=True) + "\n"


def _made_with(text: str) -> str:
    return f"lark {lark.__version__}, grammar {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _numbered(found: dict[str, Any]) -> dict[Any, Any]:
    """JSON's keys are text; lark's tables are keyed by number."""
    return {int(key): value for key, value in found.items()} if next(iter(found), "").isdecimal() else found


if __name__ == "__main__":
    Path(str(_FILES.joinpath(_TABLES))).write_text(tables(), encoding="utf-8")
