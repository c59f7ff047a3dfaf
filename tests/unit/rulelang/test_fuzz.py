"""Whatever stands in a file, the answer is a bundle or problems, never an exception."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from reeve.rulelang.load import load_bundle
from reeve.rulelang.parse import parse_condition, parse_limit, parse_trigger
from reeve.rulelang.problems import BadRule, Problem

SIGNS = '"x" " \' “好” ( ) [ ] , 、 == = != <> ≥ ≤ + - . & ！ （ ） ： %'
NAMES = "loss_cny 损失 event event.x ticket.opened ticket. respond graded breached undated grade starts_at 工作日"
REST = (
    "24h 5d 2 working days same months 80% 10 10万 2026-01-31 and or not in contains matches known known( true if"
)
WORDS = st.sampled_from(f"{SIGNS} {NAMES} {REST}".split(" "))
TEXTS = st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join))
KEYS = st.sampled_from(
    [
        "policy",
        "takes",
        "if",
        "counts",
        "grades",
        "clocks",
        "steps",
        "close",
        "limit",
        "start",
        "stop",
        "name",
        "on",
        "notify",
        "repeat",
        "then",
        "every",
        "times",
        "grade",
        "opens",
        "on_change",
        "title",
        "of",
        "within",
        "same",
        "pause",
        "from",
        "to",
        "message",
        "site",
        "events",
        "expect",
        "未知",
    ]
)
TREES = st.recursive(
    st.one_of(TEXTS, st.none(), st.integers(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=20,
)
PATHS = [
    "complaint.yaml",
    "site.yaml",
    "messages.yaml",
    "duties.yaml",
    "score.yaml",
    "calendars/cn.yaml",
    "tests/a.test.yaml",
]
POLICY = """\
policy: complaint
takes: ticket
grades:
  - {{grade: major, if: {condition}}}
  - grade: ordinary
clocks:
  respond: {{start: ticket.opened, stop: {trigger}, limit: {limit}}}
steps:
  - {{name: late, on: {trigger}, notify: front_desk, if: {condition}}}
close: {trigger}
"""


def flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("\n", " ").replace("\r", " ") + "'"
    return str(value)


def problem_of(parse: Callable[[str], object], text: str) -> Problem | None:
    try:
        parse(text)
    except BadRule as bad:
        return bad.problem
    return None


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_is_read_or_explained(text: str) -> None:
    for parse in (parse_condition, parse_limit, parse_trigger):
        found = problem_of(parse, text)
        assert found is None or (found.say("en")[0] and found.say("zh")[0])


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(PATHS))
def test_any_bytes_are_a_bundle_or_problems(data: bytes, path: str) -> None:
    result = load_bundle({path: data})
    assert (result.bundle is None) == bool(result.errors)


@settings(max_examples=120, deadline=None)
@given(
    TREES,
    st.sampled_from(
        ["complaint.yaml", "site.yaml", "messages.yaml", "duties.yaml", "score.yaml", "tests/a.test.yaml"]
    ),
)
def test_any_shape_is_a_bundle_or_problems(tree: object, path: str) -> None:
    result = load_bundle({path: flow(tree).encode("utf-8", "replace")})
    assert (result.bundle is None) == bool(result.errors)
    assert all(found.render(lang) for found in result.problems for lang in ("en", "zh"))


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_any_expressions_in_a_policy_are_a_bundle_or_problems(condition: str, trigger: str, limit: str) -> None:
    text = POLICY.format(condition=flow(condition), trigger=flow(trigger), limit=flow(limit))
    result = load_bundle({"complaint.yaml": text.encode("utf-8", "replace")})
    assert (result.bundle is None) == bool(result.errors)
    assert all(found.line <= text.count("\n") + 1 for found in result.problems)
