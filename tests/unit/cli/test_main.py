"""The overview: quick, complete, and one sentence with an exit code where something goes wrong."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import httpx
import pytest
import typer

from reeve.cli import main as cli
from reeve.devstack.errors import PortTaken, Unreachable
from reeve.domain.errors import RefusedError
from reeve.ports import BusAway, StoreAway
from reeve.runtime.settings import SettingsError


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return int(ended.value.code or 0)


def fake_command(monkeypatch: pytest.MonkeyPatch, body: object) -> None:
    module = ModuleType("fake_command")
    module.fake = body  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fake_command", module)
    monkeypatch.setitem(cli.COMMANDS, "fake", ("fake_command", "for a test"))


def raising(error: BaseException) -> object:
    def fake() -> None:
        raise error

    return fake


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    for name in cli.COMMANDS:
        assert f"\n  {name} " in shown


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    from reeve import __version__

    assert run("--version") == 0
    assert capsys.readouterr().out == f"reeve {__version__}\n"


def test_help_imports_none_of_the_commands() -> None:
    code = (
        "import sys; from reeve.cli import main\n"
        "try: main.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'nats', 'pymongo', 'pydantic', 'httpx', 'rich.console', 'structlog'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_command_says_its_words_before_it_loads_what_does_the_work() -> None:
    code = (
        "import importlib, sys; from reeve.cli.main import COMMANDS\n"
        "for module, _ in COMMANDS.values(): importlib.import_module(module)\n"
        "heavy = {'nats', 'pymongo', 'pydantic', 'httpx', 'rich.console', 'jinja2', 'lark', 'openpyxl'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_mistyped_command_is_wrong_usage_and_gets_a_proposal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rulez") == 2
    assert "Did you mean 'rules'?" in capsys.readouterr().err


def test_a_command_that_is_missing_leaves_the_others_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "gone", ("reeve.cli.gone", "not there"))
    assert run("gone") == 2
    assert capsys.readouterr().err == "`reeve gone` is not part of this installation.\n"
    assert run("--version") == 0


def test_arguments_reach_the_command_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def fake(words: list[str], flag: bool = False) -> None:
        seen.append([*words, str(flag)])

    fake_command(monkeypatch, fake)
    assert run("fake", "--flag", "one", "--", "--two") == 0
    assert seen == [["one", "--two", "True"]]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BusAway("no answer"), 3, "NATS can't be reached (no answer)"),
        (StoreAway("no answer"), 3, "MongoDB can't be reached (no answer)"),
        (httpx.ConnectError("refused"), 3, "Reeve's HTTP side can't be reached"),
        (Unreachable("NATS", "REEVE_NATS_URL", "refused"), 3, "NATS named in REEVE_NATS_URL does not answer"),
        (PortTaken("intake", 8400, "REEVE_INTAKE_PORT"), 1, "Port 8400"),
        (SettingsError(["REEVE_X: bad"]), 2, "REEVE_X: bad"),
        (RefusedError("the reason"), 1, "the reason"),
        (FileNotFoundError(2, "No such file or directory", "x.json"), 2, "x.json: No such file or directory"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_expected_error_is_a_sentence_and_a_code(
    error: Exception,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake_command(monkeypatch, raising(error))
    assert run("fake") == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_command(monkeypatch, raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["fake"])


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (typer.Exit(1), 1)])
def test_ctrl_c_is_quiet_and_an_exit_code_is_kept(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_command(monkeypatch, raising(error))
    assert run("fake") == code
    assert capsys.readouterr().err.strip() == ""
