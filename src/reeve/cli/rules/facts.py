"""`reeve rules facts`: every promise of facts.yaml, and the rules that carry it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import RULES, AsJson, Lang, RulesFolder
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.speaking import spoken_language

if TYPE_CHECKING:
    from reeve.rulelang.citations import Rule
    from reeve.rulelang.facts import FactShape

_WORDS = {
    "en": {
        "limit": "limit", "trigger": "trigger", "schedule": "schedule", "grade": "grade", "score": "score",
        "manner": "manner", "policy": "file", "count": "count", "clock": "clock", "step": "step", "duty": "duty",
        "setting": "setting", "no_rule": "no rule", "by_people": "no rule, because: ",
        "all": "{facts} facts: {carried} carried in {rules} places, {manners} left to people, {missing} missing.",
        "some": "{missing} facts have no rule.", "none": "Every fact that a rule can keep has one.",
    },
    "zh": {
        "limit": "时限", "trigger": "触发", "schedule": "周期", "grade": "分级", "score": "计分", "manner": "行为",
        "policy": "文件", "count": "计数", "clock": "时限", "step": "步骤", "duty": "例行工作", "setting": "设置",
        "no_rule": "没有规则", "by_people": "不设规则，因为：",
        "all": "共 {facts} 条：{carried} 条由规则实现（{rules} 处），{manners} 条靠人遵守，{missing} 条没有规则。",
        "some": "有 {missing} 条没有规则。", "none": "凡规则能实现的都已有规则。",
    },
}  # fmt: skip


def facts(
    folder: RulesFolder = RULES,
    missing: Annotated[
        bool, typer.Option("--missing", help="Only facts that a rule could keep and none does.")
    ] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """List every fact of facts.yaml with the rules that carry it: file, line and name.

    A rule carries a fact by naming it in a comment on its lines or right above (`# COMPLAINT-08`), a score by its
    `fact:`. Facts of kind `manner` have no rule; they say why.

    Exit codes: 0 done, 1 facts.yaml has errors, or --missing found some, 2 there is no folder or no facts.yaml.
    """
    language = spoken_language(lang)
    catalogue, carried = _read(folder, language)
    lacking = [fact for fact, entry in catalogue.items() if entry.kind != "manner" and not carried[fact]]
    for fact, entry in catalogue.items():
        if missing and fact not in lacking:
            continue
        if as_json:
            print_json(_row(fact, entry, carried[fact]))
        else:
            _show(fact, entry, carried[fact], language)
    if not as_json:
        words = _WORDS[language]
        kept = [carried[fact] for fact in catalogue if carried[fact]]
        counts = {
            "facts": len(catalogue),
            "carried": len(kept),
            "rules": sum(map(len, kept)),
            "manners": sum(entry.kind == "manner" and not carried[fact] for fact, entry in catalogue.items()),
            "missing": len(lacking),
        }
        print_line(words["all" if not missing else "some" if lacking else "none"].format(**counts))
    if missing and lacking:
        raise typer.Exit(BAD)


def _read(folder: Path, language: str) -> tuple[Mapping[str, FactShape], dict[str, list[Rule]]]:
    """The catalogue, and each fact's rules in the order of the files. Ends the command if there is no catalogue."""
    from reeve.rulelang.citations import find_citations
    from reeve.rulelang.facts import FactsShape, read_facts
    from reeve.rulelang.layout import lay_out
    from reeve.rulelang.load import read_folder
    from reeve.rulelang.problems import BadRule
    from reeve.rulelang.reading import read_shape
    from reeve.rulelang.yamlfile import kept_yaml

    try:
        files = read_folder(folder)
    except OSError as error:
        errors().print(f"{folder} can't be read: {error.strerror or error}. Name the folder with the rule files.")
        raise typer.Exit(USAGE) from None
    layout = lay_out(files)
    if layout.facts is None:
        errors().print(
            f"{folder} has no facts.yaml. Write one: `COMPLAINT-08: {{kind: limit, text: answered in 10 minutes}}`."
        )
        raise typer.Exit(USAGE)
    try:
        shaped = read_shape(kept_yaml(layout.facts, files[layout.facts]), FactsShape)
        problems = list(shaped.problems)
        if shaped.model is not None:
            problems += read_facts(shaped.doc, shaped.model)[1]
    except BadRule as bad:
        shaped, problems = None, [bad.problem]
    for problem in problems:
        errors().print(problem.render(language))
    if problems or shaped is None or shaped.model is None:
        raise typer.Exit(BAD)
    carried: dict[str, list[Rule]] = defaultdict(list)
    for citation in find_citations(files, layout):
        if citation.rule is not None and citation.rule not in carried[citation.fact]:
            carried[citation.fact].append(citation.rule)
    return shaped.model.root, carried


def _row(fact: str, entry: FactShape, rules: Sequence[Rule]) -> dict[str, object]:
    row: dict[str, object] = {"fact": fact, "kind": entry.kind, "text": dict(entry.text)}
    if entry.reason:
        row["reason"] = dict(entry.reason)
    places = [
        {"file": rule.pos.file, "line": rule.pos.line, "what": rule.what, "name": rule.name} for rule in rules
    ]
    return {**row, "rules": places}


def _show(fact: str, entry: FactShape, rules: Sequence[Rule], language: str) -> None:
    words = _WORDS[language]
    print_line((fact, "bold"), "  ", (words[entry.kind], "cyan"), "  ", _in(entry.text, language))
    for rule in rules:
        print_line(f"    {rule.pos.file}:{rule.pos.line}  {words[rule.what]} {rule.name}")
    if not rules and entry.reason:
        print_line("    ", (words["by_people"] + _in(entry.reason, language), "dim"))
    elif not rules:
        print_line("    ", (words["no_rule"], "bold yellow"))


def _in(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")
