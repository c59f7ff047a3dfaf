"""One short phrase for what a delivery did: a message on notifications.>, or a line of a timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from reeve.cli.notifications.texts import ANSWERS, DEEDS, HOLDS, REASONS, WAYS
from reeve.cli.output import moment
from reeve.cli.speaking import say
from reeve.cli.wording_texts import OF_DELIVERIES, PARTS


def delivery_phrase(what: str, keys: Mapping[str, Any], lang: str = "en") -> str:
    """What happened, in words; `keys` as in contracts.deliveries or contracts.timeline."""
    given = defaultdict(lambda: None, keys)
    name = what if what in OF_DELIVERIES else "into" if given["into"] else "other"
    whom = _whom(given, lang)
    if name == "other" and not whom:
        whom = _part("to_nobody", lang)
    filled = {
        # English keeps the word of the message; in Chinese it would be a stranger.
        "what": say(DEEDS, what, lang, into="") if lang == "zh" else what,
        "to": whom,
        "until": _part("until", lang, until=moment(given["until"])[:16]) if given["until"] else "",
        "hold": say(HOLDS, given["reason"] or "", lang),
        "through": _part("through", lang, provider=given["provider"]) if given["provider"] else "",
        "why": _why(given, lang),
        "answer": say(ANSWERS, str(given["answer"]), lang)
        + (_part("minutes", lang, minutes=given["minutes"]) if given["minutes"] else ""),
        "how": _part("how", lang, way=say(WAYS, given["answered_by"], lang)) if given["answered_by"] else "",
        "instead": _part("instead", lang, next_role=given["next_role"]) if given["next_role"] else "",
        "more": _more(given, lang),
    }
    return OF_DELIVERIES[name][lang == "zh"].format_map(given | filled)


def answered(keys: Mapping[str, Any], lang: str = "en") -> str:
    """Who made the case's line by an answer from a message; empty where it was nobody."""
    if not keys.get("answered_by"):
        return ""
    return _part("answered", lang, recipient=keys.get("recipient"), way=say(WAYS, keys["answered_by"], lang))


def _part(name: str, lang: str, **values: Any) -> str:
    return say(PARTS, name, lang, **values)


def _whom(keys: Mapping[str, Any], lang: str) -> str:
    who = keys["recipient"] or keys["role"]
    by = _part("by", lang, channel=keys["channel"]) if keys["channel"] else ""
    if not who:
        return by
    role = _part("as_role", lang, role=keys["role"]) if keys["role"] and keys["recipient"] else ""
    return (" " if lang == "zh" else "") + _part("whom", lang, who=who, role=role, by=by)


def _more(keys: Mapping[str, Any], lang: str) -> str:
    found = [
        _part("attempt", lang, attempt=keys["attempt"]) if (keys["attempt"] or 1) > 1 else "",
        _part("segments", lang, segments=keys["segments"]) if (keys["segments"] or 1) > 1 else "",
        _part("merged", lang, merged=keys["merged"]) if keys["merged"] else "",
        _part("resent", lang) if keys["resent"] else "",
        _part("resend_of", lang, by=keys["by"] or _part("somebody", lang)) if keys["resend_of"] else "",
    ]
    through = _part("through", lang, provider=keys["provider"]) if keys["provider"] else ""
    return through + "".join(_part("comma", lang) + each for each in found if each)


def _why(keys: Mapping[str, Any], lang: str) -> str:
    if not keys["reason"]:
        return ""
    reason = say(REASONS, keys["reason"], lang) if lang == "zh" else keys["reason"]
    return _part("why", lang, reason=" ".join(each for each in (reason, keys["silence"]) if each))
