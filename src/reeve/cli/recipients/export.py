"""Recipients as a file that imports to the same: CSV, XLSX or JSON. Whole addresses and names: personal data."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from openpyxl import Workbook
from openpyxl.styles import Font

from reeve.cli.recipients.cells import write_away, write_order, write_quiet, write_roles
from reeve.cli.recipients.columns import WRITTEN
from reeve.domain.recipients import Recipient

Format = Literal["csv", "xlsx", "json"]

_RECKONED = re.compile(r"'*[=+\-@]")
_TEXT = "@"
"""The number format of a column that a spreadsheet must leave alone: telephone numbers begin with +."""


def row_of(person: Recipient) -> dict[str, str]:
    """The person's row: column → cell, each as an import reads it."""
    cells = {
        "id": person.id,
        "place": person.place,
        "roles": write_roles(person.roles, person.terms),
        "language": person.language,
        **person.addresses,
        "unverified": " ".join(sorted(person.unverified)),
        "channel_order": write_order(person.channel_order),
        "quiet": write_quiet(person.quiet),
        "away": write_away(person.away),
        "customers": " ".join(sorted(person.customers)),
        # What a spreadsheet would take for a formula gets a ' before it, which an import takes away.
        "name": f"'{person.name}" if _RECKONED.match(person.name) else person.name,
    }
    return {column: cells.get(column, "") for column in WRITTEN}


def object_of(person: Recipient, addresses: Mapping[str, str], *, name: bool) -> dict[str, Any]:
    """The person as JSON, with the addresses given."""
    return {
        "id": person.id,
        "place": person.place,
        "roles": sorted(person.roles),
        "terms": [
            {
                "role": term.role,
                "since": term.since,
                "until": term.until,
                "areas": [str(area) for area in sorted(term.areas)],
            }
            for term in person.terms
        ],
        "language": person.language or None,
        "addresses": dict(sorted(addresses.items())),
        "unverified": sorted(person.unverified),
        "channel_order": {urgency: list(those) for urgency, those in sorted(person.channel_order.items())},
        "quiet": write_quiet(person.quiet) or None,
        "away": [
            {"since": each.since, "until": each.until, "stand_in": each.stand_in or None} for each in person.away
        ],
        "customers": sorted(person.customers),
    } | ({"name": person.name} if name else {})


def exported(people: Iterable[Recipient], kind: Format, encoding: str = "utf-8-sig") -> bytes:
    """The file. `encoding` is that of CSV; a spreadsheet takes UTF-8 for it only with a mark at its beginning.

    Raises UnicodeEncodeError where the encoding lacks a letter.
    """
    everybody = sorted(people, key=lambda one: (one.place, one.id))
    if kind == "json":
        objects = (
            object_of(each, each.addresses, name=True) | {"name": row_of(each)["name"]} for each in everybody
        )
        rows = (json.dumps(each, default=str, ensure_ascii=False) for each in objects)
        return ("[\n" + ",\n".join(rows) + "\n]\n").encode()
    table = [list(WRITTEN), *(list(row_of(each).values()) for each in everybody)]
    return _sheet(table) if kind == "xlsx" else _csv(table, encoding)


def _csv(table: Sequence[Sequence[str]], encoding: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(table)
    return text.getvalue().encode(encoding)


def _sheet(table: Sequence[Sequence[str]]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "recipients"
    for number, row in enumerate(table, 1):
        for place, text in enumerate(row, 1):
            cell = sheet.cell(number, place)
            cell.number_format = _TEXT
            if text:
                cell.value = text
                cell.data_type = "s"  # never a formula, whatever it begins with
            if number == 1:
                cell.font = Font(bold=True)
    sheet.freeze_panes = "C2"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
