"""`reeve channels`: what is listed and checked, what a try says, and that no secret is ever printed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reeve.cli.channels.command import app
from reeve.devstack.launching import free_port

RUN = CliRunner()
SMS = (
    "name: sms-a\nurl: http://127.0.0.1:{port}/send\norder: 2\nper_second: 5\nburst: 9\n"
    "form: {{to: '{{{{ to }}}}', key: '{{{{ secrets.key }}}}'}}\nsecrets: {{key: REEVE_TEST_KEY}}\n"
)


@pytest.fixture(autouse=True)
def _nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REEVE_CHANNELS", "REEVE_SMS_GATEWAY", "REEVE_SMTP_HOST", "REEVE_TEST_KEY", "REEVE_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REEVE_DATA", str(tmp_path / "data"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "channels"
    folder.mkdir()
    (folder / "a.yaml").write_text(SMS.format(port=free_port()), "utf-8")
    (folder / "m.yaml").write_text("name: mail\nkind: smtp\nhost: 127.0.0.1\n", "utf-8")
    return folder


@pytest.fixture
def gateway() -> Iterator[list[bytes]]:
    """A gateway in a thread, since a command has a loop of its own: first its port, then what it took."""
    taken: list[bytes] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"id": "m-1"}')

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test looks at what was taken."""

    with HTTPServer(("127.0.0.1", 0), Taker) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        taken.append(str(server.server_port).encode())
        yield taken
        server.shutdown()
        thread.join()


def test_providers_are_listed_without_their_secrets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = RUN.invoke(app, ["list", "--channels", str(folder), "--lang", "en"])
    assert listed.exit_code == 0
    assert "order 2, share 1, 5/s at most, 9 at once, 8 at a time" in listed.output
    assert "not set: REEVE_TEST_KEY" in listed.output
    assert "This is what the files say. Notify goes by them a few seconds after a save" in listed.stderr
    chinese = RUN.invoke(app, ["list", "--channels", str(folder), "--lang", "zh"])
    assert "顺序 2，份额 1，每秒最多 5 条，突发 9 条，并发 8" in chinese.stdout
    assert "以上是配置文件的内容" in chinese.stderr
    monkeypatch.setenv("REEVE_TEST_KEY", "hunter2")
    written = RUN.invoke(app, ["list", "--channels", str(folder), "--json"])
    assert written.stderr == ""
    rows = [json.loads(line) for line in written.stdout.splitlines()]
    assert [(row["channel"], row["name"], row["kind"]) for row in rows] == [
        ("email", "mail", "smtp"),
        ("sms", "sms-a", "http"),
    ]
    assert rows[1]["unset"] == []
    assert "hunter2" not in json.dumps(rows)


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    listed = RUN.invoke(app, ["list", "--channels", str(tmp_path), "--lang", "en"])
    assert listed.exit_code == 0
    assert "nobody can be reached" in listed.output
    assert "无法通知任何人" in RUN.invoke(app, ["check", str(tmp_path), "--lang", "zh"]).output


def test_every_fault_is_told_at_its_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "w.yaml").write_text("name: chat\nkind: apprise\nurl: nosuch://x\n", "utf-8")
    (folder / "m.yaml").write_text("name: mail\nkind: smtp\nhost: 127.0.0.1\nprt: 25\n", "utf-8")
    checked = RUN.invoke(app, ["check", str(folder), "--lang", "en"])
    assert checked.exit_code == 1
    assert f"{folder}/a.yaml:7: secrets.key: the environment variable REEVE_TEST_KEY is not set" in checked.output
    assert f"{folder}/m.yaml:4: prt: there is no such key here; did you mean port?" in checked.output
    assert f"{folder}/w.yaml:3: url: Apprise knows no such service" in checked.output
    assert "3 faults." in checked.output
    monkeypatch.setenv("REEVE_TEST_KEY", "hunter2")
    (folder / "w.yaml").unlink()
    rows = RUN.invoke(app, ["check", str(folder), "--json"])
    assert [json.loads(line)["place"] for line in rows.stdout.splitlines()] == ["prt"]
    (folder / "m.yaml").unlink()
    good = RUN.invoke(app, ["check", str(folder), "--lang", "en"])
    assert (good.exit_code, good.output) == (0, "1 provider can be used.\n")


def test_what_is_off_without_a_variable_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REEVE_TEST_KEY", "hunter2")
    source = (folder / "a.yaml").read_text("utf-8").replace("secrets: {", "secrets: {hook: REEVE_TEST_HOOK, ")
    source += "webhooks: {auth: {kind: token, token: '{{ secrets.hook }}'}}\ninbound: {from: a, text: b}\n"
    (folder / "a.yaml").write_text(source, "utf-8")
    checked = RUN.invoke(app, ["check", str(folder), "--lang", "en"])
    assert checked.exit_code == 0
    assert "REEVE_TEST_HOOK not set: no receipts and no answers of sms-a are taken" in checked.output
    assert "2 providers can be used." in checked.output


def test_a_try_says_what_became_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REEVE_TEST_KEY", "hunter2")
    tried = RUN.invoke(app, ["test", "sms-a", "--to", "+447700900001", "--channels", str(folder), "--lang", "en"])
    assert tried.exit_code == 1
    assert "sms-a: not taken now; the same later may be (unreachable)" in tried.output
    assert "What to do: check host, port and firewall" in tried.output
    for secret in ("hunter2", "447700900001"):
        assert secret not in tried.output


@pytest.mark.parametrize(
    ("provider", "to"), [("sms-a", "hello"), ("sms-a", "me@example.org"), ("mail", "+8613800138000")]
)
def test_nothing_is_sent_to_what_is_no_address(
    folder: Path, monkeypatch: pytest.MonkeyPatch, provider: str, to: str
) -> None:
    monkeypatch.setenv("REEVE_TEST_KEY", "hunter2")
    tried = RUN.invoke(app, ["test", provider, "--to", to, "--channels", str(folder), "--lang", "en"])
    assert tried.exit_code == 2
    assert f"--to: {provider} takes addresses like" in tried.output
    assert to not in tried.output


def test_files_that_cannot_be_used_are_counted_and_not_their_faults(folder: Path) -> None:
    (folder / "m.yaml").write_text("name: mail\nkind: smtp\nhots: 127.0.0.1\nprt: 25\n", "utf-8")
    listed = RUN.invoke(app, ["list", "--channels", str(folder), "--lang", "en"])
    assert "Files that can't be used: 1;" in listed.output
    (folder / "m.yaml").write_text("kind: smtp\nhost: a\nport: x\nname: mail\ntls: x\n", "utf-8")
    rows = RUN.invoke(app, ["check", str(folder), "--json"]).stdout.splitlines()
    lines = [row["line"] for row in map(json.loads, rows) if row["file"].endswith("m.yaml")]
    assert lines == [3, 5], "in the order of the file"


def test_a_name_that_is_wrong_is_guessed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REEVE_TEST_KEY", "hunter2")
    tried = RUN.invoke(app, ["test", "sms", "--to", "+1", "--channels", str(folder), "--lang", "en"])
    assert tried.exit_code == 2
    assert "There is no provider sms; did you mean sms-a? Known: mail, sms-a." in tried.output


def test_a_message_is_really_sent(tmp_path: Path, gateway: list[bytes]) -> None:
    port = int(gateway.pop())
    (tmp_path / "g.yaml").write_text(
        f"name: sms-a\nurl: http://127.0.0.1:{port}/\nform: {{to: '{{{{ to }}}}', text: '{{{{ text }}}}'}}\n"
        "message_id: {json: id}\n",
        "utf-8",
    )
    options = ["--to", "+447700900001", "--text", "在吗", "--channels", str(tmp_path)]
    tried = RUN.invoke(app, ["test", "sms-a", *options, "--json"])
    row = json.loads(tried.stdout)
    assert (tried.exit_code, row["result"], row["reference"]) == (0, "sent", "m-1")
    assert "The provider's id of it: m-1" in RUN.invoke(app, ["test", "sms-a", *options, "--lang", "en"]).output
    assert gateway[0] == b"to=%2B447700900001&text=%E5%9C%A8%E5%90%97"
