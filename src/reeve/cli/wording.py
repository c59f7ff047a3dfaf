"""One short English phrase for everything that can happen to a case or a notification.

The keys are those of contracts.md §5 and of the messages on cases.> and notifications.>.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reeve.cli.delivery_wording import answered, delivery_phrase
from reeve.cli.output import moment, span

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


def phrase(what: str, keys: Mapping[str, Any]) -> str:
    """What happened, in words; `keys` are the further keys of the line, or the message's data."""
    if "notification" in keys:
        return delivery_phrase(what, keys)
    clock = keys.get("clock")
    match what:
        case "graded":
            was = f" (was {keys['was']})" if keys.get("was") else ""
            return f"graded {keys.get('grade')}{was}"
        case "clock_started" | "clock_resumed":
            verb = "starts" if what == "clock_started" else "goes on"
            return f"clock {clock} {verb}, due {_due(keys)}{_run(keys)}"
        case "clock_paused":
            return f"clock {clock} pauses{_left(keys)}"
        case "clock_stopped":
            return f"clock {clock} stops, {'in time' if keys.get('met') else 'too late'}"
        case "breached":
            return f"BREACHED {clock}, was due {_due(keys)}"
        case "notify" | "requested":
            return (
                f"tells {_names(keys.get('to'))} by {_names(keys.get('via'))}: {keys.get('message')}{_late(keys)}"
            )
        case "suppressed":
            return f"not sent{_detail(keys)}{_reason(keys)}"
        case "escalated":
            return f"escalates {keys.get('step')} to level {keys.get('level')}{answered(keys)}"
        case "closed":
            return f"closed{': ' + str(keys['outcome']) if keys.get('outcome') else ''}"
        case "adopted" | "scored" | "delayed":
            return _rare(what, keys)
        case _:
            return f"{what.replace('_', ' ')}{_detail(keys)}{answered(keys)}{_reason(keys)}"


def because(keys: Mapping[str, Any]) -> str:
    """The reason as `complaint.yaml:14 (event c0ffee-1)`; empty if the line gives none."""
    reason = keys.get("because")
    if not isinstance(reason, Mapping) or not reason.get("rule"):
        return ""
    source = (
        f"event {reason['event']}"
        if reason.get("event")
        else f"clock {reason['clock']}"
        if reason.get("clock")
        else ""
    )
    return f"{reason['rule']}" + (f" ({source})" if source else "")


def _rare(what: str, keys: Mapping[str, Any]) -> str:
    if what == "scored":
        return f"scores {keys.get('points')} to {keys.get('to')}"
    if what == "delayed":
        return f"{keys.get('step')} waits {keys.get('minutes')} minutes longer{answered(keys)}"
    who = f" for {keys['by']}" if keys.get("by") else ""
    return f"goes on with other rules{who} ({keys.get('on_change')})"


def _due(keys: Mapping[str, Any]) -> str:
    return moment(keys["due"])[:16] if keys.get("due") else "not known yet"


def _run(keys: Mapping[str, Any]) -> str:
    return f" (run {keys['run']})" if (keys.get("run") or 1) > 1 else ""


def _left(keys: Mapping[str, Any]) -> str:
    from datetime import timedelta

    seconds = keys.get("left")
    return f" with {span(timedelta(seconds=seconds))} left" if isinstance(seconds, int | float) else ""


def _late(keys: Mapping[str, Any]) -> str:
    return " (late)" if keys.get("late") else ""


def _names(value: Any) -> str:
    if isinstance(value, str):
        return value
    return " and ".join(str(item) for item in value) if value else "nobody"


def _detail(keys: Mapping[str, Any]) -> str:
    found = [f"{name} {keys[name]}" for name in ("clock", "step", "child", "message") if keys.get(name)]
    if keys.get("to"):
        found.append(f"to {_names(keys['to'])}")
    return f" {', '.join(found)}" if found else ""


def _reason(keys: Mapping[str, Any]) -> str:
    return f" ({keys['reason']})" if keys.get("reason") else ""
