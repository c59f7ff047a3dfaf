"""The words the stories are told in: what a site posts, who works there, which rules hold, what a timeline says."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reeve.domain.events import event_key
from reeve.domain.recipients import Recipient
from reeve.runtime.time_source import SystemTime

RULES = Path(__file__).parents[2] / "rules"
SITE = "sunshine-garden"
STAFF = (
    *("front_desk", "service_supervisor", "property_manager", "general_manager", "company_leader"),
    *("department_head", "engineering_supervisor", "technician", "finance", "admin_office"),
)
"""Roles that have one person each in `staff()`; security_supervisor has nobody."""

_ids = iter(range(1, 1_000_000_000))

Json = dict[str, Any]


def now() -> datetime:
    """Aware UTC; everything here runs on the real clock."""
    return SystemTime().now()


def ago(**parts: float) -> datetime:
    """A moment in the past, as for timedelta."""
    return now() - timedelta(**parts)


def event(
    type: str, subject: str, *, at: datetime | None = None, id: str | None = None, site: str = SITE, **data: Any
) -> Json:
    """An event as a site posts it, of now or `at`; data fields as keywords."""
    return {
        "specversion": "1.0",
        "id": id or f"a-{next(_ids)}",
        "source": "/pms/front-desk",
        "type": type,
        "site": site,
        "subject": subject,
        "time": (at or now()).isoformat(timespec="milliseconds"),
        "data": data,
    }


def key_of(posted: Json) -> str:
    """By which the record knows a posted event."""
    return event_key(posted["site"], posted["source"], posted["id"])


def complaint(subject: str, *, at: datetime | None = None, **data: Any) -> Json:
    """A complaint is opened."""
    return event("ticket.opened", subject, at=at, category="complaint", **data)


def mail_of(role: str) -> str:
    """The mail address of the one who holds the role."""
    return f"{role.replace('_', '-')}@example.org"


def phone_of(role: str) -> str:
    """Likewise the number."""
    return f"+4477009{STAFF.index(role):05}"


def staff(site: str = SITE, without: Iterable[str] = ()) -> list[Recipient]:
    """One person per role of STAFF, with mail and phone, who reads English."""
    return [
        Recipient(
            f"r-{role}",
            site,
            frozenset({role}),
            "en",
            {"email": mail_of(role), "sms": phone_of(role)},
            name="Somebody",
        )
        for role in STAFF
        if role not in without
    ]


def rules_copy(folder: Path, changes: Mapping[str, Mapping[str, str]]) -> Path:
    """The shipped rules with some texts replaced (file → old → new); no scenarios.

    Nobody sleeps. Minutes may be seconds and weeks may be posted at once: nothing waits for the window of its
    matter, or for another day.
    """
    shutil.copytree(RULES, folder, ignore=shutil.ignore_patterns("tests"))
    awake = {
        "site.yaml": {
            'quiet: {from: "21:00"': '# quiet: {from: "21:00"',
            "owner_messages:": "# owner_messages:",
            "merge: 5m": "merge: none",
            "payment_reminders: one a day": "payment_reminders: all",
        }
    }
    for file, texts in [*awake.items(), *changes.items()]:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        for old, new in texts.items():
            assert old in text, f"{file} no longer has: {old}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    return folder


def holds(line: Json, **keys: Any) -> bool:
    """Whether a line has these keys with these values."""
    return all(line.get(name) == value for name, value in keys.items())
