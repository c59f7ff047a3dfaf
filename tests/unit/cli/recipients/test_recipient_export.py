"""What is exported imports to the same, whoever it is; what an import would change is said without addresses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reeve.cli.recipients.cells import in_order
from reeve.cli.recipients.changes import changes_between, fields_changed, lines_of, rows_of
from reeve.cli.recipients.export import exported
from reeve.cli.recipients.files import read_recipients
from reeve.domain.recipients import CHANNELS, ROLES, Absence, Area, QuietHours, Recipient, Term

IDS = st.from_regex(r"[a-z][a-z0-9._-]{0,8}", fullmatch=True)
DAYS = st.dates(date(2025, 1, 1), date(2027, 12, 31))
NAMES = st.text("abcXYZ张王李=+-@'\",; \t\n\u3000", max_size=8).map(lambda text: " ".join(text.split()))
NAMED = st.text("1234abcXY栋楼 座-.东,;", min_size=1, max_size=6)
AREAS = st.builds(Area.of, NAMED, st.none() | NAMED).filter(lambda area: area is not None)
ADDRESSES: dict[str, st.SearchStrategy[str]] = {
    "sms": st.from_regex(r"\+[1-9][0-9]{7,13}", fullmatch=True),
    "email": st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.org", fullmatch=True),
}
OTHER = st.from_regex(r"https://[a-z]{1,8}\.example\.org/[a-z?=&]{0,8}", fullmatch=True)


def _range(days: tuple[date | None, date | None]) -> tuple[date | None, date | None]:
    first, last = days
    return (last, first) if first and last and last < first else days


TERMS = st.builds(
    lambda role, days, areas: Term(role, *_range(days), areas),
    st.sampled_from([role for role in ROLES if role != "owner"]),
    st.tuples(st.none() | DAYS, st.none() | DAYS),
    st.frozensets(AREAS, max_size=3),
).filter(lambda term: term != Term(term.role))
AWAY = st.builds(
    lambda since, days, other: Absence(since, since + days if days is not None else None, other),
    DAYS,
    st.none() | st.timedeltas(min_value=date.resolution * 0, max_value=date.resolution * 60),
    st.just("") | IDS,
)


@st.composite
def people(draw: st.DrawFn) -> Recipient:
    channels = draw(st.sets(st.sampled_from(CHANNELS), min_size=1))
    addresses = {channel: draw(ADDRESSES.get(channel, OTHER)) for channel in sorted(channels)}
    roles = draw(st.frozensets(st.sampled_from(ROLES), max_size=3))
    customers = draw(st.frozensets(st.from_regex(r"C-[0-9]{1,4}", fullmatch=True), min_size=1, max_size=3))
    own = draw(IDS)
    away = draw(st.frozensets(AWAY, max_size=3))
    hours = st.times(timezones=st.none()).map(lambda at: at.replace(second=0, microsecond=0))
    start, end = draw(hours), draw(hours)
    return Recipient(
        own,
        draw(st.sampled_from(["s", "moon-bay", "company"])),
        roles,
        draw(st.sampled_from(["", "zh", "en", "pt-BR"])),
        addresses,
        customers if "owner" in roles else frozenset(),
        draw(NAMES),
        in_order(draw(st.frozensets(TERMS, max_size=3))),
        tuple(
            sorted(
                (each for each in away if each.stand_in != own),
                key=lambda each: (each.since, each.until or date.max, each.stand_in),
            )
        ),
        draw(
            st.dictionaries(
                st.sampled_from(["default", "major", "特别"]),
                st.lists(st.sampled_from(CHANNELS), min_size=1, unique=True).map(tuple),
            )
        ),
        frozenset(channel for channel in addresses if draw(st.booleans())),
        QuietHours(start, end) if start != end else None,
    )


def _is_utf8(content: bytes) -> bool:
    try:
        return bool(content.decode())
    except UnicodeDecodeError:
        return False


@pytest.mark.parametrize(
    ("kind", "encoding"), [("csv", "utf-8-sig"), ("csv", "gb18030"), ("xlsx", "utf-8"), ("json", "utf-8")]
)
@settings(max_examples=40)
@given(everybody=st.lists(people(), min_size=1, max_size=3, unique_by=lambda one: (one.place, one.id)))
def test_what_is_exported_imports_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, kind: str, encoding: str, everybody: list[Recipient]
) -> None:
    file = tmp_path_factory.getbasetemp() / f"people-{encoding}.{kind}"
    content = exported(everybody, kind, encoding)  # type: ignore[arg-type]
    # The same bytes can be text in both encodings, without a sign which one was meant.
    assume(encoding != "gb18030" or content.isascii() or not _is_utf8(content))
    file.write_bytes(content)
    rows = read_recipients(file)
    assert rows.faults == ()
    assert list(rows.recipients) == sorted(everybody, key=lambda one: (one.place, one.id))


LI = Recipient(
    "li-01",
    "s",
    frozenset({"steward"}),
    "zh",
    {"sms": "+8613800138000", "email": "li@example.org"},
    name="李管家",
    terms=(Term("guard", date(2026, 1, 1), None, frozenset({Area("3", "2")})),),
)


def test_a_change_is_told_field_by_field_and_without_addresses() -> None:
    now = replace(
        LI,
        roles=frozenset(),
        addresses={"sms": "+8613800138100"},
        name="李大管家",
        away=(Absence(date(2026, 7, 1), date(2026, 7, 14), "wang-01"),),
        quiet=QuietHours(time(22), time(7)),
    )
    new, gone = replace(LI, id="new-01"), replace(LI, id="gone-01")
    changes = changes_between([LI, gone, replace(gone, place="elsewhere")], [new, now])
    assert (changes.new, changes.changed, changes.unchanged, changes.missing) == ((new,), ((LI, now),), 0, (gone,))
    assert [str(each) for each in fields_changed(LI, now)] == [
        "roles: steward; guard @3/2 2026-01-01.. → guard @3/2 2026-01-01..",
        "sms: changed (+86…00)",
        "email: l…@example.org → (none)",
        "quiet: (none) → 22:00-07:00",
        "away: (none) → 2026-07-01..2026-07-14 wang-01",
        "name: changed",
    ]
    told = "".join(text for text, _ in lines_of(changes, removing=True)) + json.dumps(
        list(rows_of(changes, removing=True)), ensure_ascii=False
    )
    for private in ("13800138", "li@example", "李"):
        assert private not in told
    assert [text[0] for text, _ in lines_of(changes, removing=True)] == ["+", "~", *" " * 6, "-"]
    assert not any(text.startswith("-") for text, _ in lines_of(changes, removing=False))


def _read(folder: Path, header: str, row: str) -> tuple[tuple[Recipient, ...], list[str]]:
    file = folder / "people.csv"
    file.write_text(f"{header}\n{row}\n", "utf-8")
    rows = read_recipients(file)
    return rows.recipients, [f"{fault.column}: {fault.says}" for fault in rows.faults]


def test_areas_dates_and_absences_as_operators_write_them(tmp_path: Path) -> None:
    (one,), faults = _read(
        tmp_path,
        "编号,小区,角色,手机,邮箱,未验证,渠道顺序,免打扰,休假",
        "li-01,s,管家@3栋、@5栋/2单元 2026/1/1至2026年6月30日；前台,13800138000,li@example.org,短信,"
        "邮箱>短信；重大：短信,22：00～7：00,2026-07-01至2026-07-14 wang-01；2026.10.1",
    )
    assert faults == []
    assert one.roles == {"front_desk"}
    areas = frozenset({Area("3"), Area("5", "2")})
    assert one.terms == (Term("steward", date(2026, 1, 1), date(2026, 6, 30), areas),)
    assert one.unverified == {"sms"}
    assert one.channel_order == {"default": ("email", "sms"), "major": ("sms",)}
    assert one.quiet == QuietHours(time(22), time(7))
    assert one.away == (
        Absence(date(2026, 7, 1), date(2026, 7, 14), "wang-01"),
        Absence(date(2026, 10, 1), date(2026, 10, 1)),
    )


def test_columns_for_areas_and_dates_serve_every_role_without_its_own(tmp_path: Path) -> None:
    header = "id,place,roles,areas,since,until,sms,customers"
    (one,), faults = _read(
        tmp_path, header, 'a,s,"steward guard @7 owner",3 "tower A/2",2026-01-01,,13800138000,C-1'
    )
    assert faults == []
    since = date(2026, 1, 1)
    assert one.roles == {"owner"}
    assert one.terms == (
        Term("guard", since, None, frozenset({Area("7")})),
        Term("steward", since, None, frozenset({Area("3"), Area("tower a", "2")})),
    )


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("roles", "guard 13800138001", "roles: unknown role"),
        ("roles", "@3 steward", "roles: an area stands after its role"),
        ("roles", "2026-01-01.. steward", "roles: dates stand after their role"),
        ("roles", "steward 2026-01-01", "roles: dates are from..until"),
        ("roles", "steward 2026-02-30..", "roles: must be a date like 2026-01-31"),
        ("roles", "steward 2026-02-03..2026-02-02", "roles: the last day is before the first"),
        ("roles", "steward @3/", "roles: an area is a building or building/unit"),
        ("roles", 'steward @"3', "roles: must be like"),
        ("roles", "owner @3", "roles: an owner is found by customers"),
        ("since", "soon", "since: must be a date"),
        ("away", "li-02", "away: must be like"),
        ("away", "..2026-01-01", "away: needs its first day"),
        ("away", "2026-01-01.. a", "away: nobody stands in for themselves"),
        ("quiet", "22-7", "quiet: must be like 22:00-07:00"),
        ("quiet", "22:00-22:00", "quiet: must be like 22:00-07:00"),
        ("channel_order", "pager", "channel_order: channels are"),
        ("channel_order", "default:", "channel_order: must be like"),
        ("unverified", "email", "unverified: names a channel that this person has no address on"),
        ("webhook", "example.org", "webhook: must be a URL"),
        ("chat", "x" * 255, "chat: must be one line"),
        ("sms", "8.61E+12", "sms: the spreadsheet cut the number"),
    ],
)
def test_a_bad_cell_says_what_would_be_right(tmp_path: Path, column: str, cell: str, says: str) -> None:
    cells = {"id": "a", "place": "s", "roles": "guard", "customers": "C-1", "sms": "13800138000", column: cell}
    quoted = ('"' + each.replace('"', '""') + '"' for each in cells.values())
    found, faults = _read(tmp_path, ",".join(cells), ",".join(quoted))
    assert found == ()
    assert any(fault.startswith(says) for fault in faults), faults
    assert "1380013800" not in "".join(faults).replace("+8613800138000", "")
