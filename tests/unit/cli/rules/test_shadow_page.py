"""`reeve rules shadow` on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reeve.cli.rules.shadow import _print
from reeve.domain.comparison import Comparison
from reeve.runtime.backtest.findings import findings
from reeve.runtime.store.shadows import Shadow
from tests.support.simulation import bundle_of
from tests.unit.domain.test_language_example import COMPLAINT

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(("lang", "said"), [("en", "Nothing differs."), ("zh", "没有任何变化。")])
def test_that_nothing_differs_is_said(lang: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    seen = findings(Comparison(lambda name: {}), bundle_of(COMPLAINT))
    shadow = Shadow("b@1", "b", NOW, "u-1", "", "a", events=3, until=NOW, seen_at=NOW, findings=seen)
    _print(shadow, [], NOW + timedelta(seconds=30), lang)
    assert said in capsys.readouterr().out
