"""Several messages to one person as one: how many there are, and a line for each matter, as it is now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.facts import zone_of
from reeve.domain.flood.settings import DIGEST
from reeve.domain.recipients import OWNER
from reeve.rulelang.message_context import FIXED
from reeve.rulelang.messages import TEMPLATES
from reeve.rulelang.sms_segments import segments
from reeve.rulelang.template_limits import RenderingFailed, TemplateRefused
from reeve.rulelang.titles import DEFAULT_LANGUAGE, ROLE_TITLES, languages_for, title_in
from reeve.runtime.rendering import MessageRenderer, Rendered, one_line, template_for

_MOST_SEGMENTS = 3
"""Of Reeve's own text as SMS; the matters that don't fit are only counted."""
_MOST_LINES = 100

_SHORT = frozenset({"sms"})
"""Channels whose texts are paid for by their length: no links, and no more lines than fit."""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "subject": "{site}{count}条通知，{matters}件事项",
        "head": "{site}{count}条通知，{matters}件事项：",
        "site": "【{site}】",
        "steps": "（{count}条：{steps}）",
        "count": "（{count}条）",
        "closed": "（已结案）",
        "link": "确认接手：",
        "more": "另有{count}件",
        "comma": "、",
    },
    "en": {
        "subject": "{site}{count} messages, {matters} cases",
        "head": "{site}{count} messages, {matters} cases:",
        "site": "{site}: ",
        "steps": " ({count}: {steps})",
        "count": " ({count} messages)",
        "closed": " (closed)",
        "link": "Acknowledge: ",
        "more": "and {count} more",
        "comma": ", ",
    },
}
_ONE_CASE = (("messages, 1 cases", "messages about one case"),)


@dataclass(frozen=True, slots=True)
class Part:
    """One message of several to the same person."""

    case: Case
    message: str
    step: str
    role: str
    at: datetime
    """Its logical moment."""
    ack_url: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Values that are not in the case itself."""


def combined_text(
    renderer: MessageRenderer,
    bundle: Bundle,
    parts: Sequence[Part],
    channel: str,
    language: str,
    now: datetime,
) -> Rendered:
    """The operator's template `digest`, or Reeve's own text. Never fails; `parts` must not be empty.

    A matter's line is the subject of its newest message's email, in the reader's language, then how many messages
    there were of which steps (owners are not told steps), and that the case is closed, if it is.
    """
    site = bundle.site(parts[0].case.key.site)
    languages = languages_for(language, site)
    words = next((_WORDS[each] for each in languages if each in _WORDS), _WORDS[DEFAULT_LANGUAGE])
    matters: dict[tuple[str, str, str], list[Part]] = {}
    for part in parts:
        case = part.case
        matters.setdefault((case.key.site, case.family, case.root or case.key.subject), []).append(part)
    lines = [_line(renderer, bundle, those, channel, language, words, now) for those in matters.values()]
    one_site = len({part.case.key.site for part in parts}) == 1
    site_title = title_in(site.title, languages, site.site or parts[0].case.key.site) if one_site else ""
    values = {
        "site": words["site"].format(site=site_title) if site_title else "",
        "count": str(len(parts)),
        "matters": str(len(matters)),
    }
    head, subject = _counted(words["head"], values), _counted(words["subject"], values)
    shown = _fitting(head, lines, words, channel)
    role = parts[0].role
    context: dict[str, Any] = dict.fromkeys(FIXED) | {
        "site": parts[0].case.key.site if one_site else "",
        "site_title": site_title,
        "message": DIGEST,
        "role": role,
        "role_title": title_in(ROLE_TITLES.get(role, {}), languages, role),
        "today": now.astimezone(zone_of(site.zone)).date(),
        "count": len(parts),
        "matters": len(matters),
        "lines": shown,
    }
    template = template_for(bundle.messages.get(DIGEST, {}), languages, channel)
    fault: str | None = None
    if template is not None:
        try:
            body = TEMPLATES.render(template["body"], context)
            own = TEMPLATES.render(template["subject"], context) if template.get("subject") else subject
            if body.strip():
                return Rendered(one_line(own), body, None, languages[0], context)
            fault = "the text is empty"
        except (TemplateRefused, RenderingFailed) as error:
            fault = str(error)
    return Rendered(one_line(subject), f"{head}\n{shown}", fault, languages[0], context)


def _line(
    renderer: MessageRenderer,
    bundle: Bundle,
    parts: Sequence[Part],
    channel: str,
    language: str,
    words: Mapping[str, str],
    now: datetime,
) -> str:
    newest = max(parts, key=lambda part: part.at)
    text = renderer.render(
        bundle, newest.case, newest.message, "email", language, newest.role, now, newest.ack_url, newest.more
    )
    line = text.subject or one_line(text.body)
    if not newest.case.open:
        line += words["closed"]
    if len(parts) > 1 and newest.role == OWNER:
        line += words["count"].format(count=len(parts))
    elif len(parts) > 1:
        steps = Counter(part.step for part in sorted(parts, key=lambda part: part.at))
        told = words["comma"].join(step if count == 1 else f"{step} ×{count}" for step, count in steps.items())
        line += words["steps"].format(count=len(parts), steps=told)
    if newest.ack_url and newest.case.open and channel not in _SHORT:
        line += f"\n  {words['link']}{newest.ack_url}"
    return line


def _fitting(head: str, lines: Sequence[str], words: Mapping[str, str], channel: str) -> str:
    """As many lines as the channel bears, the first always, and how many more there are."""
    shown = list(lines[:_MOST_LINES])
    while True:
        left = len(lines) - len(shown)
        text = "\n".join([*shown, words["more"].format(count=left)] if left else shown)
        if len(shown) == 1 or channel not in _SHORT or segments(f"{head}\n{text}") <= _MOST_SEGMENTS:
            return text
        shown.pop()


def _counted(text: str, values: Mapping[str, str]) -> str:
    filled = text.format(**values)
    for several, one in _ONE_CASE:
        filled = filled.replace(several, one)
    return filled
