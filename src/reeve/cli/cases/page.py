"""How cases read on a terminal, in English or Chinese: a line each, and one with all that is known of it."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from reeve.cli.cases.texts import WORDS
from reeve.cli.notifications.texts import HOLDS, REASONS, STATES
from reeve.cli.output import left, moment, padded, print_line, span
from reeve.cli.speaking import say
from reeve.cli.wording import STYLES, because, phrase

_BEFORE_KEYS = {"at", "case", "policy", "effect"}


class Page:
    """Prints cases in one language as things stand at `now`."""

    def __init__(self, lang: str, now: datetime) -> None:
        self._lang = lang
        self._now = now

    def line(self, row: dict[str, Any]) -> None:
        """One case on one line: what runs out next, and what has run out."""
        name = f"{row['site']}/{row['policy']}/{row['subject']}"
        running = [clock for clock in row["clocks"] if clock["status"] == "running" and clock["due"] is not None]
        nearest = min(running, key=lambda clock: (clock["breached_at"] is not None, clock["due"]), default=None)
        late = [clock["clock"] for clock in running if clock["due"] <= self._now]
        comes = self._word("comes", left=self._left(row["next_due"])) if row["state"] == "scheduled" else ""
        print_line(
            f"{name:<44} ",
            (f"{row['grade'] or '-':<14}", "bold"),
            padded(self._word(row["state"]), 10),
            (comes, "cyan"),
            (f"{nearest['clock']} {self._left(nearest['due'])}" if nearest else "", "cyan"),
            (self._overdue(late) if row["state"] == "open" else "", "bold red"),
        )

    def count(self, state: str, count: int, more: bool) -> str:
        """How many were listed."""
        kind = self._word(f"count_{state}")
        return self._word(
            "one" if count == 1 else "count", n=count, state=kind, more=self._word("more") if more else ""
        )

    def whole(self, view: dict[str, Any], zone: tzinfo, hidden_facts: int) -> None:
        """The case with its clocks, deliveries and timeline; moments in `zone`."""
        title = f"{view['site']}/{view['policy']}/{view['subject']}"
        state, grade = self._word(view["state"]), view["grade"] or self._word("no_grade")
        print_line((title, "bold"), f"  {state}", (f"  {grade}", "bold"))
        print_line(f"  {self._word('opened_at', at=_in(zone, view['opened_at']))}", self._ended(view, zone))
        found = [f"{name}={value}" for name, value in sorted(view["facts"].items())]
        facts = [self._word("comma").join(found)] if found else []
        facts += [self._word("hidden", n=hidden_facts)] if hidden_facts else []
        if facts:
            print_line(f"  {self._word('facts', facts=self._word('semicolon').join(facts))}")
        self._heading("clocks", view["clocks"])
        for clock in view["clocks"]:
            print_line(*self._clock(clock, zone))
        self._heading("told", view["deliveries"])
        for delivery in view["deliveries"]:
            print_line(*self._delivery(delivery, zone))
        self._heading("timeline", True)
        for line in view["timeline"]:
            keys = {name: value for name, value in line.items() if name not in _BEFORE_KEYS}
            print_line(
                (f"  {moment(line['at'])}  ", "dim"),
                (phrase(line["effect"], keys, self._lang), STYLES.get(line["effect"], "")),
                (f"  ← {because(line, self._lang)}", "dim"),
            )

    def _ended(self, view: dict[str, Any], zone: tzinfo) -> str:
        found = [
            self._word(name, at=_in(zone, view[name]))
            for name in ("acknowledged_at", "closed_at")
            if view[name] is not None
        ]
        if view["outcome"]:
            found.append(self._word("outcome", outcome=view["outcome"]))
        return "".join(found)

    def _clock(self, clock: dict[str, Any], zone: tzinfo) -> list[str | tuple[str, str]]:
        name = f"  {clock['clock']:<12}"
        due = self._word("undated" if clock["due"] is None else "due", at=_in(zone, clock["due"] or self._now))
        if clock["provisional"]:
            due += self._word("provisional")
        match clock["status"]:
            case "stopped":
                stopped_at = _in(zone, clock["stopped_at"])
                return [name, self._word("stopped", at=stopped_at, how=self._how(clock), due=due)]
            case "paused":
                return [name, self._word("paused", due=due)]
            case _ if clock["due"] is None:
                return [name, self._word("running", due=due)]
            case _:
                style = "bold red" if clock["due"] <= self._now else "cyan"
                running = self._word("running", due=due) + self._word("comma")
                return [name, running, (self._left(clock["due"]), style)]

    def _how(self, clock: dict[str, Any]) -> str:
        """In time, or how much too late it was stopped."""
        if clock["met"]:
            return self._word("in_time")
        late = clock["met"] is False and clock["due"] is not None and clock["stopped_at"] > clock["due"]
        if not late:
            return self._word("too_late")
        return self._word("late_by", length=span(clock["stopped_at"] - clock["due"], self._lang))

    def _delivery(self, delivery: dict[str, Any], zone: tzinfo) -> list[str | tuple[str, str]]:
        tries = len(delivery["attempts"])
        ended = delivery["state"] in ("failed", "suppressed")
        found = [say(REASONS, delivery["reason"] or "", self._lang) if ended else "", delivery["silence"] or ""]
        waits = delivery["waits_for"]
        if waits is not None and waits["for"] in HOLDS:
            hold = say(HOLDS, waits["for"], self._lang)
            found.append(self._word("until", hold=hold, at=_in(zone, waits["until"])))
        why = self._word("comma").join(each for each in found if each)
        said = self._word(
            "delivery" if delivery["recipient"] else "for_nobody",
            message=delivery["message"],
            who=delivery["recipient"],
            role=delivery["role"],
            by=self._word("by", channel=delivery["channel"]) if delivery["channel"] else "",
            through=self._word("through", provider=delivery["provider"]) if delivery["provider"] else "",
        )
        state = say(STATES, delivery["state"], self._lang) + (self._word("brackets", words=why) if why else "")
        return [
            (f"  {_in(zone, delivery['at'])}  {delivery['id']}  ", "dim"),
            said,
            (state, STYLES.get(delivery["state"], "")),
            self._word("attempts", n=tries) if tries > 1 else "",
        ]

    def _overdue(self, late: list[str]) -> str:
        return self._word("overdue", clocks=self._word("comma").join(late)) if late else ""

    def _left(self, due: datetime) -> str:
        return left(due, self._now, self._lang)

    def _heading(self, name: str, wanted: Any) -> None:
        if wanted:
            print_line((f"\n{self._word(name)}", "bold"))

    def _word(self, name: str, **words: Any) -> str:
        return say(WORDS, name, self._lang, **words)


def _in(zone: tzinfo, at: datetime) -> str:
    return moment(at.astimezone(zone))
