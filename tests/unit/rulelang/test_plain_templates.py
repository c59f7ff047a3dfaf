"""What is filled in without Jinja2 reads and renders as Jinja2 would."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reeve.rulelang import templates
from reeve.rulelang.load import load_bundle, read_folder
from reeve.rulelang.plain_templates import read_plain
from reeve.rulelang.template_filters import FILTERS
from reeve.rulelang.template_limits import RenderingFailed, TemplateRefused
from reeve.rulelang.templates import Renderer

RULES = Path(__file__).parents[3] / "rules"
PIECES = st.sampled_from(
    [
        "{{ item }}", "{{item|upper}}", "{{ owed_cny | money }}", "{{ due_at | hm | lower }}", "{{ none_there }}",
        "{{ nothing }}", "{% if item %}", "{% if empty %}", "{% if gone %}", "{% else %}", "{% endif %}",
        "{% elif empty %}", "{% elif item == '管理费' %}", "{% if item == \"x\" %}", "{% elif gone == 'x' %}",
        "{", "}",
        "{{", "}}", "{#", "#}", "{{- item }}", "{{ item|default('x') }}", "{{ true }}",
        "{{ item or 'x' }}", '{{ empty or "无标题" }}', "{{ gone or 'x' }}", "{{ item | upper or 'x' }}",
        "{{ empty or '\\x41' }}", "{{ empty or item }}", "{{ _x }}", "{{ a.b }}",
        "text", "\n", " ", "【", "{{ item | nope }}", "%}",
    ]
)  # fmt: skip
CONTEXT: dict[str, Any] = {
    "item": "管理费",
    "owed_cny": Decimal("1836.50"),
    "due_at": datetime(2026, 2, 13, 17, 5, tzinfo=UTC),
    "empty": "",
    "nothing": None,
}


def outcome(renderer: Renderer, source: str) -> tuple[object, object]:
    """The names and the text, or how each fails."""

    def tried(what: object) -> object:
        try:
            return what()  # type: ignore[operator]
        except (TemplateRefused, RenderingFailed) as error:
            return (type(error), str(error))

    return tried(lambda: renderer.names(source)), tried(lambda: renderer.render(source, CONTEXT))


@pytest.fixture(scope="module")
def jinja_only() -> Renderer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(templates, "read_plain", lambda source, filters: None)
        renderer = Renderer(FILTERS)
        for piece in ("{{ item }}", "x"):
            renderer.names(piece)
        renderer._plain = renderer._fillable = lru_cache(lambda source: None)
    return renderer


OURS = Renderer(FILTERS)


@settings(max_examples=300, deadline=None)
@given(source=st.lists(PIECES, max_size=8).map("".join))
@example(source="{{{ item }}")
@example(source="{{ item }}}")
@example(source="{% if item %}{% else %}x{% endif %}\n\n")
@example(source="{% if empty %}{% if item %}a{% else %}b{% endif %}{% else %}{{ item }}{% endif %}")
@example(source="{% else %}{% endif %}")
@example(source="{% if empty %}a{% elif item == 'x' %}b{% elif item %}c{% else %}d{% endif %}e")
@example(source="{% if empty %}a{% else %}b{% elif item %}c{% endif %}")
@example(source="{% elif item %}c{% endif %}")
@example(source="{% if item %}{% if empty %}a{% elif item %}b{% endif %}c{% else %}d{% endif %}")
def test_plain_or_not_the_outcome_is_the_same(jinja_only: Renderer, source: str) -> None:
    assert outcome(OURS, source) == outcome(jinja_only, source)


def test_most_of_the_shipped_messages_are_plain() -> None:
    messages = load_bundle(read_folder(RULES)).require().messages
    texts = [
        text
        for languages in messages.values()
        for channels in languages.values()
        for parts in channels.values()
        for text in ([parts] if isinstance(parts, str) else parts.values())
    ]
    plain = [text for text in texts if read_plain(text, frozenset(FILTERS)) is not None]
    assert len(plain) > 0.97 * len(texts)
