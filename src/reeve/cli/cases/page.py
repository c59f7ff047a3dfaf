"""How one case reads on a terminal."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from reeve.cli.delivery_wording import HOLDS
from reeve.cli.output import left, moment, print_line, span
from reeve.cli.wording import STYLES, because, phrase

_BEFORE_KEYS = {"at", "case", "policy", "effect"}


def print_case(view: dict[str, Any], now: datetime, zone: tzinfo, hidden_facts: int) -> None:
    """The case with its clocks, deliveries and timeline; moments in `zone`."""
    title = f"{view['site']}/{view['policy']}/{view['subject']}"
    print_line((title, "bold"), f"  {view['state']}", (f"  {view['grade'] or 'no grade'}", "bold"))
    print_line(f"  opened {_in(zone, view['opened_at'])}", _ended(view, zone))
    facts = ", ".join(f"{name}={value}" for name, value in sorted(view["facts"].items()))
    more = f"{'; ' if facts else ''}{hidden_facts} more with --facts" if hidden_facts else ""
    if facts or more:
        print_line(f"  facts: {facts}{more}")
    if view["clocks"]:
        print_line(("\nClocks", "bold"))
    for clock in view["clocks"]:
        print_line(*_clock(clock, now, zone))
    if view["deliveries"]:
        print_line(("\nWho was told", "bold"))
    for delivery in view["deliveries"]:
        print_line(*_delivery(delivery, zone))
    print_line(("\nTimeline", "bold"))
    for line in view["timeline"]:
        keys = {name: value for name, value in line.items() if name not in _BEFORE_KEYS}
        style = STYLES.get(line["effect"], "")
        print_line(
            (f"  {moment(line['at'])}  ", "dim"),
            (phrase(line["effect"], keys), style),
            (f"  ← {because(line)}", "dim"),
        )


def _ended(view: dict[str, Any], zone: tzinfo) -> str:
    parts = []
    if view["acknowledged_at"] is not None:
        parts.append(f", acknowledged {_in(zone, view['acknowledged_at'])}")
    if view["closed_at"] is not None:
        parts.append(f", closed {_in(zone, view['closed_at'])}")
    if view["outcome"]:
        parts.append(f" ({view['outcome']})")
    return "".join(parts)


def _clock(clock: dict[str, Any], now: datetime, zone: tzinfo) -> list[str | tuple[str, str]]:
    name = f"  {clock['clock']:<12}"
    due = "due not known yet" if clock["due"] is None else f"due {_in(zone, clock['due'])}"
    if clock["provisional"]:
        due += " (provisional: beyond the calendar)"
    match clock["status"]:
        case "stopped":
            late = clock["met"] is False and clock["due"] is not None and clock["stopped_at"] > clock["due"]
            by = f", {span(clock['stopped_at'] - clock['due'])} late" if late else ""
            how = "in time" if clock["met"] else f"too late{by}"
            return [name, f"stopped {_in(zone, clock['stopped_at'])}, {how}; {due}"]
        case "paused":
            return [name, f"paused; {due} if it went on now"]
        case _ if clock["due"] is None:
            return [name, f"running; {due}"]
        case _:
            style = "bold red" if clock["due"] <= now else "cyan"
            return [name, f"running; {due}, ", (left(clock["due"], now), style)]


def _delivery(delivery: dict[str, Any], zone: tzinfo) -> list[str | tuple[str, str]]:
    tries = len(delivery["attempts"])
    found = [delivery["reason"] if delivery["state"] in ("failed", "suppressed") else "", delivery["silence"] or ""]
    waits = delivery["waits_for"]
    if waits is not None and waits["for"] in HOLDS:
        found.append(f"{HOLDS[waits['for']]}, until {_in(zone, waits['until'])}")
    why = ", ".join(each for each in found if each)
    who = delivery["recipient"] or "nobody"
    how = f" by {delivery['channel']}" if delivery["channel"] else ""
    through = f" through {delivery['provider']}" if delivery["provider"] else ""
    return [
        (f"  {_in(zone, delivery['at'])}  {delivery['id']}  ", "dim"),
        f"{delivery['message']} to {who} as {delivery['role']}{how}{through}: ",
        (delivery["state"] + (f" ({why})" if why else ""), STYLES.get(delivery["state"], "")),
        f", {tries} attempts" if tries > 1 else "",
    ]


def _in(zone: tzinfo, at: datetime) -> str:
    return moment(at.astimezone(zone))
