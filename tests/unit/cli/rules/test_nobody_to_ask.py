"""Where a command would have to ask and is in no terminal, it says so in the reader's language and does nothing."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from reeve.cli.exit_codes import USAGE
from reeve.cli.main import app


@pytest.mark.parametrize("command", [["push", "rules"], ["rollback", "3fa9"], ["shadow", "promote"]])
@pytest.mark.parametrize(("lang", "says"), [("en", "Nobody can be asked here"), ("zh", "这里无法询问")])
def test_nobody_to_ask(command: list[str], lang: str, says: str) -> None:
    ran = CliRunner().invoke(app, ["rules", *command, "--lang", lang])
    assert ran.exit_code == USAGE
    assert says in ran.output
    assert "--yes" in ran.output
