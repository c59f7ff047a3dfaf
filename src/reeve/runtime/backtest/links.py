"""Whether the messages of this installation carry links, and how they begin: links cost characters of an SMS."""

from __future__ import annotations

from reeve.runtime.settings import ReeveSettings


class LinkSettings(ReeveSettings):
    """The part of notify's settings that makes texts longer."""

    public_url: str = ""


def public_url() -> str:
    """Where links begin, by notify's own variable; empty: messages carry no link. Raises SettingsError."""
    return LinkSettings.load().public_url.rstrip("/")
