"""Events of a file posted to intake, batch by batch, and what became of each."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import orjson
import typer

from reeve.cli.exit_codes import BAD, UNREACHABLE, USAGE
from reeve.cli.targets import find_targets
from reeve.cli.traffic.event_files import opened

_BATCH_EVENTS = 500
_BATCH_BYTES = 1_000_000
_PATIENCE_SECONDS = 60.0
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)


class Unsent(Exception):
    """Posting stopped; `code` is the exit code."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(slots=True)
class _Tally:
    outcomes: Counter[str] = field(default_factory=Counter)

    def sentence(self) -> str:
        words = [f"{self.outcomes[word]:,} {word}" for word in ("accepted", "duplicate", "refused")]
        if self.outcomes["differing"]:
            words.append(f"{self.outcomes['differing']:,} of the duplicates with other content than before")
        return ", ".join(words)

    @property
    def bad(self) -> bool:
        return bool(self.outcomes["refused"] or self.outcomes["differing"])


def post_file(file: Path, url: str | None, key: str, as_json: bool) -> None:
    """Posts the events and prints what became of them. Ends the command where some are not in the record."""
    tally = _Tally()
    url = url or find_targets().intake_url
    try:
        with opened(file) as (stream, size), _progress(size, as_json) as advance:
            for number, row in post_all(_numbered(stream, advance), url, key):
                _report(number, row, tally, as_json)
    except Unsent as stopped:
        typer.echo(f"{stopped} So far: {tally.sentence()}.", err=True)
        raise typer.Exit(stopped.code) from None
    except httpx.TransportError as error:
        typer.echo(
            f"Intake can't be reached at {url} ({type(error).__name__}): start `reeve up`, or set REEVE_URL. "
            f"So far: {tally.sentence()}.",
            err=True,
        )
        raise typer.Exit(UNREACHABLE) from None
    if not as_json:
        typer.echo(tally.sentence())
    if tally.bad:
        raise typer.Exit(BAD)


def post_all(lines: Iterable[tuple[int, bytes]], url: str, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Posts numbered JSON texts in batches and gives each one's row (contracts.md §3), in order.

    Waits and tries again while intake is busy or its record away. Raises Unsent or httpx.TransportError.
    """
    headers = {"Content-Type": "application/x-ndjson"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    with httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT) as client:
        for batch in _batches(lines):
            rows = _post(client, b"\n".join(text for _, text in batch))
            yield from zip((number for number, _ in batch), rows, strict=True)


def _post(client: httpx.Client, body: bytes) -> list[dict[str, Any]]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        answer = client.post("/v1/events", content=body)
        if answer.status_code == 200:
            rows: list[dict[str, Any]] = answer.json()
            return rows
        if answer.status_code not in (429, 503):
            raise Unsent(f"Intake answered {answer.status_code}: {_title(answer)}", _code(answer.status_code))
        wait = float(answer.headers.get("retry-after", "1"))
        if time.monotonic() + wait > deadline:
            raise Unsent(f"Intake answered {answer.status_code} for a minute: {_title(answer)}", UNREACHABLE)
        time.sleep(wait)


def _code(status: int) -> int:
    return USAGE if status in (401, 404, 405) else UNREACHABLE if status >= 500 else BAD


def _title(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return answer.reason_phrase
    said = [body.get("title"), body.get("detail")] if isinstance(body, dict) else []
    return " ".join(text for text in said if text) or answer.reason_phrase


def _batches(lines: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    batch: list[tuple[int, bytes]] = []
    size = 0
    for number, text in lines:
        batch.append((number, text))
        size += len(text)
        if len(batch) == _BATCH_EVENTS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _numbered(stream: IO[bytes], advance: Progress) -> Iterator[tuple[int, bytes]]:
    """Each event as JSON on one line, numbered from 1: NDJSON as it stands, anything else taken apart."""
    first = stream.readline()
    if not _is_whole(first):
        yield from enumerate(_taken_apart(first + stream.read()), 1)
        return
    number = 0
    line = first
    while line:
        if line.strip():
            number += 1
            yield number, line.strip()
        advance(len(line))
        line = stream.readline()


def _is_whole(line: bytes) -> bool:
    """Whether the first line is an object by itself: then the rest is NDJSON, each line judged by intake."""
    if not line.strip():
        return bool(line)
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _taken_apart(body: bytes) -> list[bytes]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unsent(f"This is no JSON: {error.msg}, line {error.lineno}, column {error.colno}.", BAD) from None
    return [orjson.dumps(item) for item in (found if isinstance(found, list) else [found])]


def _report(number: int, row: dict[str, Any], tally: _Tally, as_json: bool) -> None:
    outcome = "refused" if "error" in row else "duplicate" if row.get("duplicate") else "accepted"
    tally.outcomes[outcome] += 1
    if row.get("differs"):
        tally.outcomes["differing"] += 1
    if as_json:
        sys.stdout.buffer.write(orjson.dumps({"event": number, **row}) + b"\n")
        return
    name = f"event {number}" + (f" ({row['id']})" if row.get("id") else "")
    if outcome == "refused":
        faults = row["error"].get("problems") or []
        said = "; ".join(f"{p['path']}: expected {p['expected']}, found {p['found']}" for p in faults)
        typer.echo(f"{name} refused: {said or row['error']['title']}")
    elif row.get("differs"):
        typer.echo(f"{name}: known already with other content; the earlier one stays")


class Progress:
    """Told how many bytes were read; shows nothing."""

    def __call__(self, size: int) -> None:
        """`size` more bytes were read."""


@contextmanager
def _progress(size: int | None, as_json: bool) -> Iterator[Progress]:
    """A bar on a terminal for a file that takes a while."""
    if size is None or size < _BATCH_BYTES or as_json or not sys.stderr.isatty():
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("posting", total=size)

        class Shown(Progress):
            def __call__(self, size: int) -> None:
                bar.advance(task, size)

        yield Shown()
