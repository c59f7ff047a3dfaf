"""The morning that `reeve demo` plays: what is posted, when, and what to watch for. No I/O and no clock.

Everything logical runs on the events' own times. Two scenes happen now and one of their deadlines is awaited;
where hours or months would pass, the events carry times that lie in the past and are caught up with at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SITE = "sunshine-garden"
ZONE = ZoneInfo("Asia/Shanghai")
HOUSEHOLDS = 10
"""As many as make one incident an extraordinary complaint. Source: COMPLAINT-01."""

_FRONT_DESK, _MAIL_ROOM, _FEES = "/demo/front-desk", "/demo/mail-room", "/demo/fees"

_LEAK_PAUSES = {1: 1.0, 2: 2.5, 3: 2.5, 4: 3.0, 10: 3.0}
"""Household → seconds before its report: a pause after every change of grade."""


@dataclass(frozen=True, slots=True)
class Post:
    """One event, and how long to wait before it so that people can follow."""

    pause: float
    """Seconds."""
    event: dict[str, Any]
    said: str
    """What a front desk would say it is."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Some posts that belong together."""

    title: str
    watch: str
    """What to watch for."""
    posts: tuple[Post, ...]
    awaited: tuple[tuple[str, str, str], ...] = ()
    """(subject, message type, clock or step or empty) that shows that the scene has played out."""
    late: bool = False
    """The events carry times in the past: posted late on purpose."""


@dataclass(slots=True)
class Morning:
    """One run's morning; its subjects and ids are its own, so that it can be played again and again."""

    run: str
    """Short and unique: part of every subject."""
    now: datetime
    """Aware; the moment the demo began."""
    _count: int = field(default=0, init=False)

    def scenes(self) -> Iterator[Scene]:
        """The scenes in order. Events that happen now get their time when they are posted: `time` is absent."""
        yield self._leak()
        yield self._burst_pipe()
        yield self._nobody_answers()
        yield self._moved_away()
        yield self._bill()
        yield self._one_minute()

    def subject(self, name: str) -> str:
        """This run's subject of a thing: `T-4f1c-1`."""
        letter, _, number = name.partition("-")
        return f"{letter}-{self.run}-{number}" if number else f"{letter}-{self.run}"

    @property
    def unanswered(self) -> str:
        """The household that nobody answers."""
        return self.subject("T-01")

    def _leak(self) -> Scene:
        incident = f"I-{self.run}"
        posts = [
            self._post(
                _LEAK_PAUSES.get(number, 0.15),
                "ticket.opened",
                f"T-{number:02}",
                {
                    "category": "complaint",
                    "title": "天花板漏水",
                    "incident": incident,
                    "customer": f"C-{100 + number}",
                    "channel": "phone",
                },
                f"household {number} reports the leak",
            )
            for number in range(1, HOUSEHOLDS + 1)
        ]
        posts += [
            self._post(
                0.15 if number > 2 else 3.0,
                "ticket.acknowledged",
                f"T-{number:02}",
                {},
                f"household {number} is answered",
            )
            for number in range(2, HOUSEHOLDS + 1)
        ]
        last = self.subject(f"T-{HOUSEHOLDS:02}")
        return Scene(
            "A ceiling leaks, and ten households report it",
            "The third report makes it serious, the tenth extraordinary, for all ten cases; the general manager "
            "hears of it once, not ten times. Nine households are answered. One is forgotten: its clock runs.",
            tuple(posts),
            ((last, "cases.graded", ""), (last, "cases.clock_stopped", "respond")),
        )

    def _burst_pipe(self) -> Scene:
        name = "R"
        return Scene(
            "A pipe bursts",
            "An emergency: a technician on site within 15 minutes, day or night. He is there in time, and a "
            "follow-up visit is opened by itself.",
            (
                self._post(
                    1.0,
                    "ticket.opened",
                    name,
                    {
                        "category": "repair",
                        "repair_class": "emergency",
                        "title": "爆管",
                        "channel": "phone",
                        "customer": "C-141",
                    },
                    "a burst pipe is reported",
                ),
                self._post(3.0, "ticket.assigned", name, {"assignee": "tech-3"}, "a technician has it"),
                self._post(1.5, "ticket.acknowledged", name, {}, "he takes it"),
                self._post(1.5, "ticket.arrived", name, {}, "he is there"),
                self._post(2.0, "ticket.resolved", name, {}, "the pipe holds again"),
            ),
            ((self.subject(name), "cases.child_opened", ""),),
        )

    def _nobody_answers(self) -> Scene:
        name = "T-21"
        return Scene(
            "An ordinary complaint that nobody answers",
            "Ten minutes to answer. It was opened 26 minutes ago and is posted only now: the supervisor's three "
            "reminders are in its timeline, of which only the newest is sent, and the property manager is told.",
            (
                self._post(
                    1.0,
                    "ticket.opened",
                    name,
                    {"category": "complaint", "title": "水泵房夜间噪声", "customer": "C-140", "channel": "phone"},
                    "noise from the pump room, 26 minutes ago",
                    self.now - timedelta(minutes=26),
                ),
            ),
            ((self.subject(name), "cases.escalated", "nobody_answered"),),
            late=True,
        )

    def _moved_away(self) -> Scene:
        name = "L"
        return Scene(
            "A letter for somebody who moved away",
            "It is kept apart for at most two weeks, and the addressee is phoned within them. It came 15 days ago.",
            (
                self._post(
                    1.0,
                    "mail.received",
                    name,
                    {"kind": "letter", "addressee_moved": True, "customer": "C-311"},
                    "a letter, 15 days ago",
                    self.now - timedelta(days=15),
                ),
            ),
            ((self.subject(name), "cases.breached", "collect"),),
            late=True,
        )

    def _bill(self) -> Scene:
        name = "B"
        due = (self.now.astimezone(ZONE) - timedelta(days=100)).date()
        billed = self.now - timedelta(days=115)
        return Scene(
            "A bill goes overdue",
            "A notice before the due date, a friendly reminder, a second one after two months, a dunning letter "
            "after three. Then it is paid, and everything about it ends.",
            (
                self._post(
                    1.0,
                    "payment.billed",
                    name,
                    {"item": "物业费", "amount_cny": "1836.50", "due_on": due.isoformat(), "customer": "C-207"},
                    f"1,836.50 yuan, due {due.isoformat()}",
                    billed,
                ),
                self._post(6.0, "payment.paid", name, {"paid_cny": "1836.50"}, "paid today"),
            ),
            ((self.subject(name), "cases.closed", ""),),
            late=True,
        )

    def _one_minute(self) -> Scene:
        return Scene(
            "The forgotten household",
            "An extraordinary complaint is answered within one minute. That minute is real time: wait for it.",
            (),
            (
                (self.unanswered, "cases.breached", "respond"),
                (self.unanswered, "notifications.requested", "nobody_answered_grave"),
            ),
        )

    def _post(
        self, pause: float, type: str, name: str, data: dict[str, Any], said: str, at: datetime | None = None
    ) -> Post:
        self._count += 1
        source = {"mail": _MAIL_ROOM, "payment": _FEES}.get(type.partition(".")[0], _FRONT_DESK)
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"demo-{self.run}-{self._count:03}",
            "source": source,
            "type": type,
            "site": SITE,
            "subject": self.subject(name),
            "data": data,
        }
        if at is not None:
            event["time"] = at.astimezone(ZONE).isoformat(timespec="milliseconds")
        return Post(pause, event, said)
