"""What is said where no template says it: people must be told even when a template is missing or broken.

One short text for every message and channel, in each language Reeve ships. No titles and no facts: those are free
text, and this one must always work.
"""

from __future__ import annotations

from collections.abc import Mapping

from reeve.rulelang.titles import DEFAULT_LANGUAGE

_NOTICE: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "subject": "{policy} {case}{grade}：请处理",
        "body": "【{site}】{policy} {case}{grade}，请处理{due}。",
        "unreachable_subject": "{policy} {case}：无法联系到{role}",
        "unreachable_body": "【{site}】{policy} {case}{grade}：无法联系到{role}，请您接手{due}。",
        "grade": "（{grade}）",
        "due": "，时限 {due}",
    },
    "en": {
        "subject": "{policy} {case}{grade}: please attend",
        "body": "{site}: {policy} {case}{grade} needs attention{due}.",
        "unreachable_subject": "{policy} {case}: nobody reached as {role}",
        "unreachable_body": "{site}: {policy} {case}{grade}: no {role} could be reached; please take over{due}.",
        "grade": " ({grade})",
        "due": ", due {due}",
    },
}

LANGUAGES = tuple(_NOTICE)


def default_text(
    languages: tuple[str, ...],
    *,
    site: str,
    policy: str,
    case: str,
    grade: str,
    due: str,
    unreached: str,
) -> tuple[str, str]:
    """(subject, body) in the first language that Reeve speaks. `unreached`: the role nobody of which was reached.

    `grade`, `due` and `unreached` may be empty and are then left out.
    """
    texts = next((_NOTICE[each] for each in languages if each in _NOTICE), _NOTICE[DEFAULT_LANGUAGE])
    values = {
        "site": site,
        "policy": policy,
        "case": case,
        "grade": texts["grade"].format(grade=grade) if grade else "",
        "due": texts["due"].format(due=due) if due else "",
        "role": unreached,
    }
    prefix = "unreachable_" if unreached else ""
    return texts[prefix + "subject"].format(**values), texts[prefix + "body"].format(**values)
