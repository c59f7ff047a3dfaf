"""Rule files in an editor: a real yaml-language-server, driven as editors drive it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from reeve.cli.main import app
from reeve.rulelang.file_schemas import FILES
from reeve.rulelang.files import PolicyShape
from reeve.rulelang.problems import BadRule
from reeve.rulelang.reading import read_shape
from reeve.rulelang.yamlfile import read_yaml
from tests.support.language_client import LanguageClient, Underlined, language_client
from tests.support.language_server import command

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
CORPUS = ROOT / "tests" / "corpus" / "rules"
BAD = sorted(path.name for path in (CORPUS / "bad").glob("*.yaml"))
SINGLE = ("site", "messages", "duties", "score", "facts", "shifts")
FOLDERS = {"sites": "site", "calendars": "calendar", "tests": "scenarios", "messages": "messages"}

needs_server = pytest.mark.skipif(
    command() is None,
    reason="yaml-language-server is not installed; with npm's registry in reach: "
    "python -m tests.support.language_server",
)


def kind_of(inside: Path) -> str:
    """Which schema a file of a rules folder has, by its path in it."""
    if len(inside.parts) > 1:
        return FOLDERS[inside.parts[0]]
    return inside.stem if inside.stem in SINGLE else "policy"


def modeline(inside: Path) -> str:
    up = "../" * len(inside.parts)
    return f"# yaml-language-server: $schema={up}schemas/rules/{kind_of(inside)}.schema.json\n"


def files_in(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*.yaml"))


@pytest.mark.parametrize("inside", files_in(RULES), ids=str)
def test_every_shipped_file_begins_with_the_line_that_names_its_schema(inside: Path) -> None:
    with (RULES / inside).open(encoding="utf-8") as file:
        assert file.readline() == modeline(inside)
    named = modeline(inside).rpartition("=")[2].strip()
    assert (RULES / inside).parent.joinpath(named).resolve().is_file()


@pytest.mark.parametrize("page", ["editor.md", "editor.zh.md"])
def test_the_page_about_editors_names_the_line_of_every_kind_of_file(page: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    rows = re.findall(r"^\| `(.*)` \| `(.*)` \|$", text, re.MULTILINE)
    assert {schema.rpartition("/")[2].partition(".")[0] for _, schema in rows} == FILES.keys()
    for file, schema in rows:
        assert modeline(Path(re.sub("<.*>", "x", file))).rstrip().endswith(f"={schema}")


@pytest_asyncio.fixture
async def editor() -> AsyncIterator[LanguageClient]:
    server = command()
    assert server is not None
    async with language_client(server, ROOT) as client:
        yield client


async def opened(editor: LanguageClient, inside: str, text: str) -> list[Underlined]:
    """A file of that name in rules/ as if it had this text; lines without the one that names the schema."""
    found = await editor.underlined(RULES / inside, modeline(Path(inside)) + text)
    await editor.close(RULES / inside)
    return [Underlined(each.line - 1, each.message) for each in found]


@needs_server
async def test_nothing_is_underlined_in_a_shipped_file(editor: LanguageClient) -> None:
    files = [RULES / inside for inside in files_in(RULES)]
    found = await asyncio.gather(*(editor.underlined(file, file.read_text("utf-8")) for file in files))
    assert {file: each for file, each in zip(files, found, strict=True) if each} == {}


LIST_IN_BRACES = re.compile(r"\{.* in \[")
"""YAML itself has no such text: Reeve reads it, an editor can't. docs/editor.md says what to write instead."""


@needs_server
async def test_nothing_is_underlined_in_a_good_file(editor: LanguageClient) -> None:
    for folder in sorted((CORPUS / "good").iterdir()):
        for inside in files_in(folder):
            text = (folder / inside).read_text("utf-8")
            if not LIST_IN_BRACES.search(text):
                assert await opened(editor, str(inside), text) == [], folder / inside


@needs_server
async def test_a_list_in_braces_can_be_written_so_that_yaml_understands_it(editor: LanguageClient) -> None:
    clock = "takes: mail\nclocks:\n  fetch: {{start: {}, stop: mail.collected, limit: 14d}}\n"
    bare, quoted = (
        clock.format(each) for each in ('closed if kind in ["letter"]', "'closed if kind in [\"letter\"]'")
    )
    for text in (bare, quoted):
        assert not shape_errors("post.yaml", text)
    assert await opened(editor, "post.yaml", bare)
    assert await opened(editor, "post.yaml", quoted) == []


@needs_server
async def test_what_the_loader_finds_wrong_with_the_shape_is_underlined_where_it_stands(
    editor: LanguageClient,
) -> None:
    texts = {name: (CORPUS / "bad" / name).read_text("utf-8") for name in BAD}
    found = await asyncio.gather(*(opened(editor, f"bad-{name}", text) for name, text in texts.items()))
    underlined = {name: {each.line for each in lines} for name, lines in zip(texts, found, strict=True)}
    wrong = {name: shape_errors(name, text) for name, text in texts.items()}
    assert {name: lines for name, lines in wrong.items() if not lines <= underlined[name]} == {}
    assert sum(map(len, wrong.values())) >= 10


def shape_errors(name: str, text: str) -> set[int]:
    """The lines in which the loader finds YAML or keys and values of a wrong shape."""
    try:
        doc = read_yaml(name, text.encode())
    except BadRule as bad:
        return {bad.problem.line}
    problems = (*doc.problems, *read_shape(doc, PolicyShape).problems)
    return {found.line for found in problems if found.is_error}


WRONG = {
    "complaint.yaml": ("takes: ticket\nclocks:\n  a: {start: opened, stop: closed, limitt: 5m}\n", 3, "limitt"),
    "repair.yaml": ("takes: tickets\n", 1, "ticket"),
    "site.yaml": ("language: 1\nchannels:\n  major: [sms, fax]\n", 3, "sms"),
    "sites/garden.yaml": ("opening: {default: closed, sunday: closed}\n", 1, "sunday"),
    "messages.yaml": ('hello:\n  zh:\n    mail: "{{ case }}"\n', 3, "mail"),
    "messages/repair.yaml": ('hello:\n  zh:\n    email: {subject: "{{ case }}"}\n', 3, "body"),
    "calendars/cn.yaml": ("known_until: 2026-12-31\nholidays: [2026-13-01]\n", 2, "pattern"),
    "duties.yaml": ("- {duty: a, every: day, who: b,\n   report: {cases: c, period: fortnight}}\n", 2, "month"),
    "score.yaml": ("- {points: -2, on: complaint.resolve breached, too: department}\n", 1, "too"),
    "facts.yaml": ("PAY-1:\n  kind: limt\n  text: x\n", 2, "limit"),
    "shifts.yaml": ("- place: s\n  role: guard\n  evry: day at 08:00\n", 3, "evry"),
    "tests/pay.test.yaml": ("- test: t\n  site: s\n  events: []\n  never: [{effect: breeched}]\n", 4, "breached"),
}  # fmt: skip
"""File → text, the line that is wrong, and a word that the editor says about it."""


@needs_server
async def test_a_slip_is_underlined_in_every_kind_of_file(editor: LanguageClient) -> None:
    opening = (opened(editor, inside, text) for inside, (text, _, _) in WRONG.items())
    for found, (inside, (_, line, word)) in zip(await asyncio.gather(*opening), WRONG.items(), strict=True):
        assert [each.line for each in found if word in each.message] == [line], (inside, found)
    assert {kind_of(Path(inside)) for inside in WRONG} == {*SINGLE, *FOLDERS.values(), "policy"}


async def offered(editor: LanguageClient, inside: str, text: str) -> list[str]:
    """What is offered where `|` stands in the text."""
    before, _, after = text.partition("|")
    line, column = before.count("\n") + 2, len(before.rpartition("\n")[2]) + 1
    await editor.underlined(RULES / inside, modeline(Path(inside)) + before + after)
    offers = await editor.completions(RULES / inside, line, column)
    await editor.close(RULES / inside)
    return offers


@needs_server
async def test_keys_and_words_are_offered(editor: LanguageClient) -> None:
    keys = await offered(editor, "x.yaml", "takes: ticket\n|\n")
    assert {"clocks", "grades", "steps", "close", "on_change"} <= set(keys)
    assert "takes" not in keys
    assert await offered(editor, "x.yaml", "on_change: |\n") == ["pin", "adopt", "recompute"]
    assert await offered(editor, "x.yaml", "clocks:\n  a:\n    restart: |\n") == ["true", "false"]
    assert "ticket.opened" in await offered(editor, "x.yaml", "clocks:\n  a:\n    start: |\n")
    assert 'category == "complaint"' in await offered(editor, "x.yaml", "if: |\n")
    assert "property_manager" in await offered(editor, "x.yaml", "steps:\n  - name: a\n    notify: |\n")
    assert {"sms", "email", "chat", "webhook"} == set(
        await offered(editor, "messages.yaml", "hello:\n  zh:\n    |\n")
    )
    assert "breached" in await offered(editor, "tests/x.test.yaml", "- expect:\n    - effect: |\n")


@needs_server
async def test_a_key_is_explained_in_both_languages(editor: LanguageClient) -> None:
    path = RULES / "x.yaml"
    await editor.underlined(path, modeline(Path("x.yaml")) + "takes: ticket\nclose: ticket.closed\n")
    said = await editor.hover(path, 3, 2)
    assert "Closed by" in said
    assert "What closes the case." in said
    assert "什么情况下结案。" in said
    assert "ticket.closed or ticket.cancelled" in said


@needs_server
async def test_an_operators_own_words_are_offered(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "site.yaml").write_text(
        "language: 1\nvocabulary: {损失: loss_cny}\nladder: {nurse: matron}\n", "utf-8"
    )
    (rules / "messages.yaml").write_text("call_back: {zh: {sms: 请回电}}\n", "utf-8")
    (rules / "care.yaml").write_text(
        "takes: ticket\ngrades: [{grade: grave}]\n"
        "clocks: {look_in: {start: ticket.opened, stop: ticket.closed, limit: 5m}}\n",
        "utf-8",
    )
    out = tmp_path / "schemas" / "rules"
    made = CliRunner().invoke(app, ["schemas", "--rules", str(rules), "--out", str(out)])
    assert made.exit_code == 0, made.output
    server = command()
    assert server is not None
    async with language_client(server, tmp_path) as editor:

        async def offers(text: str) -> list[str]:
            before = modeline(Path("x.yaml")) + text
            await editor.underlined(rules / "x.yaml", before + "\n")
            place = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
            found = await editor.completions(rules / "x.yaml", *place)
            await editor.close(rules / "x.yaml")
            return found

        assert "损失 >= 1" in await offers("if: ")
        assert "call_back" in await offers("steps:\n  - name: a\n    message: ")
        assert {"nurse", "matron"} <= set(await offers("steps:\n  - name: a\n    notify: "))
        assert "look_in breached" in await offers("steps:\n  - name: a\n    on: ")
        assert "grave" in await offers("steps:\n  - name: a\n    grades: ")
        assert "care" in await offers("steps:\n  - name: a\n    open: ")


CHANNELS = ROOT / "examples" / "channels"


@needs_server
async def test_provider_files_are_underlined_completed_and_explained(editor: LanguageClient) -> None:
    for file in sorted(CHANNELS.glob("*.yaml")):
        assert await editor.underlined(file, file.read_text("utf-8")) == [], file
    head = "# yaml-language-server: $schema=../../schemas/channels/smtp.schema.json\nname: a\nkind: smtp\n"
    path = CHANNELS / "x.yaml"
    found = await editor.underlined(path, head + "host: h\ntsl: tls\n")
    assert [each.line for each in found] == [5]
    await editor.close(path)
    await editor.underlined(path, head + "host: h\ntls: \n")
    assert {"auto", "starttls", "tls", "none"} <= set(await editor.completions(path, 5, 6))
    said = await editor.hover(path, 4, 2)
    assert "主机名或地址。" in said
