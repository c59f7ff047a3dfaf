"""What `reeve up` shows on the terminal."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from reeve.devstack.log_lines import show


def test_brackets_of_rules_are_shown_as_they_stand() -> None:
    shown = StringIO()
    text = "expected: notify to: [front_desk, guard] message: due; grades: [bold] [/x] :smile:"
    show(Console(file=shown, highlight=False), text)
    assert shown.getvalue() == f"{text}\n"
