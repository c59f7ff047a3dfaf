"""What a demo shows: the messages of this run as they come, the same ones of many cases as one line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reeve.cli.demo.texts import WORDS
from reeve.cli.output import padded, print_json, print_line
from reeve.cli.speaking import say
from reeve.cli.wording import STYLES, because, phrase

_SHOWN = frozenset({"graded", "breached", "escalated", "reopened", "child_opened", "corrected", "closed"})
_SHOWN_CLOCKS = frozenset({"respond", "arrive", "collect", "pay"})
_SHOWN_NOTICES = frozenset({"requested", "suppressed", "failed", "undeliverable"})
_LONGEST_TEXT = 150


@dataclass(slots=True)
class Group:
    """Lines that differ by their case alone."""

    at: str
    policy: str
    subjects: list[str]
    what: str
    said: str
    why: str


@dataclass(slots=True)
class DemoView:
    """Collects what this run caused and shows it; `seen` says what has happened."""

    run: str
    as_json: bool
    lang: str = "en"
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    """(subject, type, clock or step, and once with an empty one)."""
    grades: dict[str, str] = field(default_factory=dict)
    """Case → its latest grade."""
    counts: Counter[str] = field(default_factory=Counter)
    arrived: Counter[str] = field(default_factory=Counter)
    """Channel → messages that a provider got."""
    held: int = 0
    """Notifications that wait for the end of the quiet hours."""
    _groups: dict[tuple[str, ...], Group] = field(default_factory=dict)
    _texts: dict[tuple[str, str], tuple[str, list[str]]] = field(default_factory=dict)
    """(channel, text without this run's ids) → the first text, and everybody it went to."""
    _ids: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        self._ids = re.compile(rf"[A-Z]-{self.run}(-\d+)?")

    def say(self, name: str, **words: Any) -> str:
        """The text of that name."""
        return say(WORDS, name, self.lang, **words)

    def scene(self, number: int, title: str, watch: str, late: bool) -> None:
        """A new scene begins."""
        self.flush()
        if self.as_json:
            print_json({"kind": "scene", "number": number, "title": title, "watch": watch, "posted_late": late})
            return
        print_line((f"\n{number}. {title}", "bold"), (self.say("late") if late else "", "dim"))
        print_line((f"   {watch}", "italic"))

    def posted(self, event: Mapping[str, Any], said: str) -> None:
        """An event was accepted."""
        self.counts["posted"] += 1
        if self.as_json:
            print_json({"kind": "posted", "event": dict(event)})
        else:
            print_line((self.say("post"), "blue"), f"{event['type']:<20} {event['subject']:<10} ", (said, "dim"))

    def take(self, message: Mapping[str, Any], now: datetime) -> None:
        """A message came on cases.> or notifications.>; those of other runs are left alone."""
        subject, type_ = str(message.get("subject", "")), str(message.get("type", ""))
        if self.run not in subject:
            return
        data = message.get("data") or {}
        self.seen |= {(subject, type_, ""), (subject, type_, str(data.get("clock") or data.get("step") or ""))}
        # A delivery that an acknowledgement made moot is no older round, though both are told as suppressed.
        self.counts["deliveries.suppressed" if type_.endswith(".suppressed") and "delivery" in data else type_] += 1
        if type_ == "cases.graded":
            self.grades[str(message.get("correlationid"))] = str(data.get("grade"))
        if self.as_json:
            print_json({"kind": type_.partition(".")[0].rstrip("s"), **message})
        else:
            self._collect(message, data, now)

    def _collect(self, message: Mapping[str, Any], data: Mapping[str, Any], now: datetime) -> None:
        family, _, what = str(message["type"]).partition(".")
        clocks = what in ("clock_started", "clock_stopped") and data.get("clock") in _SHOWN_CLOCKS
        if not (clocks or what in (_SHOWN if family == "cases" else _SHOWN_NOTICES)):
            return
        said = phrase(what, data, self.lang) + self._held(what, data, now)
        key = (str(data.get("policy")), what, said, because(data).partition(" ")[0])
        group = self._groups.get(key)
        if group is not None:
            group.subjects.append(str(message["subject"]))
            return
        at = datetime.fromisoformat(str(message["time"])).strftime("%m-%d %H:%M:%S")
        self._groups[key] = Group(at, key[0], [str(message["subject"])], what, said, key[3])

    def _held(self, what: str, data: Mapping[str, Any], now: datetime) -> str:
        hours = [
            data.get("not_before"),
            data.get("owner_not_before") if "owner" in (data.get("to") or ()) else None,
        ]
        later = [hour for hour in hours if hour and datetime.fromisoformat(hour) > now]
        if what != "requested" or not later:
            return ""
        self.held += 1
        return self.say("held", at=f"{datetime.fromisoformat(max(later)):%H:%M}")

    def flush(self) -> None:
        """What was collected is shown."""
        groups, self._groups = self._groups, {}
        # The two topics come by different streams: told in order of what happened, the cause before the message.
        order = {"graded": 0, "clock_started": 1, "requested": 9, "suppressed": 8}
        for group in sorted(groups.values(), key=lambda each: (each.at, order.get(each.what, 5))):
            count = len(group.subjects)
            named = {"policy": group.policy, "subject": group.subjects[0], "more": count - 1}
            print_line(
                ("   reeve  ", "green"),
                (f"{group.at}  ", "dim"),
                self.say("cases" if count > 1 else "case", **named),
                (group.said, STYLES.get(group.what, "")),
                (f"  ← {group.why}" if group.why else "", "dim"),
            )
        self._flush_texts()

    def message(self, arrived: Mapping[str, Any]) -> None:
        """An email or SMS came to the local sink."""
        channel = str(arrived["channel"])
        self.arrived[channel] += 1
        if self.as_json:
            print_json({"kind": "arrived", **arrived})
            return
        text = " ".join(str(arrived["subject"] or arrived["text"]).split())
        key = (channel, self._ids.sub("", text).partition("http")[0])
        self._texts.setdefault(key, (text, []))[1].extend(arrived["to"])

    def _flush_texts(self) -> None:
        texts, self._texts = self._texts, {}
        for (channel, _), (text, addresses) in texts.items():
            different = list(dict.fromkeys(addresses))
            times = self.say("times", n=len(addresses)) if len(addresses) > 1 else ""
            others = self.say("others", n=len(different) - 2) if len(different) > 2 else ""
            whom = self.say("comma").join(different[:2])
            print_line(
                (f"   {padded(self.say('email' if channel == 'email' else 'sms'), 7)}", "bold magenta"),
                self.say("to", whom=whom, others=others, times=times),
                (text[:_LONGEST_TEXT], "magenta"),
            )

    def summary(self, missing: list[str], next_commands: list[tuple[str, str]]) -> None:
        """What came out, and what to try next."""
        self.flush()
        grades = Counter(self.grades.values())
        if self.as_json:
            print_json(
                {
                    "kind": "summary",
                    "events": self.counts["posted"],
                    "cases": self.counts["cases.opened"],
                    "grades": dict(grades),
                    "breached": self.counts["cases.breached"],
                    "notifications": self.counts["notifications.requested"],
                    "suppressed": self.counts["notifications.suppressed"],
                    "arrived": dict(self.arrived),
                    "missing": missing,
                }
            )
            return
        named = self.say("comma").join(f"{count} {grade}" for grade, count in grades.most_common())
        counts = self.counts
        print_line((self.say("over"), "bold"))
        print_line(self.say("became", events=counts["posted"], cases=counts["cases.opened"], grades=named))
        print_line(
            self.say(
                "requested",
                breached=counts["cases.breached"],
                notifications=counts["notifications.requested"],
                suppressed=counts["notifications.suppressed"],
            )
        )
        print_line(self.say("arrived", sms=self.arrived["sms"], emails=self.arrived["email"]))
        if self.held:
            print_line(self.say("night", n=self.held))
        for each in missing:
            print_line((self.say("missing", what=each), "bold red"))
        print_line((self.say("next"), "bold"))
        width = max(len(command) for command, _ in next_commands)
        for command, what in next_commands:
            print_line((f"   {padded(command, width + 3)}", "bold"), what)
