"""Files made to take long are refused, or mended, in a moment; what a rule does later takes no longer either."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reeve.rulelang.closures import compiled
from reeve.rulelang.load import LoadResult, load_bundle
from reeve.rulelang.message_context import FIXED
from reeve.rulelang.messages import TEMPLATES
from reeve.rulelang.parse import parse_condition
from reeve.rulelang.template_limits import RenderingFailed, TemplateRefused

POLICY = "policy: p\ntakes: ticket\n{}close: ticket.closed\n"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Processor time, many times what it takes: without bounds it would be hours, and machines differ."""
    started = time.process_time()
    yield
    assert time.process_time() - started < seconds


def load(text: bytes | str) -> LoadResult:
    data = text.encode() if isinstance(text, str) else text
    return load_bundle({"site.yaml": b"language: 1\n", "p.yaml": data})


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"a: " + b"x" * 10_000_000, "file_too_large"),
        (b"[" * 1_000_000, "too_deep"),
        (b"{a: " * 250_000, "too_deep"),
        (b"- " * 400_000, "too_deep"),
        (b"".join(b"k%d: v\n" % n for n in range(80_000)), "too_many_parts"),
        (b"a: &a [" + b"ha, " * 200_000 + b"]\nb: [*a, *a]\n", "anchor"),
        (b"? " * 400_000, "too_deep"),
        (b"\t" * 1_000_000, "tab_inside"),
    ],
    ids=["10 MB", "brackets", "braces", "lists", "keys", "laughs", "questions", "tabs"],
)
def test_a_file_made_to_take_long_is_refused_by_its_name(data: bytes, code: str) -> None:
    with within(60):
        result = load(data)
    assert [found.code for found in result.errors if found.file == "p.yaml"][:1] == [code]


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 59 + "paid" + ")" * 59,
        " or ".join(f"(loss_cny > {n} and deaths < {n})" for n in range(58)),
        " and ".join(f"(paid or deaths == {n})" for n in range(58)),
        " and ".join(f"(f{n} or g{n})" for n in range(55)),
        "title in [" + ", ".join(f'"{n}"' for n in range(500)) + "]",
    ],
)
def test_a_condition_made_to_take_long_is_checked_in_time(condition: str) -> None:
    grades = "".join(f"  - {{grade: g{n}, if: '{condition} and times_raised > {n}'}}\n" for n in range(5))
    with within(60):
        result = load(POLICY.format(f"grades:\n{grades}  - grade: rest\n"))
    assert {found.code for found in result.errors} <= {"grade_unreachable", "grade_impossible"}


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*)*x", "^(([a-z])+.)+[A-Z]$"])
def test_a_pattern_that_would_try_for_ever_takes_no_time(pattern: str) -> None:
    test = compiled(parse_condition(f'title matches "{pattern}"'))
    with within(20):
        assert test({"title": "a" * 5_000 + "!"}) is False


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in title %}{% for b in title %}{% for c in title %}{{ c }}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in [1,2,3,4] %}" * 9 + "{{ title }}" + "{% endfor %}" * 9,
    ],
)
def test_a_template_that_goes_round_and_round_ends_soon(template: str) -> None:
    with within(20), pytest.raises((RenderingFailed, TemplateRefused)):
        TEMPLATES.render(template, {**dict.fromkeys(FIXED), "title": "x" * 2_000})


@pytest.mark.parametrize(
    "template",
    [
        "{{ title.__class__ }}", "{{ title['__class__'] }}", "{{ ''.__class__.__mro__ }}", "{{ _budget }}",
        "{{ title.format }}", "{{ (title|list).append }}", "{{ [].append(1) }}", "{{ namespace() }}",
    ],
)  # fmt: skip
def test_a_template_reaches_for_nothing_behind_its_values(template: str) -> None:
    with pytest.raises((TemplateRefused, RenderingFailed)):
        TEMPLATES.render(template, {"title": "x"})
