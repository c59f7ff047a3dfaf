"""Rows of a recipients file, checked: good ones become recipients, bad ones a sentence that says the mend."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz import process

from reeve.cli.recipients.cells import (
    ID,
    Say,
    cell_text,
    read_areas,
    read_away,
    read_channels,
    read_day,
    read_order,
    read_quiet,
    read_roles,
    words_of,
)
from reeve.cli.recipients.columns import COLUMNS, LANGUAGE_WORDS
from reeve.domain.recipients import CHANNELS, OWNER, Recipient, Term

BEYOND = "\0beyond"
"""Stands for the column of cells that have none."""

_PLACE = re.compile(r"[a-z0-9-]{1,64}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_CHINESE_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORTENED = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_FORMULA = re.compile(r"'+[=+\-@]")
_CUSTOMER = re.compile(r"[^\s,;|、/]+")
_URL = re.compile(r"https?://[^\s/?#]+\S{0,1950}")
_LONGEST_CHAT = 254
_LONGEST_EMAIL = 254
_SHORTEST_NUMBER = 7


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row; the sentence holds no address."""

    row: int
    """As the file's reader sees it: line of a CSV, row of a sheet, place in a JSON list; 0: the whole file."""
    column: str
    says: str

    def __str__(self) -> str:
        where = f"row {self.row}" if self.row else "the file"
        return f"{where}, {self.column}: {self.says}" if self.column else f"{where}: {self.says}"


@dataclass(frozen=True, slots=True)
class Rows:
    """The good rows as recipients, in the order of the file, and everything that is wrong with the others."""

    recipients: tuple[Recipient, ...]
    faults: tuple[Fault, ...]


def read_rows(rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Rows:
    """Every row checked by itself; of two with the same place and id the first counts."""
    good: dict[tuple[str, str], Recipient] = {}
    seen_at: dict[tuple[str, str], int] = {}
    faults: list[Fault] = []
    unknown: set[str] = set()
    for number, raw in rows:
        if raw.get(BEYOND):
            says = "has more cells than the first row; put a cell that holds commas in quotes"
            faults.append(Fault(number, "", says))
            continue
        row, strange = _named(raw)
        unknown |= strange
        if not any(cell_text(value) for value in row.values()):
            continue
        person, wrong = _person(number, row)
        faults += wrong
        if person is None:
            continue
        key = (person.place, person.id)
        if key in good:
            faults.append(
                Fault(number, "id", f"row {seen_at[key]} has the same id at this place; give each its own")
            )
            continue
        good[key], seen_at[key] = person, number
    header = [Fault(0, column, _unknown_column(column)) for column in sorted(unknown)]
    return Rows(tuple(good.values()), (*header, *faults))


def _named(raw: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The row by our column names, and the columns nobody knows. `addresses` may stand together, as in JSON."""
    flat: dict[str, Any] = {}
    for name, value in raw.items():
        if name == "addresses" and isinstance(value, Mapping):
            flat |= {str(channel): address for channel, address in value.items()}
        else:
            flat[str(name)] = value
    row: dict[str, Any] = {}
    strange: set[str] = set()
    for name, value in flat.items():
        if name == "terms" and isinstance(value, list):  # JSON only
            row[name] = value
            continue
        plain = unicodedata.normalize("NFKC", name).strip().lower()
        column = next((ours for ours, others in COLUMNS.items() if plain == ours or plain in others), None)
        if column is not None:
            row[column] = value
        elif plain:
            strange.add(plain)
    return row, strange


def _unknown_column(column: str) -> str:
    names = [*COLUMNS, *(other for others in COLUMNS.values() for other in others)]
    close = process.extractOne(column, names, score_cutoff=60)
    hint = f"did you mean `{close[0]}`? " if close else ""
    return f"unknown column, left out; {hint}columns are {', '.join(COLUMNS)}"


def _person(number: int, row: Mapping[str, Any]) -> tuple[Recipient | None, list[Fault]]:
    faults: list[Fault] = []

    def fault(column: str, says: str) -> None:
        if (each := Fault(number, column, says)) not in faults:
            faults.append(each)

    addresses = _addresses(row, fault)
    customers = frozenset(words_of(row.get("customers")))
    since, until = (read_day(row.get(column), column, fault) for column in ("since", "until"))
    if since and until and until < since:
        fault("until", "is before since")
    whole_row = Term("", since, until, read_areas(row.get("areas"), fault))
    roles, terms = read_roles(_roles_text(row), whole_row, fault)
    language = cell_text(row.get("language"))
    language = LANGUAGE_WORDS.get(language.lower(), language)
    own_id, place = cell_text(row.get("id")), cell_text(row.get("place"))
    away = read_away(_away_text(row.get("away")), fault)
    unverified = frozenset(read_channels(words_of(row.get("unverified")), "unverified", fault))
    order = read_order(row.get("channel_order"), fault)
    quiet = read_quiet(row.get("quiet"), fault)
    _check_id(own_id, addresses, fault)
    if not _PLACE.fullmatch(place):
        fault("place", "must be the site's id (lower-case letters, digits, -), like sunshine-garden")
    if language and not _LANGUAGE.fullmatch(language):
        fault("language", "must be a code like zh or en, or empty for the site's own")
    if OWNER in roles and not customers:
        fault("customers", "an owner needs the customer ids that tickets carry, like C-88")
    if not all(_CUSTOMER.fullmatch(each) for each in customers):
        fault("customers", "a customer id has no blanks and none of , ; / |")
    if unverified - addresses.keys():
        fault("unverified", "names a channel that this person has no address on")
    if any(own_id == each.stand_in for each in away):
        fault("away", "nobody stands in for themselves; name somebody else, or nobody")
    if faults:
        return None, faults
    return Recipient(
        own_id,
        place,
        roles,
        language,
        addresses,
        customers,
        _name(row.get("name")),
        terms,
        away,
        order,
        unverified,
        quiet,
    ), []


def _roles_text(row: Mapping[str, Any]) -> str:
    """The cell of roles; in JSON `terms` may stand beside it, one object for each."""
    texts = ["; ".join(words) if isinstance(words := row.get("roles"), list | tuple) else cell_text(words)]
    for term in _objects(row.get("terms")):
        areas = term.get("areas") or []
        names = [cell_text(each) for each in (areas if isinstance(areas, list) else [areas])]
        since, until = _end(term, "since"), _end(term, "until")
        days = f"{since}..{until}" if since or until else ""
        texts.append(" ".join([cell_text(term.get("role")), *(f'@"{name}"' for name in names), days]))
    return "; ".join(text for text in texts if text)


def _away_text(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return cell_text(value)
    return "; ".join(
        f"{_end(each, 'since')}..{_end(each, 'until')} {cell_text(each.get('stand_in'))}"
        for each in _objects(value)
    )


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []


def _end(term: Mapping[str, Any], name: str) -> str:
    return cell_text(term.get(name) or term.get({"since": "from", "until": "to"}[name]))


def _name(value: Any) -> str:
    """On one line; what an export put before a name that a spreadsheet would reckon with is taken away."""
    text = cell_text(value)
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return name[1:] if _FORMULA.match(name) else name


def _addresses(row: Mapping[str, Any], fault: Say) -> dict[str, str]:
    written = {channel: text for channel in CHANNELS if (text := cell_text(row.get(channel)))}
    addresses: dict[str, str] = {}
    if not written:
        fault("sms", "a recipient needs an address: a phone number under sms, or an email")
    for channel, text in written.items():
        if channel == "sms":
            number = _phone(text)
            if number is not None:
                addresses["sms"] = number
            elif _SHORTENED.fullmatch(text):
                fault("sms", "the spreadsheet cut the number; make the column text, and enter the number again")
            else:
                fault("sms", "must be a number like +8613800138000, or a mainland mobile number of 11 digits")
            continue
        if channel == "email" and (not _EMAIL.fullmatch(text) or len(text) > _LONGEST_EMAIL):
            fault("email", "must be one address like name@example.org")
        elif channel == "webhook" and not _URL.fullmatch(text):
            fault("webhook", "must be a URL like https://example.org/reeve, at most 2000 characters")
        elif channel == "chat" and (not text.isprintable() or len(text) > _LONGEST_CHAT):
            fault("chat", f"must be one line of at most {_LONGEST_CHAT} characters")
        addresses[channel] = text
    return addresses


def _check_id(own_id: str, addresses: Mapping[str, str], fault: Say) -> None:
    """Ids are published and logged, so they are plain, and no phone number (PRIVACY-01)."""
    if not ID.fullmatch(own_id):
        fault("id", "must be letters, digits, . _ -, at most 64, like zhang-01; it is shown, so no name or number")
    elif own_id.isdigit() and len(own_id) >= _SHORTEST_NUMBER and addresses.get("sms", "").endswith(own_id):
        fault("id", "is the phone number; ids are published, so choose another, like zhang-01")


def _phone(text: str) -> str | None:
    """The number as +<country><number>; None if it is none."""
    plain = re.sub(r"[\s().\-]", "", text)
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    if _CHINESE_MOBILE.fullmatch(plain):
        return "+86" + plain
    if plain.startswith("86") and _CHINESE_MOBILE.fullmatch(plain[2:]):
        return "+" + plain
    return plain if _INTERNATIONAL.fullmatch(plain) else None
