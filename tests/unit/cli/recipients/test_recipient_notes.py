"""What about people is hardly meant: said to a person in their language, and to a script as rows of their own."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest

from reeve.cli.recipients.notes import Note, needs_rules, notes_about, notes_about_places, tell_notes
from reeve.cli.recipients.rows import read_rows
from reeve.cli.recipients.texts import removed_text
from reeve.domain.recipients import Recipient
from reeve.rulelang.load import load_bundle

RULES = load_bundle(
    {
        "complaint.yaml": b"""policy: complaint
takes: ticket
grades: [{grade: major, if: loss_cny >= 10000}, {grade: ordinary}]
clocks: {respond: {start: ticket.opened, stop: ticket.acknowledged, limit: 10m}}
steps: [{name: late, on: respond breached, notify: front_desk}]
close: ticket.closed
""",
        "site.yaml": b"parent: group\n",
    }
).require()


def person(id: str, place: str = "garden", **cells: Any) -> Recipient:
    row = {"id": id, "place": place, "roles": "front_desk", "sms": "+447700900001", **cells}
    (found,) = read_rows([(2, MappingProxyType(row))]).recipients
    return found


AWAY = person("desk-01", away="2026-07-01..2026-07-14 li-02")
ORDER = person("desk-02", channel_order="default: sms; major: sms; grave: sms")


@pytest.mark.parametrize(
    ("known", "rules", "unknown"),
    [
        ([], RULES, True),
        ([person("li-02")], RULES, False),
        ([person("li-02", "group")], RULES, False),
        ([person("li-02", "elsewhere")], RULES, True),
        ([person("li-02", "elsewhere")], None, False),
        ([], None, True),
    ],
)
def test_a_stand_in_is_somebody_of_the_place_or_above(known: list[Recipient], rules: Any, unknown: bool) -> None:
    found = list(notes_about([AWAY], [AWAY, *known], rules))
    assert found == ([Note("stand_in_unknown", "garden", "desk-01", "li-02")] if unknown else [])


def test_a_grade_is_one_of_the_active_rules() -> None:
    assert list(notes_about([ORDER], [], RULES)) == [Note("urgency_unknown", "garden", "desk-02", "grave")]
    assert list(notes_about([ORDER], [], None)) == []
    assert (needs_rules([ORDER]), needs_rules([AWAY]), needs_rules([person("x")])) == (True, True, False)


def test_a_person_reads_sentences_and_a_script_rows(capsys: pytest.CaptureFixture[str]) -> None:
    places = notes_about_places(
        [person("a", "sunshine-garden"), person("b", "sunshine-garden")], [person("c", "sunshine-gardem")]
    )
    notes = [*notes_about([AWAY, ORDER], [], RULES), *places]
    tell_notes(notes, "zh", as_json=False)
    tell_notes(notes, "en", as_json=False)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "garden/desk-01：代班人 li-02 不在名单中",
        "garden/desk-02：渠道顺序里的 grave 不是现行规则的等级",
        "sunshine-gardem：此前没有这个地点；是不是想写 sunshine-garden？",
        "garden/desk-01: nobody there has the id li-02, who is to stand in",
        "garden/desk-02: channel_order names grave, which is no grade of the active rules",
        "sunshine-gardem: nobody was at this place before; did you mean sunshine-garden?",
    ]
    tell_notes(notes, "zh", as_json=True)
    told = capsys.readouterr()
    assert told.err == ""
    assert [json.loads(line) for line in told.out.splitlines()] == [
        {"note": "stand_in_unknown", "place": "garden", "id": "desk-01", "name": "li-02"},
        {"note": "urgency_unknown", "place": "garden", "id": "desk-02", "name": "grave"},
        {"note": "place_misspelt", "place": "sunshine-gardem", "id": None, "name": "sunshine-garden"},
    ]


def test_who_is_to_be_removed() -> None:
    assert removed_text(["g/a", "g/b"], 2, "en") == "2 people are not in the file and will be removed: g/a, g/b"
    assert removed_text(["g/a"], 3, "en").endswith("removed: g/a and 2 more")
    assert removed_text(["g/a"], 3, "zh") == "有 3 人不在文件里，将被删除：g/a，等 3 人"
