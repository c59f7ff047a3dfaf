"""Cases and counts as JSON text, for the record. Reading back gives an equal object."""

from __future__ import annotations

from pydantic import TypeAdapter

from reeve.domain.case import Case
from reeve.domain.counts import Count

_CASE = TypeAdapter(Case)
_COUNT = TypeAdapter(Count)


def dump_case(case: Case) -> str:
    """The whole state of a case; instants keep their microseconds, money stays exact."""
    return _CASE.dump_json(case, exclude_defaults=True).decode()


def load_case(text: str | bytes) -> Case:
    """The case that `dump_case` wrote. Raises pydantic.ValidationError (permanent) on anything else."""
    return _CASE.validate_json(text)


def dump_count(count: Count) -> str:
    """The count with its entries."""
    return _COUNT.dump_json(count, exclude_defaults=True).decode()


def load_count(text: str | bytes) -> Count:
    """The count that `dump_count` wrote. Raises pydantic.ValidationError (permanent) on anything else."""
    return _COUNT.validate_json(text)
