"""What a notification comes to in messages: who gets it on which channel, and how many SMS its text takes.

Texts are rendered as notify would render them, measured and forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator

from reeve.domain.comparison import Telling
from reeve.domain.recipients import OWNER, delivery_id, site_channels
from reeve.domain.simulate import Told
from reeve.domain.telling import owner_apart
from reeve.rulelang.sms_segments import segments
from reeve.runtime.rendering import MessageRenderer
from reeve.runtime.store.ack_tokens import token_of

SMS = "sms"
_NOT_SECRET = b"a link as long as a real one"


class Tellings:
    """Counts messages. `public_url`: the links of acknowledgements begin so; empty: messages carry none."""

    def __init__(self, public_url: str = "") -> None:
        self._renderer = MessageRenderer()
        self._public_url = public_url.rstrip("/")

    def of(self, told: Told) -> Iterator[Telling]:
        """One for each person and channel. Where recipients are not known, every role is one person who is told
        in the site's language."""
        wanted = told.asked.notification
        if wanted is None:
            return
        if told.resolution is None:
            site = told.bundle.site(told.asked.case.site)
            for role in told.roles:
                for channel in wanted.via or site_channels(site, wanted.grade):
                    yield self._one(told, role, wanted.message, None, "", channel)
            return
        counted: set[str] = set()
        for target in told.resolution.targets:
            person = f"{target.recipient.place}/{target.recipient.id}"
            for channel in target.channels:
                key = delivery_id(told.asked.key, target, channel, owner_apart=owner_apart(wanted))
                if key in counted:  # one person may hold two of the roles, or be above both
                    continue
                counted.add(key)
                yield self._one(told, target.role, target.message, person, target.recipient.language, channel)

    def _one(
        self, told: Told, role: str, message: str, recipient: str | None, language: str, channel: str
    ) -> Telling:
        if channel != SMS:
            return Telling(role, recipient, channel)
        wanted = told.asked.notification
        link = ""
        if self._public_url and wanted is not None and wanted.ack_ends and role != OWNER:
            link = f"{self._public_url}/ack/{token_of(_NOT_SECRET, told.asked.key, recipient or role)}"
        text = self._renderer.render(told.bundle, told.case, message, SMS, language, role, told.at, link)
        return Telling(role, recipient, SMS, segments(text.body), message if text.fault is not None else None)
