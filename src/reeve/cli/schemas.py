"""`reeve schemas`: the published JSON Schemas and the AsyncAPI document, generated into schemas/."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Annotated

import typer

_README = """\
# Schemas

Generated from `src/reeve/contracts` by `reeve schemas`; nobody edits them by hand. `reeve schemas --check`
(part of `make check`) fails when they differ from the code.

- `event-<family>.schema.json`: what site systems post.
- the other `*.schema.json`: what Reeve publishes and answers.
- `asyncapi.json`: every NATS subject and its messages; intake serves it at `/asyncapi`.
"""


def schemas(
    folder: Annotated[Path, typer.Argument(help="Where they are written.")] = Path("schemas"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 and show the difference if there is one.")
    ] = False,
) -> None:
    """Write the JSON Schemas of all messages and the AsyncAPI document.

    Examples: reeve schemas; reeve schemas --check
    """
    wanted = generated()
    present = {path.name for path in folder.glob("*") if path.is_file()}
    stale = sorted(present - wanted.keys())
    changed = [name for name, text in wanted.items() if _read(folder / name) != text]
    if check:
        for name in changed:
            for line in _difference(name, _read(folder / name), wanted[name]):
                typer.echo(line)
        for name in stale:
            typer.echo(f"{folder / name} belongs to nothing any more")
        if changed or stale:
            typer.echo("The schemas differ from the code; run: reeve schemas", err=True)
            raise typer.Exit(1)
        typer.echo(f"{len(wanted)} files in {folder} agree with the code")
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        (folder / name).write_text(wanted[name], encoding="utf-8")
    for name in stale:
        (folder / name).unlink()
    typer.echo(f"{len(changed)} written, {len(stale)} removed, {len(wanted) - len(changed)} unchanged in {folder}")


def generated() -> dict[str, str]:
    """File name → content."""
    from reeve.contracts.schemas import asyncapi, json_schemas

    files = {f"{name}.schema.json": _text(schema) for name, schema in json_schemas().items()}
    return {**files, "asyncapi.json": _text(asyncapi("1")), "README.md": _README}


def _text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _difference(name: str, before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} (committed)", f"{name} (generated)", lineterm="", n=1
    )
    return list(lines)[:60]
