"""Recipient files as operators have them: encodings, spreadsheets, and mistakes with the mend beside them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from openpyxl import Workbook

from reeve.cli.recipients.changes import masked, places_misspelt
from reeve.cli.recipients.files import BadRecipientFile, read_recipients
from reeve.domain.recipients import ROLES, Recipient

EXAMPLE = Path(__file__).parents[4] / "examples" / "recipients.csv"
WANTED = Recipient(
    "zhang-01",
    "sunshine-garden",
    frozenset({"technician", "guard"}),
    "zh",
    {"sms": "+8613800138000", "email": "zhang@example.org"},
    frozenset(),
    "张师傅",
)
CHINESE = """编号,小区,角色,语言,手机,邮箱,姓名
zhang-01,sunshine-garden,维修人员、保安员,中文,138 0013 8000,zhang@example.org,张师傅
"""


def _written(folder: Path, content: bytes, name: str = "people.csv") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_files_in_the_usual_encodings(tmp_path: Path, encoding: str) -> None:
    rows = read_recipients(_written(tmp_path, CHINESE.encode(encoding)))
    assert rows.recipients == (WANTED,)
    assert rows.faults == ()


def test_a_spreadsheet_whose_numbers_are_numbers(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["编号", "小区", "角色", "语言", "手机", "邮箱", "姓名"])
    sheet.append(
        ["zhang-01", "sunshine-garden", "technician guard", "zh", 13800138000, "zhang@example.org", "张师傅"]
    )
    sheet.append([None] * 7)
    content = io.BytesIO()
    book.save(content)
    assert read_recipients(_written(tmp_path, content.getvalue(), "p.xlsx")).recipients == (WANTED,)


@pytest.mark.parametrize("lines", [False, True])
def test_json(tmp_path: Path, lines: bool) -> None:
    row = {
        "id": "zhang-01",
        "place": "sunshine-garden",
        "roles": ["technician", "guard"],
        "language": "zh",
        "addresses": {"sms": "0086 138-0013-8000", "email": "zhang@example.org"},
        "name": "张师傅",
    }
    text = json.dumps(row) if lines else json.dumps([row])
    assert read_recipients(_written(tmp_path, text.encode())).recipients == (WANTED,)


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ("a,s,guard,zh,,,", "sms", "needs an address"),
        ("a,s,gaurd,zh,13800138000,,", "roles", "did you mean guard?"),
        ("a,s,assignee,zh,13800138000,,", "roles", "by recipient id"),
        ("a,s,guard,zh,12345,,", "sms", "like +8613800138000"),
        ("a,s,guard,zh,,not-an-address,", "email", "like name@example.org"),
        ("a,s,guard,zh,,a@b@example.org,", "email", "like name@example.org"),
        ('a,s,guard,zh,,"a@example.org\r\nBcc: b@example.org",', "email", "like name@example.org"),
        ("a,Sunshine Garden,guard,zh,13800138000,,", "place", "like sunshine-garden"),
        ("张三,s,guard,zh,13800138000,,", "id", "like zhang-01"),
        (",s,guard,zh,13800138000,,", "id", "like zhang-01"),
        ("13800138000,s,guard,zh,13800138000,,", "id", "phone number"),
        ("a,s,guard,klingon!,13800138000,,", "language", "zh or en"),
        ("a,s,owner,zh,13800138000,,", "customers", "like C-88"),
    ],
)
def test_a_bad_row_says_what_would_be_right_and_spares_the_others(
    tmp_path: Path, row: str, column: str, says: str
) -> None:
    content = f"id,place,roles,language,sms,email,customers\ngood,s,guard,zh,13800138000,,\n{row}\n"
    rows = read_recipients(_written(tmp_path, content.encode()))
    assert [person.id for person in rows.recipients] == ["good"]
    (fault,) = rows.faults
    assert fault.row in (3, 4)  # the reader counts the lines inside a quoted cell
    assert fault.column == column
    assert says in fault.says
    assert "13800138000" not in str(fault).replace("+8613800138000", "")


def test_cells_beyond_the_columns_make_a_row_bad(tmp_path: Path) -> None:
    content = "id,place,sms,name\na,s,13800138000,王,小明\nb,s,13800138000,王,,\n"
    rows = read_recipients(_written(tmp_path, content.encode()))
    assert [person.id for person in rows.recipients] == ["b"]
    assert [str(fault) for fault in rows.faults] == [
        "row 2: has more cells than the first row; put a cell that holds commas in quotes"
    ]


def test_a_place_that_is_hardly_meant_is_noticed() -> None:
    def at(*places: str) -> list[Recipient]:
        return [Recipient(f"r-{number}", place, frozenset()) for number, place in enumerate(places)]

    garden = at("sunshine-garden", "sunshine-garden")
    assert [*places_misspelt(garden, at("sunshine-gardn"))] == [("sunshine-gardn", "sunshine-garden")]
    assert [*places_misspelt([], [*garden, *at("sunshine-gardn")])] == [("sunshine-gardn", "sunshine-garden")]
    assert [*places_misspelt(garden, at("moon-court", "sunshine-garden"))] == []
    assert [*places_misspelt(at("tower-1", "tower-1"), at("tower-2"))] == []
    assert [*places_misspelt([*garden, *at("sunshine-gardn")], at("sunshine-gardn"))] == []


def test_twice_the_same_id_and_unknown_columns(tmp_path: Path) -> None:
    content = "id;place;role;phon;sms\na;s;guard;x;13800138000\na;s;guard;x;13800138001\na;t;guard;x;13800138001\n"
    rows = read_recipients(_written(tmp_path, content.encode()))
    assert [(person.place, person.id) for person in rows.recipients] == [("s", "a"), ("t", "a")]
    header, twice = rows.faults
    assert str(header).startswith("the file, phon: unknown column, left out; did you mean `phone`?")
    assert str(twice) == "row 3, id: row 2 has the same id at this place; give each its own"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name,phone\nx,1\n", "missing: id, place"),
        (b"", "missing: id, place"),
        (b"\xff\xfe\x00\xff\xff", "UTF-8 nor GB18030"),
        (b"\xd0\xcf\x11\xe0rest", "xlsx"),
        (b"PK\x03\x04broken", "no Excel sheet"),
        (b"[1, 2]", "list of objects"),
        (b"[{]", "no JSON"),
        (b"[" * 100_000, "JSON|deeply"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(BadRecipientFile, match=says):
        read_recipients(_written(tmp_path, content))


def test_the_example_has_every_role_and_invented_people() -> None:
    rows = read_recipients(EXAMPLE)
    assert rows.faults == ()
    held = {role for person in rows.recipients for role in person.roles}
    assert held == set(ROLES)
    for person in rows.recipients:
        assert person.addresses.get("sms", "+447700900").startswith("+447700900")
        assert person.addresses.get("email", "x.example.org").endswith("example.org")


def test_masked_addresses() -> None:
    assert masked("+8613800138000") == "+86…00"
    assert masked("zhang@example.org") == "z…@example.org"
    assert masked("https://example.org/hooks/secret-key") == "https://…ey"
    assert (masked("@li"), masked("li.wang"), masked("")) == ("…", "…", "")
