"""Runs a bundle given as text over a few events and returns the timeline lines, for tests that read as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from reeve.contracts.timeline import timeline_line
from reeve.domain.bundle import Bundle
from reeve.domain.events import Event, event_key
from reeve.domain.recipients import Recipient
from reeve.domain.simulate import Simulation
from reeve.rulelang.load import load_bundle

ZONE = ZoneInfo("Asia/Shanghai")
SITE_YAML = """
language: 1
zone: Asia/Shanghai
locale: en
calendar: cn
opening: {default: "08:30-12:00, 13:30-18:00"}
channels: {default: [email]}
ladder: {front_desk: service_supervisor, service_supervisor: property_manager, property_manager: general_manager}
"""
CALENDAR_YAML = """
name: cn
known_until: 2026-12-31
holidays: [2026-01-01, 2026-02-16, 2026-02-17, 2026-02-18, 2026-02-19, 2026-02-20]
workdays: [2026-02-14, 2026-02-28]
"""


def bundle_of(policies: Mapping[str, str] | str, **files: str) -> Bundle:
    """A bundle of policy files (name → YAML; one text is `complaint.yaml`), with a site and a calendar."""
    named = {"complaint": policies} if isinstance(policies, str) else policies
    texts = {"site.yaml": SITE_YAML, "calendars/cn.yaml": CALENDAR_YAML}
    texts |= {f"{name}.yaml": text for name, text in named.items()}
    texts |= {path.replace("__", "/") + ".yaml": text for path, text in files.items()}
    result = load_bundle({path: text.encode() for path, text in texts.items()})
    errors = [str(problem) for problem in result.problems if problem.severity == "error"]
    assert result.bundle is not None, errors
    return result.bundle


def moment(text: str) -> datetime:
    """`2026-02-13 17:50` at the site."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


_COUNTER = iter(range(1, 1_000_000_000))


def event(
    at: str, type: str, subject: str = "T-1", *, id: str | None = None, site: str = "s", **data: Any
) -> Event:
    """An event at the site's local time; data fields as keywords."""
    own = id or f"e{next(_COUNTER)}"
    return Event(site, "/test", own, type, subject, moment(at), data, event_key(site, "/test", own))


def run(
    rules: Bundle | Mapping[str, str] | str,
    events: Sequence[Event],
    until: str | None = None,
    people: Sequence[Recipient] | None = None,
) -> list[dict[str, Any]]:
    """The timeline lines of a simulation."""
    bundle = rules if isinstance(rules, Bundle) else bundle_of(rules)
    simulation = Simulation(bundle, people)
    effects = [effect for one in events for effect in simulation.feed(one)]
    if until is not None:
        effects += simulation.finish(moment(until))
    return [timeline_line(effect, ZONE) for effect in effects]


def brief(lines: Sequence[Mapping[str, Any]], *effects: str, case: str | None = None) -> list[str]:
    """Lines as short text: `02-13 17:55 breached respond`; only those effects and that case, if given."""
    return [
        _short(line)
        for line in lines
        if (not effects or line["effect"] in effects) and (case is None or line["case"] == case)
    ]


def _short(line: Mapping[str, Any]) -> str:
    at = datetime.fromisoformat(line["at"])
    clock_time = at.strftime("%m-%d %H:%M") + (at.strftime(":%S") if at.second else "")
    words = [clock_time, str(line["effect"])]
    words += [str(line[key]) for key in ("clock", "grade", "step", "outcome", "child") if key in line]
    if line["effect"] == "notify":
        words.append(",".join(line["to"]))
    if line["effect"] in ("clock_started", "clock_resumed"):
        words.append("→" + (datetime.fromisoformat(line["due"]).strftime("%m-%d %H:%M") if line["due"] else "?"))
    if "met" in line:
        words.append("met" if line["met"] else "missed")
    if line.get("late"):
        words.append("late")
    return " ".join(words)
