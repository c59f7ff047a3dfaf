"""Whoever checks providers' files in Chinese reads in Chinese what is wrong, whatever it is."""
# ruff: noqa: E501 -- one file and its fault a line reads best

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reeve.cli.channels.command import app
from reeve.cli.channels.fault_texts import FAULTS, fault_in_chinese, fault_text
from reeve.runtime.providers.faults import Fault

ROOT = Path(__file__).parents[4]
SAYING = {"ValueError", "_refused", "Fault"}
"""What is called with a sentence as its last argument."""
SMS = "name: sms-a\nurl: https://sms.example/send\nform: {to: '{{ to }}'}\n"


def sources() -> list[Path]:
    found = sorted((ROOT / "src/reeve/runtime/providers").glob("*.py"))
    return [*found, *(ROOT / "services/notify/channels" / f"{name}.py" for name in ("apprise", "webhook_signing"))]


def written(node: ast.expr) -> str | None:
    """A sentence as it stands in the source, with `x` where something is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "'x'" for part in values)
        case _:
            return None


def sentences() -> Iterator[str]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                said = written(node.args[-1]) if name in SAYING else None
                if said is not None:
                    yield said


def test_every_sentence_of_the_sources_has_its_chinese() -> None:
    found = set(sentences())
    assert len(found) > 25
    for sentence in found:
        assert not fault_in_chinese(sentence).isascii(), sentence
        assert "{}" not in fault_in_chinese(sentence)


def test_chinese_fills_in_no_more_than_the_english_has() -> None:
    for english, chinese in FAULTS.items():
        assert english.count("{}") >= chinese.count("{}"), english


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("name: a\nkind: smtp\nhost: h\nprt: 25\n", ["4: prt：这里没有这个键；是不是想写 port？"]),
        ("name: a\nkind: smtp\nhost: h\nport: many\n", ["4: port：应为整数"]),
        ("name: a\nkind: smtp\nhost: h\nport: 0\n", ["4: port：不能小于 1"]),
        ("name: a\nkind: smtp\nhost: h\ntls: yes\n", ["4: tls：应为 'auto'、'starttls'、'tls'、'none'"]),
        ("name: a\nkind: smtp\nhost: h\nurl: x\n", ["4: url：这里没有这个键；kind 为 http、webhook、apprise 的文件才有"]),
        ("name: a\nkind: smtp\n", ["1: host：缺少这一项"]),
        ("name: A b\nkind: smtp\nhost: h\n", ["1: name：格式应符合 ^[a-z0-9_-]{1,40}$"]),
        ("name: a\nkind: smtp\nhost: h\ntimeout: soon\n", ["4: timeout：应为时长：10s、5m、2h"]),
        ("name: a\nkind: fax\n", ["2: kind：没有这种 kind：可写 apprise、http、smtp、webhook"]),
        ("name: a\nkind: smpp\n", ["2: kind：Reeve 不支持 SMPP"]),
        ("name: a\nname: b\n", ["2: 整个文件：键 name 写了两次：请保留一个"]),
        ("- a\n", ["1: 整个文件：应为若干键和值：name、kind……"]),
        ("name: [\n", ["整个文件：不是 YAML"]),
        (SMS + "headers: {x-api-key: hunter2}\n", ["4: headers.x-api-key：密钥不能写在这里：请在 `secrets` 下指定环境变量"]),
        (SMS.replace("{{ to }}", "{{ too }}"), ["3: form.to：模板：没有 'too'；可用的有 text、id、message"]),
        (SMS.replace("{{ to }}", "{{ to | loud }}"), ["3: form.to：模板第 1 行：没有过滤器 `loud`"]),
        (SMS.replace("{{ to }}", "{{ to"), ["3: form.to：模板第 1 行：unexpected end of template"]),
        (SMS + "secrets: {key: REEVE_TEST_UNSET}\nquery: {k: '{{ secrets.key }}'}\n", ["4: secrets.key：没有设置环境变量 REEVE_TEST_UNSET"]),
        (SMS.replace("https://sms.example/send", "ftp://x"), ["2: url：不是 http:// 或 https:// 地址"]),
        (SMS.replace("https://sms.example", "https://{{ to }}"), ["2: url：不能由接收人的地址决定主机；需要时请用 kind: webhook"]),
        (SMS + "body: x\n", ["整个文件：form、json、body 只能写一个"]),
        ("name: w\nkind: apprise\nurl: nosuch://x\n", ["3: url：Apprise 没有这种服务；可用的见 https://appriseit.com/services/"]),
    ],
)  # fmt: skip
def test_a_file_with_a_fault_in_chinese(tmp_path: Path, text: str, faults: list[str]) -> None:
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    ran = CliRunner().invoke(app, ["check", str(tmp_path), "--lang", "zh"])
    assert ran.exit_code == 1
    for fault in faults:
        assert fault in ran.stdout, ran.stdout
        assert f"{tmp_path / 'a.yaml'}:" in ran.stdout
    assert "hunter2" not in ran.stdout
    assert ran.stdout.rstrip().endswith("处错误。")


def test_json_is_the_same_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a\nkind: smtp\nhost: h\nprt: 25\n", "utf-8")
    one, other = (
        CliRunner().invoke(app, ["check", str(tmp_path), "--json", "--lang", lang]) for lang in ("en", "zh")
    )
    assert one.stdout == other.stdout
    assert json.loads(one.stdout)["says"] == "there is no such key here; did you mean port?"


def test_a_sentence_nobody_knows_stays_as_it_is() -> None:
    fault = Fault("a.yaml", None, "", "something quite new")
    assert fault_text(fault, "zh") == "a.yaml: 整个文件：something quite new"
    assert fault_text(fault, "en") == "a.yaml: the file: something quite new"
