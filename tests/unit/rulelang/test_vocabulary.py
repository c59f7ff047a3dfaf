"""The operator's own words for facts, wherever a rule names a fact."""

from __future__ import annotations

from reeve.domain.expressions import Fact
from reeve.rulelang.load import load_bundle

SITE = """
language: 1
vocabulary: {损失: loss_cny, 事件: incident, 业主号: customer,
  期限: due_at, 维修等级: repair_class, 满意度: satisfaction}
"""
POLICY = """
policy: repair
takes: ticket
if: 损失 >= 0 or not known(损失)
counts:
  件数: {of: ticket.opened if 损失 > 1, same: 事件, distinct: 业主号, within: 30d}
grades: from 维修等级
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: 期限 - 1h or 5d}
steps:
  - {name: soon, on: 期限 - 2h, once_per: 事件, notify: front_desk}
  - {name: unhappy, on: ticket.followed_up, if: event.满意度 == "dissatisfied" and 件数 >= 2, notify: front_desk}
close: ticket.closed
"""
DUTIES = "- {duty: tidy, every: day at 17:00, who: front_desk, limit: same day}\n"
SCORES = "- {points: -1, on: ticket.closed if 损失 >= 10, to: front_desk}\n"
FILES = {"site.yaml": SITE, "repair.yaml": POLICY, "duties.yaml": DUTIES, "score.yaml": SCORES}


def load(**changes: str) -> dict[str, bytes]:
    return {name: text.encode() for name, text in {**FILES, **changes}.items()}


def test_a_word_stands_for_its_fact_in_conditions_counts_limits_triggers_and_grades() -> None:
    result = load_bundle(load())
    assert [found.render() for found in result.errors] == []
    policy = result.require().policies["repair"]
    assert policy.grade_from == "repair_class"
    assert policy.counts[0].same == ("incident",)
    assert policy.counts[0].distinct == "customer"
    base = policy.clocks["respond"].limits[""].terms[0].base
    assert isinstance(base, Fact)
    assert base.name == "due_at"
    assert policy.steps[0].on.alternatives[0].fact == "due_at"  # type: ignore[union-attr]
    assert policy.steps[0].once_per == "incident"
    assert {"loss_cny", "due_at", "repair_class", "件数"} <= policy.reads
    assert "event.satisfaction" in policy.reads
    assert not {"损失", "期限", "事件"} & policy.reads


def test_a_problem_calls_a_fact_as_the_file_does() -> None:
    in_words = load_bundle(load(**{"repair.yaml": POLICY.replace("损失 >= 0 or", '损失 == "x" or')}))
    english = POLICY.replace("损失 >= 0 or not known(损失)", 'loss_cny == "x"').replace("损失", "loss_cny")
    in_english = load_bundle(load(**{"repair.yaml": english}))
    assert "`损失` 与" in next(found for found in in_words.errors if found.code == "kinds_differ").render("zh")
    assert "`loss_cny` and" in next(found for found in in_english.errors if found.code == "kinds_differ").render()


def test_a_misspelt_word_is_offered_the_right_one() -> None:
    result = load_bundle(load(**{"repair.yaml": POLICY.replace("损失 >= 0", "损矢 >= 0")}))
    (found,) = [found for found in result.problems if found.code == "unknown_fact"]
    assert "did you mean `损失`?" in found.render()


def test_a_word_for_a_grade_or_a_threshold_is_used_in_what_is_said_of_them() -> None:
    policy = """
policy: complaint
takes: ticket
grades:
  - {grade: major, if: 损失 >= 100}
  - {grade: minor, if: 损失 >= 10 and 损失 < 50}
  - grade: ordinary
close: ticket.closed
"""
    result = load_bundle({"site.yaml": SITE.encode(), "complaint.yaml": policy.encode()})
    (found,) = [found for found in result.problems if found.code == "threshold_gap"]
    assert found.render("zh").startswith("complaint.yaml:6:5: 警告: `损失` 在 50 … 99.99 之间")
