"""On which channels somebody is told, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reeve.domain.bundle import SiteSettings
    from reeve.domain.people.recipient import Recipient

CHANNELS = ("sms", "email", "chat", "webhook")
"""Channels Reeve can send on, in the order tried where a rule leaves the choice open."""


def named_channels(site: SiteSettings, grade: str | None) -> tuple[str, ...]:
    """The channels that the site names for that grade; empty: it leaves the choice open."""
    return site.channels.get(grade or "", site.channels.get("default", ()))


def site_channels(site: SiteSettings, grade: str | None) -> tuple[str, ...]:
    """The channels of that grade at the site; where the site names none, every channel there is."""
    return named_channels(site, grade) or CHANNELS


def configured_channels(site: SiteSettings) -> tuple[str, ...]:
    """Every channel the site uses for some grade, in the order of CHANNELS."""
    used = {channel for channels in site.channels.values() for channel in channels}
    ordered = [channel for channel in CHANNELS if channel in used] + sorted(used - set(CHANNELS))
    return tuple(ordered) or CHANNELS


def usable_channels(
    recipient: Recipient,
    asked: Iterable[str],
    configured: Iterable[str],
    available: Collection[str],
    failed: Collection[tuple[str, str]] = (),
    grade: str | None = None,
) -> tuple[str, ...]:
    """The channels a person is told on, in the person's own order for the grade; empty: can't be reached.

    All channels asked for that it has a verified address on; where that is none, all on which it has an
    unverified one; where that is none, too, the first other channel that the site uses (`configured`).
    Nothing asked: the choice is open, and is the first of the person's own order, or without one every channel.
    `available` are the channels this process can send on; `failed` are (recipient id, channel) pairs that
    turned out dead for this notification.
    """
    own = recipient.order_for(grade)

    def reaching(channels: Iterable[str]) -> list[str]:
        """Those that reach, in the person's order; the unverified only where no verified one does."""
        found = [
            channel
            for channel in dict.fromkeys(channels)
            if channel in available and recipient.addresses.get(channel) and (recipient.id, channel) not in failed
        ]
        sure = [channel for channel in found if channel not in recipient.unverified]
        return sorted(sure or found, key=lambda one: own.index(one) if one in own else len(own))

    wanted = tuple(asked)
    open_choice = reaching(own)[:1] if own else reaching(CHANNELS)
    return tuple((reaching(wanted) if wanted else open_choice) or reaching(configured)[:1])
