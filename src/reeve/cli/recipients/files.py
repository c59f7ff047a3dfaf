"""Opens a recipients file: CSV (UTF-8 or GB18030), XLSX or JSON, told apart by what is in it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from reeve.cli.recipients.columns import COLUMNS, REQUIRED
from reeve.cli.recipients.rows import BEYOND, Rows, read_rows
from reeve.domain.errors import ReeveError

MOST_BYTES = 64 * 1024 * 1024

_XLSX = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


class BadRecipientFile(ReeveError):
    """The file as a whole can't be read; the sentence says what would be right."""


def read_recipients(file: Path) -> Rows:
    """The recipients of a file, and what is wrong with its other rows.

    Raises BadRecipientFile (permanent), and OSError if it can't be opened.
    """
    content = file.read_bytes()
    if len(content) > MOST_BYTES:
        raise BadRecipientFile(f"{file}: larger than {MOST_BYTES // 1024 // 1024} MiB; split it")
    if content.startswith(_OLD_EXCEL):
        raise BadRecipientFile(f"{file}: an old .xls file; save it as .xlsx or CSV (UTF-8)")
    if content.startswith(_XLSX):
        return read_rows(_sheet(file, content))
    text = _decoded(file, content)
    if text.lstrip()[:1] in ("[", "{"):
        return read_rows(_json(file, text))
    return read_rows(_csv(file, text))


def _decoded(file: Path, content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadRecipientFile(f"{file}: neither UTF-8 nor GB18030; save it as CSV (UTF-8)")


def _csv(file: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        header = next(reader, [])
        _check_header(file, header)
        for cells in reader:
            beyond = [cell for cell in cells[len(header) :] if cell]
            row = dict(zip(header, cells, strict=False))
            yield reader.line_num, row | {BEYOND: beyond} if beyond else row
    except csv.Error as error:
        raise BadRecipientFile(f"{file}, line {reader.line_num}: no CSV ({error})") from error


def _sheet(file: Path, content: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows: Iterable[tuple[Any, ...]] = book.worksheets[0].iter_rows(values_only=True)
        numbered = enumerate(rows, 1)
        _, first = next(numbered, (0, ()))
        header = ["" if cell is None else str(cell) for cell in first]
        _check_header(file, header)
        for number, cells in numbered:
            yield number, dict(zip(header, cells, strict=False))
        book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, IndexError, ValueError) as error:
        raise BadRecipientFile(f"{file}: this is no Excel sheet; save it as .xlsx or CSV (UTF-8)") from error


def _json(file: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        found = json.loads(text)
    except ValueError:
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise BadRecipientFile(f"{file}: this is no JSON") from error
    except RecursionError as error:
        raise BadRecipientFile(f"{file}: nested too deeply for a list of recipients") from error
    rows = found.get("recipients", [found]) if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadRecipientFile(f'{file}: must be a list of objects like {{"id": …, "place": …}}')
    yield from enumerate(rows, 1)


def _check_header(file: Path, header: list[str]) -> None:
    """Without id and place no row can be right, so say it once."""
    plain = {name.strip().lower() for name in header}
    missing = [name for name in REQUIRED if not plain & {name, *COLUMNS[name]}]
    if missing:
        raise BadRecipientFile(
            f"{file}: the first row must name the columns ({', '.join(COLUMNS)}); missing: {', '.join(missing)}"
        )
