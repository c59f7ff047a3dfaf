"""Conditions said back in the operator's own words."""

from __future__ import annotations

import pytest

from reeve.rulelang.build import Names
from reeve.rulelang.parse import parse_condition
from reeve.rulelang.show import show, spoken

WORDS = {"损失": "loss_cny", "损失金额": "loss_cny", "死亡人数": "deaths", "伤情": "injury"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("损失 >= 10000 or 死亡人数 >= 1", "损失 >= 10000 or 死亡人数 >= 1"),
        ("loss_cny >= 10000", "损失 >= 10000"),
        ("损失金额 > 5.50", "损失 > 5.50"),
        ("known(event.伤情) and not (伤情 in ['minor', 'serious'])", None),
        ("(损失 > 1 or deaths > 1) and title contains '\"'", "(损失 > 1 or 死亡人数 > 1) and title contains '\"'"),
        ("starts_at - 2h < opened_at", "starts_at - 2h < opened_at"),
    ],
)
def test_a_condition_is_said_in_the_words_of_the_vocabulary(written: str, said: str | None) -> None:
    condition = parse_condition(written, names=Names(WORDS))
    expected = said or 'known(event.伤情) and not (伤情 in ["minor", "serious"])'
    assert spoken(condition, WORDS) == expected
    assert show(parse_condition(expected, names=Names(WORDS))) == show(condition), "said back, it means the same"


def test_names_alone_are_said_too_and_what_has_no_word_keeps_its_name() -> None:
    assert spoken("loss_cny", WORDS) == "损失"
    assert spoken("event.deaths", WORDS) == "event.死亡人数"
    assert spoken("room", WORDS) == "room"
    assert spoken("ticket.opened", {"开": "opened"}) == "ticket.opened"
