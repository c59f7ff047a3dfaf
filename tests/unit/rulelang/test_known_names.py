"""The names the rule language knows are those of the contract and of the core."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

import pytest

from reeve.contracts.events import EVENT_TYPES
from reeve.domain.bundle import COMPUTED
from reeve.rulelang import known_names


def values_of(annotation: Any) -> tuple[str, ...]:
    """The values of a Literal, or of the Literal inside an Optional."""
    if get_origin(annotation) is Literal:
        return tuple(get_args(annotation))
    return next((values for part in get_args(annotation) if (values := values_of(part))), ())


def test_event_types_are_those_of_the_contract() -> None:
    assert set(known_names.ALL_EVENT_TYPES) == set(EVENT_TYPES)


def test_computed_names_are_those_of_the_core() -> None:
    assert set(known_names.COMPUTED) == COMPUTED


@pytest.mark.parametrize("family", sorted(known_names.EVENT_TYPES))
def test_fields_and_their_values_are_those_of_the_contract(family: str) -> None:
    fields = {
        name: values_of(field.annotation)
        for type_, model in EVENT_TYPES.items()
        if type_.startswith(f"{family}.")
        for name, field in model.model_fields.items()
    }
    assert set(known_names.FIELD_KINDS[family]) == set(fields)
    assert known_names.FIELD_VALUES[family] == {name: values for name, values in fields.items() if values}
