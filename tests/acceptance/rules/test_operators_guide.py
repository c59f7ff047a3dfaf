"""The operators' guide keeps its word: what it says to write does what it says, what it shows is what one sees.

Its blocks are applied to the shipped folder as the text says, and both languages hold the same blocks.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from reeve.cli.cases import explain_texts
from reeve.cli.main import COMMANDS
from reeve.cli.recipients.files import read_recipients
from reeve.cli.rules import activating_texts
from reeve.cli.rules.command import app as rules_app
from reeve.contracts.events import parse_event
from reeve.domain.bundle import Bundle
from reeve.domain.recipients import Recipient
from reeve.domain.simulate import Simulation
from reeve.rulelang.check_recipients import check_recipients
from reeve.rulelang.comparing import differences
from reeve.rulelang.load import LoadResult, load_bundle, read_folder
from reeve.rulelang.scenarios import ScenarioFile
from reeve.runtime.impact import Impact
from reeve.runtime.run_scenarios import run_scenarios
from reeve.runtime.time_source import SystemTime
from tests.support.guide import GUIDES, Edit, Section, edited, read_guide

ROOT = Path(__file__).parents[3]
WRITTEN = datetime(2026, 11, 22, 4, tzinfo=UTC)
"""When the guide was written: what it shows of the calendar is what one sees then."""
LANGUAGES = sorted(GUIDES)
FIRST, GRADE, CLOCK, NIGHT, FEE, SITE, TEXT, REPORT, POINTS, WORD, WHY, TRYING, CALENDAR = range(13)
RECIPES = [GRADE, CLOCK, NIGHT, FEE, SITE, REPORT, POINTS, WORD, CALENDAR]
"""Those that bring a scenario of their own."""


@cache
def guide(lang: str) -> list[Section]:
    return read_guide(ROOT / "docs" / GUIDES[lang], lang)


@cache
def shipped() -> dict[str, bytes]:
    return read_folder(ROOT / "rules")


@cache
def as_shipped() -> LoadResult:
    return load_bundle(shipped())


@cache
def with_recipe(number: int) -> LoadResult:
    return load_bundle(edited(shipped(), guide("zh")[number].edits), today=date(2026, 3, 2))


def failed(bundle: Bundle, files: list[ScenarioFile]) -> list[str]:
    return [
        f"{outcome.scenario.test}: {failure.render()}"
        for outcome in run_scenarios(bundle, files)
        for failure in outcome.failures
    ]


def without_prose(edit: Edit) -> str:
    """What both languages must agree on: comments and the names of scenarios are each language's own."""
    lines = [re.sub(r"(^|\s+)# .*$|^- test: .*$", "", line) for line in edit.body.splitlines()]
    return "\n".join(line for line in lines if line.strip())


def test_both_languages_hold_the_same_blocks() -> None:
    for chinese, english in zip(guide("zh"), guide("en"), strict=True):
        for one, other in zip(chinese.edits, english.edits, strict=True):
            assert (one.file, one.action, one.before) == (other.file, other.action, other.before)
            assert without_prose(one) == without_prose(other)
        assert len(chinese.blocks) == len(english.blocks)


@pytest.mark.parametrize("number", RECIPES)
def test_a_recipe_loads_without_a_word_of_complaint_and_does_what_its_scenario_says(number: int) -> None:
    result = with_recipe(number)
    assert [problem.render() for problem in result.problems] == []
    own = [edit.file for edit in guide("zh")[number].edits if edit.file.startswith("tests/")]
    files = [file for file in result.scenarios if file.file in own]
    assert [file.file for file in files] == own != []
    assert failed(result.require(), files) == []


@pytest.mark.parametrize("number", [FIRST, TEXT])
def test_an_edit_without_a_scenario_of_its_own_loads(number: int) -> None:
    result = with_recipe(number)
    assert [problem.render() for problem in result.problems] == []
    assert result.require().version != as_shipped().require().version


def test_without_the_recipes_their_scenarios_fail() -> None:
    own = [edit for number in RECIPES for edit in guide("zh")[number].edits if edit.file.startswith("tests/")]
    files = edited(shipped(), own)
    bare = load_bundle(files)
    assert bare.errors == ()
    for edit in own:
        (file,) = [file for file in bare.scenarios if file.file == edit.file]
        assert failed(bare.require(), [file]) != [], edit.file


@pytest.mark.parametrize("lang", LANGUAGES)
def test_all_recipes_go_together(lang: str) -> None:
    assert [problem.render() for problem in all_together(lang).problems] == []


def test_with_all_recipes_every_scenario_holds() -> None:
    result = all_together("zh")
    assert failed(result.require(), list(result.scenarios)) == []


@cache
def all_together(lang: str) -> LoadResult:
    edits = [edit for section in guide(lang) for edit in section.edits]
    return load_bundle(edited(shipped(), edits), today=date(2026, 3, 2))


# --- what the text says besides ---------------------------------------------------------------------------------


def test_without_its_limits_the_new_grade_is_refused() -> None:
    edits = [edit for edit in guide("zh")[GRADE].edits if edit.action != "lines"]
    found = [problem.render() for problem in load_bundle(edited(shipped(), edits)).errors]
    for clock in ("respond", "resolve", "follow_up"):
        assert any("crisis" in problem and clock in problem for problem in found), clock


def test_the_first_change_is_refused_until_the_scenario_says_the_same() -> None:
    rule, scenario = guide("zh")[FIRST].edits
    half = load_bundle(edited(shipped(), [rule]))
    repair = [file for file in half.scenarios if file.file == scenario.file]
    assert len(failed(half.require(), repair)) == 1
    whole = load_bundle(edited(shipped(), [rule, scenario]))
    assert failed(whole.require(), [file for file in whole.scenarios if file.file == scenario.file]) == []


def test_the_people_of_the_new_site_can_be_imported(tmp_path: Path) -> None:
    bundle = with_recipe(SITE).require()
    for lang in LANGUAGES:
        (table,) = guide(lang)[SITE].texts("csv")
        file = tmp_path / f"{lang}.csv"
        file.write_text(table, "utf-8")
        rows = read_recipients(file)
        assert list(rows.faults) == []
        assert nobody_at_the_site(bundle, rows.recipients) == []
        leaderless = [person for person in rows.recipients if "company_leader" not in person.roles]
        assert nobody_at_the_site(bundle, leaderless) != []


NOW = datetime(2026, 3, 4, 2, tzinfo=UTC)


def nobody_at_the_site(bundle: Bundle, people: Collection[Recipient]) -> list[str]:
    found = [each.render() for each in check_recipients(bundle, people, NOW) if each.code == "role_nobody"]
    return [text for text in found if "moon-bay" in text]


def test_the_night_duty_is_told_at_night_and_without_the_key_in_the_morning() -> None:
    edits = guide("zh")[NIGHT].edits
    silent = [replace(edit, body=edit.body.replace("  quiet: ignore\n", "")) for edit in edits]
    told = asked(with_recipe(NIGHT).require(), "night_patrol")
    assert [(each.at, each.notification.not_before) for each in told] == [
        (datetime(2026, 3, 4, 14, 30, tzinfo=UTC), None),
        (datetime(2026, 3, 4, 16, 30, tzinfo=UTC), None),
    ]
    assert {
        each.notification.not_before
        for each in asked(load_bundle(edited(shipped(), silent)).require(), "night_patrol")
    } == {datetime(2026, 3, 5, 0, tzinfo=UTC)}


def test_the_owner_is_told_on_the_last_day_when_the_office_opens() -> None:
    body = {"specversion": "1.0", "id": "e", "source": "/test", "type": "payment.billed", "site": "sunshine-garden"}
    body |= {"subject": "L-1", "time": "2026-03-02T09:00:00+08:00"}
    event = parse_event(json.dumps(body | {"data": {"amount_cny": 300, "due_on": "2026-03-06", "customer": "C-9"}}))
    simulation = Simulation(with_recipe(FEE).require())
    effects = [*simulation.feed(event), *simulation.finish(datetime(2026, 3, 6, 12, tzinfo=UTC))]
    (told,) = [each.notification for each in effects if each.notification and each.notification.step == "last_day"]
    assert told.owner_not_before == datetime(2026, 3, 6, 0, 30, tzinfo=UTC)


def asked(bundle: Bundle, case: str) -> list[Any]:
    """What a duty of the night from 4 to 5 March 2026 asks to be told."""
    simulation = Simulation(bundle, duties=True)
    since = datetime(2026, 3, 4, 4, tzinfo=UTC)
    effects = [*simulation.advance(since)]
    simulation.start("sunshine-garden", since)
    effects += simulation.finish(datetime(2026, 3, 5, 4, tzinfo=UTC))
    return [each for each in effects if each.notification is not None and each.case.subject.startswith(case)]


# --- commands, and what they show -------------------------------------------------------------------------------


def commands_in(path: Path) -> list[str]:
    text = path.read_text("utf-8")
    blocks = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    rest = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [line for line in [*blocks, *re.findall(r"`([^`\n]+)`", rest)] if line.startswith("reeve ")]


UsageError = typer.BadParameter.__mro__[1]
"""Of the Click that Typer brings."""


def parse(line: str) -> Any:
    """The context in which the command would run. Raises UsageError where it would not."""
    _, name, *arguments = shlex.split(line)
    module = import_module(COMMANDS[name][0])
    app = getattr(module, "app", None)
    if not isinstance(app, typer.Typer):
        app = typer.Typer(add_completion=False)
        app.command(name)(getattr(module, name))
    command: Any = typer.main.get_command(app)
    context = None
    while arguments and arguments[0] in (inner := getattr(command, "commands", {})):
        context = type(command).context_class(command, info_name=name, parent=context)
        name = arguments.pop(0)
        command = inner[name]
    assert not getattr(command, "commands", {}) or command.invoke_without_command, line
    return command.make_context(name, arguments, parent=context)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_command_is_taken_as_it_stands(lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("rules", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copytree(ROOT / "rules", tmp_path / "draft")
    (tmp_path / "moon-bay.csv").write_text("".join(guide(lang)[SITE].texts("csv")), "utf-8")
    monkeypatch.chdir(tmp_path)
    lines = commands_in(ROOT / "docs" / GUIDES[lang])
    assert len(lines) > 30
    for line in lines:
        assert parse(line).command.callback is not None, line
    with pytest.raises(UsageError):
        parse("reeve rules push draft --shadows")


def in_the_draft(folder: Path, files: dict[str, bytes], *arguments: str) -> list[str]:
    """What a command says of a draft that holds these files."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return CliRunner().invoke(rules_app, [arguments[0], str(folder), *arguments[1:]]).output.splitlines()


def templates(lang: str) -> list[str]:
    """Patterns for what push, rollback and explain say with numbers and names filled in."""
    which = explain_texts_of(lang)
    found = [*activating_texts.TEXTS[lang].values(), *which["reasons"], *which["headings"]]
    reasons = [re.sub(r"\\\{\w+(?:\\?:[^}]*)?\\\}", ".+", re.escape(text)) for text in found]
    fails, unknown = which["fails"], re.escape(which["unknown"]).replace(r"\{name\}", ".+")
    return [*reasons, rf"- .+  {re.escape(fails)}: {unknown}"]


def explain_texts_of(lang: str) -> dict[str, Any]:
    index = ("en", "zh").index(lang)
    return {
        "reasons": [texts[index] for texts in explain_texts.REASONS.values()],
        "headings": [texts[index] for texts in explain_texts.HEADINGS.values()],
        "fails": explain_texts.WORDS["fails"][index],
        "unknown": explain_texts.WORDS["unknown"][index],
    }


def scenarios_said(folder: Path, lang: str) -> list[str]:
    """What `rules test` says before and after the scenario is changed; other files' scenarios are not run here."""
    rule, scenario = guide("zh")[FIRST].edits
    said = []
    for edits in ([rule], [rule, scenario]):
        files = {
            path: content
            for path, content in edited(shipped(), edits).items()
            if path == scenario.file or not path.startswith("tests/")
        }
        said += in_the_draft(folder, files, "test", "--lang", lang)
    return said


def all_that_is_said(lang: str, folder: Path) -> list[str]:
    """Every line that the commands of the guide say, in this language, of the drafts that it describes."""
    rule, scenario = guide(lang)[FIRST].edits
    slip = Edit(rule.file, "lines", None, rule.body.replace("+    limit: 2d", "+    limit: 2 day working"))
    said = in_the_draft(folder, edited(shipped(), [rule, scenario]), "check", "--lang", lang)
    said += in_the_draft(folder, edited(shipped(), [slip, scenario]), "check", "--lang", lang)
    said += scenarios_said(folder, lang)
    said += [f"  ~ {each.say(lang)}" for each in differences(shipped(), edited(shipped(), [rule, scenario]))]
    said.append(f"  {Impact('repair', 'pin', 2, 0, '').say(lang)}")
    complaint = as_shipped().require().policies["complaint"]
    return [*said, *(f"  {step.name}  {step.pos.file}:{step.pos.line}  on: " for step in complaint.steps)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_shown_is_what_one_sees(lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemTime, "now", lambda _: WRITTEN)
    said = all_that_is_said(lang, tmp_path / "draft")
    patterns = [re.escape(line).replace(r"\ on:\ ", r"\ on:\ .+") for line in said]
    patterns += [rf"\s*{template}" for template in templates(lang)]
    assert not any(re.fullmatch(pattern, "  ~ repair.doorstep: 3d → 4d, and anything else") for pattern in patterns)
    shown = [line for section in guide(lang) for text in section.texts("text") for line in text.splitlines()]
    assert len(shown) > 15
    for line in shown:
        wanted = re.escape(line).replace("…", ".+")
        assert any(re.fullmatch(wanted, each) for each in said) or any(
            re.fullmatch(pattern, line) for pattern in patterns
        ), line


def test_the_calendar_commands_leave_rules_that_load(tmp_path: Path) -> None:
    draft = tmp_path / "draft"
    shutil.copytree(ROOT / "rules", draft)
    for more in ([], ["--name", "de"]):
        assert CliRunner().invoke(rules_app, ["calendar", "update", str(draft), *more]).exit_code == 0
    assert (draft / "calendars" / "de.yaml").is_file()
    assert load_bundle(read_folder(draft)).errors == ()


QUOTED = {
    "zh": ("没有启用：此间 …… 启用了版本 ……", "等到……再发", "该角色无人可通知", "失败"),
    "en": (
        "Not activated: meanwhile … activated version …",
        "waits until …",
        "NOBODY of the role can be reached",
        "FAILED",
    ),
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_quoted_in_a_sentence_is_said(lang: str) -> None:
    """With dots for what differs."""
    text = (ROOT / "docs" / GUIDES[lang]).read_text("utf-8")
    index = ("en", "zh").index(lang)
    sources = [activating_texts.TEXTS[lang]["lost"], *(each[index] for each in explain_texts.OUTCOMES.values())]
    for quoted in QUOTED[lang]:
        assert quoted in text
        pieces = [piece.strip() for piece in re.split("…+", quoted)]
        assert any(all(piece in source for piece in pieces) for source in sources), quoted
