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

from reeve.cli.demo.texts import POSTS, SCENES
from reeve.cli.speaking import say

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
    lang: str = "en"
    """What is said of it: `en` or `zh`. The events are the same."""
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
                self._say("leak_reported", number=number),
            )
            for number in range(1, HOUSEHOLDS + 1)
        ]
        posts += [
            self._post(
                0.15 if number > 2 else 3.0,
                "ticket.acknowledged",
                f"T-{number:02}",
                {},
                self._say("leak_answered", number=number),
            )
            for number in range(2, HOUSEHOLDS + 1)
        ]
        last = self.subject(f"T-{HOUSEHOLDS:02}")
        return Scene(
            *self._said_of("leak"),
            tuple(posts),
            ((last, "cases.graded", ""), (last, "cases.clock_stopped", "respond")),
        )

    def _burst_pipe(self) -> Scene:
        name = "R"
        return Scene(
            *self._said_of("pipe"),
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
                    self._say("pipe_reported"),
                ),
                self._post(3.0, "ticket.assigned", name, {"assignee": "tech-3"}, self._say("pipe_assigned")),
                self._post(1.5, "ticket.acknowledged", name, {}, self._say("pipe_taken")),
                self._post(1.5, "ticket.arrived", name, {}, self._say("pipe_arrived")),
                self._post(2.0, "ticket.resolved", name, {}, self._say("pipe_resolved")),
            ),
            ((self.subject(name), "cases.child_opened", ""),),
        )

    def _nobody_answers(self) -> Scene:
        name = "T-21"
        return Scene(
            *self._said_of("unanswered"),
            (
                self._post(
                    1.0,
                    "ticket.opened",
                    name,
                    {"category": "complaint", "title": "水泵房夜间噪声", "customer": "C-140", "channel": "phone"},
                    self._say("noise"),
                    self.now - timedelta(minutes=26),
                ),
            ),
            ((self.subject(name), "cases.escalated", "nobody_answered"),),
            late=True,
        )

    def _moved_away(self) -> Scene:
        name = "L"
        return Scene(
            *self._said_of("letter"),
            (
                self._post(
                    1.0,
                    "mail.received",
                    name,
                    {"kind": "letter", "addressee_moved": True, "customer": "C-311"},
                    self._say("letter"),
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
            *self._said_of("bill"),
            (
                self._post(
                    1.0,
                    "payment.billed",
                    name,
                    {"item": "物业费", "amount_cny": "1836.50", "due_on": due.isoformat(), "customer": "C-207"},
                    self._say("billed", day=due.isoformat()),
                    billed,
                ),
                self._post(6.0, "payment.paid", name, {"paid_cny": "1836.50"}, self._say("paid")),
            ),
            ((self.subject(name), "cases.closed", ""),),
            late=True,
        )

    def _one_minute(self) -> Scene:
        return Scene(
            *self._said_of("forgotten"),
            (),
            (
                (self.unanswered, "cases.breached", "respond"),
                (self.unanswered, "notifications.requested", "nobody_answered_grave"),
            ),
        )

    def _said_of(self, scene: str) -> tuple[str, str]:
        title, watch = SCENES[scene]
        return title[self.lang == "zh"], watch[self.lang == "zh"]

    def _say(self, post: str, **words: Any) -> str:
        return say(POSTS, post, self.lang, **words)

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
