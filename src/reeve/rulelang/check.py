"""What goes wrong in real life, found before it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reeve.rulelang.problems import Problem

if TYPE_CHECKING:
    from reeve.rulelang.load import Parts


def check(parts: Parts) -> list[Problem]:
    """Every finding that needs no database."""
    return []
