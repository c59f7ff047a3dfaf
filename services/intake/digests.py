"""Keyed digests of subjects, for sites whose own numbers say something about people (`subjects: digest`)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace

from reeve.domain.events import Event
from reeve.ports import StoreAway


@dataclass(slots=True)
class SubjectDigests:
    """Replaces the subjects of the sites that `wanted` names; `secret` is None until the record gave it."""

    wanted: Callable[[str], bool]
    secret: bytes | None

    def __call__(self, event: Event) -> Event:
        """The event as it is stored and published. Raises StoreAway while the secret is not known."""
        if not self.wanted(event.site):
            return event
        if self.secret is None:
            raise StoreAway("the secret of the digests is not known yet")
        return replace(event, subject=subject_digest(self.secret, event.site, event.subject))


def subject_digest(secret: bytes, site: str, subject: str) -> str:
    """The same for the same subject of the same site: `d` and 24 hex digits."""
    message = f"subject\0{site}\0{subject}".encode()
    return "d" + hmac.new(secret, message, hashlib.sha256).hexdigest()[:24]
