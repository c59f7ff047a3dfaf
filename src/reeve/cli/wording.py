"""One short phrase for everything that can happen to a case or a notification, in English or Chinese."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from reeve.cli.delivery_wording import answered, delivery_phrase
from reeve.cli.notifications.texts import REASONS
from reeve.cli.output import moment, span
from reeve.cli.wording_texts import PARTS, PHRASES

STYLES = {
    "graded": "bold",
    "breached": "bold red",
    "escalated": "bold yellow",
    "undeliverable": "bold red",
    "failed": "bold red",
    "notify": "yellow",
    "requested": "yellow",
    "sent": "green",
    "delivered": "green",
    "unknown": "yellow",
    "retried": "yellow",
    "suppressed": "dim",
    "merged": "dim",
    "held": "dim",
    "closed": "dim",
    "clock_started": "cyan",
}
"""How a phrase stands out on a terminal."""


def phrase(what: str, keys: Mapping[str, Any], lang: str = "en") -> str:
    """What happened, in words; `keys` are the further keys of the line, or the message's data."""
    if "notification" in keys:
        return delivery_phrase(what, keys, lang)
    say = _Parts(lang)
    given = defaultdict(lambda: None, keys)
    found = PHRASES.get(what)
    text = found[say.index] if found is not None else what.replace("_", " ") + "{detail}{answered}{reason}"
    filled = {
        "due": say.part("due", due=moment(given["due"])[:16]) if given["due"] else say.part("undated"),
        "was": say.part("was", was=given["was"]) if given["was"] else "",
        "run": say.part("run", run=given["run"]) if (given["run"] or 1) > 1 else "",
        "left": say.left(given["left"]),
        "met": say.part("met" if given["met"] else "missed"),
        "to": say.names(given["to"]),
        "via": say.names(given["via"]),
        "late": say.part("late") if given["late"] else "",
        "outcome": say.part("outcome", outcome=given["outcome"]) if given["outcome"] else "",
        "way": say.part(given["on_change"]) if given["on_change"] in PARTS else given["on_change"],
        "chosen": say.part("chosen", by=given["by"]) if given["by"] else "",
        "detail": say.detail(given),
        "answered": answered(keys, lang),
        "reason": say.reason(given["reason"]),
    }
    return text.format_map(given | filled)


def because(keys: Mapping[str, Any], lang: str = "en") -> str:
    """The reason as `complaint.yaml:14 (event c0ffee-1)`; empty if the line gives none."""
    reason = keys.get("because")
    if not isinstance(reason, Mapping) or not reason.get("rule"):
        return ""
    for name, said in (("event", "event"), ("clock", "by_clock")):
        if reason.get(name):
            return _Parts(lang).part(said, rule=reason["rule"], it=reason[name])
    return str(reason["rule"])


class _Parts:
    """What a phrase of one language is put together from."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self.index = int(lang == "zh")

    def part(self, name: str, **values: Any) -> str:
        return PARTS[name][self.index].format(**values)

    def left(self, seconds: Any) -> str:
        if not isinstance(seconds, int | float):
            return ""
        return self.part("left", length=span(timedelta(seconds=seconds), self._lang))

    def names(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        return self.part("and").join(str(item) for item in value) if value else self.part("nobody")

    def reason(self, given: Any) -> str:
        if not given:
            return ""
        known = REASONS.get(str(given)) if self.index else None
        return self.part("reason", reason=known[1] if known is not None else given)

    def detail(self, keys: Mapping[str, Any]) -> str:
        found = [self.part(name, it=keys[name]) for name in ("clock", "step", "child", "message") if keys[name]]
        if keys["to"]:
            found.append(self.part("to", it=self.names(keys["to"])))
        return self.part("detail", those=self.part("comma").join(found)) if found else ""
