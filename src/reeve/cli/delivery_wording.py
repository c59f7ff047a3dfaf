"""One short English phrase for what a delivery did: a message on notifications.>, or a line of a timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reeve.cli.output import moment

HOLDS = {
    "quiet": "quiet hours",
    "merge": "to go with others of the matter",
    "daily": "one payment reminder a day",
    "digest": "the digest of mild grades",
    "budget": "the month's budget",
}
"""Why a delivery waits on purpose."""


def delivery_phrase(what: str, keys: Mapping[str, Any]) -> str:
    """What happened, in words; `keys` as in contracts.deliveries or contracts.timeline."""
    message = keys.get("message")
    match what:
        case "held":
            until = f" until {moment(keys['until'])[:16]}" if keys.get("until") else ""
            reason = str(keys.get("reason") or "")
            return f"{message}{_to(keys)} waits{until}: {HOLDS.get(reason, reason)}"
        case "unknown":
            return f"{message}{_to(keys)}{_through(keys)}: nobody knows whether it arrived{_why(keys)}"
        case "retried":
            return (
                f"{message}{_to(keys)}{_through(keys)}: attempt {keys.get('attempt')} came to nothing{_why(keys)}"
            )
        case "suppressed":
            return f"{message} not sent{_to(keys)}{_why(keys)}"
        case "acknowledged":
            return f"{keys.get('recipient')} answered {message}{_answer(keys)}"
        case _ if keys.get("into"):
            return f"{message}{_to(keys)} went out with {keys['into']}"
        case _:
            instead = f", {keys['next_role']} is told instead" if keys.get("next_role") else ""
            return f"{message} {what}{_to(keys) or ' to nobody'}{instead}{_more(keys)}{_why(keys)}"


def answered(keys: Mapping[str, Any]) -> str:
    """Who made the case's line by an answer from a message; empty where it was nobody."""
    if not keys.get("answered_by"):
        return ""
    return f" by {keys.get('recipient')} ({keys['answered_by']})"


def _to(keys: Mapping[str, Any]) -> str:
    who = keys.get("recipient") or keys.get("role")
    role = f" as {keys['role']}" if keys.get("role") and keys.get("recipient") else ""
    how = f" by {keys['channel']}" if keys.get("channel") else ""
    return f" to {who}{role}{how}" if who else how


def _more(keys: Mapping[str, Any]) -> str:
    found = [
        f"attempt {keys['attempt']}" if (keys.get("attempt") or 1) > 1 else "",
        f"{keys['segments']} SMS" if (keys.get("segments") or 1) > 1 else "",
        f"with {keys['merged']} more" if keys.get("merged") else "",
        "a second time" if keys.get("resent") else "",
        f"again, as {keys.get('by') or 'somebody'} asked" if keys.get("resend_of") else "",
    ]
    return _through(keys) + "".join(f", {each}" for each in found if each)


def _through(keys: Mapping[str, Any]) -> str:
    return f", through {keys['provider']}" if keys.get("provider") else ""


def _answer(keys: Mapping[str, Any]) -> str:
    minutes = f" by {keys['minutes']} minutes" if keys.get("minutes") else ""
    how = f" ({keys['answered_by']})" if keys.get("answered_by") else ""
    return f": {keys.get('answer')}{minutes}{how}"


def _why(keys: Mapping[str, Any]) -> str:
    silence = f" {keys['silence']}" if keys.get("silence") else ""
    return f" ({keys['reason']}{silence})" if keys.get("reason") else ""
