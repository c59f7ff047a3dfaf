"""How long a command waits for its servers."""

from __future__ import annotations

import pytest

from reeve.cli.targets import WAIT_SECONDS, TargetSettings
from reeve.runtime.settings import SettingsError
from reeve.runtime.store.mongo import connect_store

URL = "mongodb://127.0.0.1:1/?directConnection=true"


@pytest.mark.parametrize(("given", "waits"), [("", WAIT_SECONDS), ("45", 45.0), ("3.5", 3.5)])
def test_whoever_has_slow_servers_says_how_long_to_wait(
    given: str, waits: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REEVE_WAIT_SECONDS", given)
    assert TargetSettings.load().wait_seconds == waits


@pytest.mark.parametrize("given", ["0", "1000", "soon"])
def test_a_wait_that_makes_no_sense_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REEVE_WAIT_SECONDS", given)
    with pytest.raises(SettingsError, match="REEVE_WAIT_SECONDS"):
        TargetSettings.load()


@pytest.mark.parametrize(("asked", "waits"), [(0, 3.0), (1, 3.0), (45, 45.0)])
async def test_the_record_is_waited_for_that_long_and_never_less_than_by_a_service(
    asked: float, waits: float
) -> None:
    client = connect_store(URL, "test", asked)
    try:
        assert client.options.server_selection_timeout == waits
        assert client.options.pool_options.connect_timeout == waits
    finally:
        await client.close()
