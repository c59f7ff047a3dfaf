"""API keys and the rate they may post at."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from services.intake.keys import ANYBODY, ApiKeys, Rate
from services.intake.settings import IntakeSettings


def test_no_keys_let_everybody_in() -> None:
    assert ApiKeys.read("").caller(None) is ANYBODY
    assert ANYBODY.may("anywhere")


def test_a_key_is_good_for_the_sites_it_is_listed_with() -> None:
    keys = ApiKeys.read("garden=one-key-1, harbour=one-key-1 ,quay=other-key-2,*=every-key-3")
    one, every = keys.caller("one-key-1"), keys.caller("every-key-3")
    assert one is not None
    assert every is not None
    assert [one.may(site) for site in ("garden", "harbour", "quay")] == [True, True, False]
    assert every.may("quay")
    assert one.name != every.name
    assert "one-key-1" not in repr(keys)
    assert [keys.caller(key) for key in (None, "", "wrong", "one-key-1 ")] == [None] * 4


@pytest.mark.parametrize("text", ["garden", "garden=", "garden=short", "Garden=long-enough", "a.b=long-enough"])
def test_keys_that_can_not_be_read_are_named_by_number_only(text: str) -> None:
    with pytest.raises(ValueError, match="entry 2 is not site=key") as caught:
        ApiKeys.read(f"garden=long-enough,{text}")
    assert "long-enough" not in str(caught.value)
    with pytest.raises(ValidationError):
        IntakeSettings(api_keys=SecretStr(text))


def test_the_bucket_fills_with_time() -> None:
    now = 0.0
    rate = Rate(10, lambda: now)
    assert [rate.take(ANYBODY, 10) for _ in range(2)] == [0.0, 0.0]
    assert rate.take(ANYBODY, 1) == pytest.approx(0.1)
    now = 0.1
    assert rate.take(ANYBODY, 1) == 0.0
    now = 100.0
    assert rate.take(ANYBODY, 500) == 0.0  # more than the bucket holds: passes when full, paid off after
    assert rate.take(ANYBODY, 1) > 40
