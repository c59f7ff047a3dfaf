"""lark's parser of `grammar.lark`, and the tables made from it, which save lark at most starts.

`python -m reeve.rulelang.grammar` writes both files of tables; a test holds them against the grammar. lark's own
tables are not used if they are of another grammar or of another version of lark.
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
from lark import Lark, Token, Tree

from reeve.rulelang import branches
from reeve.rulelang.branches import Branch, Word

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


def as_branch(tree: Tree[Token]) -> Branch:
    """lark's tree as everybody else knows it."""
    children = [as_branch(each) if isinstance(each, Tree) else as_word(each) for each in tree.children]
    return Branch(tree.data, children, tree.meta.start_pos, tree.meta.end_pos)


def as_word(token: Token) -> Word:
    """lark's token as everybody else knows it."""
    word = Word(token)
    word.start, word.end = token.start_pos or 0, token.end_pos or 0
    return word


def tables() -> str:
    """What `grammar_tables.json` must hold."""
    text = _FILES.joinpath(_GRAMMAR).read_text(encoding="utf-8")
    return _json({"made_with": _made_with(text), "tables": _saved(text)})


def branch_tables() -> str:
    """What `branch_tables.json` must hold."""
    text = _FILES.joinpath(_GRAMMAR).read_text(encoding="utf-8")
    saved = _saved(text)
    memo, kept = saved["memo"], saved["data"]["parser"]
    rules = {place["@"]: number for number, place in enumerate(saved["data"]["rules"])}
    table, names = kept["parser"], kept["parser"]["tokens"]

    def action(entry: tuple[int, Any]) -> int:
        return -1 - rules[entry[1]["@"]] if entry[0] else int(entry[1])

    tables: branches.Kept = {
        "made_with": _made_with(text),
        "kinds": [(each.name, each.pattern.to_regexp()) for each in _in_order(built(text))],
        "between": kept["lexer_conf"]["ignore"][0],
        "states": [
            {names[symbol]: action(entry) for symbol, entry in table["states"][number].items()}
            for number in range(len(table["states"]))
        ],
        "rules": [_rule(memo[place["@"]]) for place in saved["data"]["rules"]],
        "begin": table["start_states"],
        "end": table["end_states"],
    }
    return _json(tables)


def _in_order(parser: Lark) -> list[Any]:
    """The kinds of words in the order in which lark tries them."""
    return sorted(
        parser.terminals,
        key=lambda each: (-each.priority, -each.pattern.max_width, -len(each.pattern.value), each.name),
    )


def _rule(rule: dict[str, Any]) -> branches.Rule:
    parts, origin = rule["expansion"], rule["origin"]["name"]
    kept = [(at, _opened(part)) for at, part in enumerate(parts) if not part.get("filter_out", False)]
    return {
        "origin": origin,
        "data": rule["alias"] or origin,
        "size": len(parts),
        "kept": kept if len(kept) < len(parts) or any(opened for _, opened in kept) else None,
        "alone": rule["options"]["expand1"] and not rule["alias"],
    }


def _opened(part: dict[str, Any]) -> bool:
    """Whether only its children are kept: it is a rule whose name begins with `_`."""
    return bool(part["__type__"] == "NonTerminal" and part["name"].startswith("_"))


def _saved(text: str) -> Any:
    stream = io.BytesIO()
    built(text).save(stream)
    return pickle.loads(stream.getvalue())  # noqa: S301 -- our own bytes, and the only form lark gives them in


def _json(tables: object) -> str:
    return json.dumps(tables, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


def _made_with(text: str) -> str:
    return f"lark {lark.__version__}, grammar {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _numbered(found: dict[str, Any]) -> dict[Any, Any]:
    """JSON's keys are text; lark's tables are keyed by number."""
    return {int(key): value for key, value in found.items()} if next(iter(found), "").isdecimal() else found


if __name__ == "__main__":
    Path(str(_FILES.joinpath(_TABLES))).write_text(tables(), encoding="utf-8")
    Path(str(_FILES.joinpath(branches.TABLES))).write_text(branch_tables(), encoding="utf-8")
