"""The messages that the rules know: their names and texts, the steps that send them, and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reeve.cli.messages.texts import TEXTS
from reeve.cli.near_names import near_name
from reeve.cli.speaking import say
from reeve.domain.bundle import Bundle, Policy
from reeve.domain.case import Case
from reeve.domain.errors import ReeveError
from reeve.domain.flood.settings import DIGEST
from reeve.domain.more_time import MORE_TIME
from reeve.domain.recipients import UNREACHABLE


class NoSuchMessage(ReeveError):
    """The rules have no message of this name."""


def names_of(bundle: Bundle) -> list[str]:
    """Every message there is a text for, or that is sent: by a step, or by Reeve itself."""
    sent = {
        level.message
        for policy in bundle.policies.values()
        for step in policy.steps
        for level in step.levels
        if level.notify
    }
    return sorted(sent | set(bundle.messages) | {DIGEST, MORE_TIME, UNREACHABLE})


def check_message(bundle: Bundle, message: str, lang: str) -> None:
    """Raises NoSuchMessage, with the closest name."""
    names = names_of(bundle)
    if message not in names:
        hint = near_name(message, names, "reeve messages list", lang)
        raise NoSuchMessage(say(TEXTS, "no_message", lang, message=message, hint=hint))


def senders(bundle: Bundle, message: str) -> list[tuple[Policy, str, tuple[str, ...]]]:
    """Each policy and step that sends it, with the roles that get it."""
    return [
        (policy, step.name, level.notify)
        for policy in bundle.policies.values()
        for step in policy.steps
        for level in step.levels
        if level.notify and level.message == message
    ]


def spoken(bundle: Bundle, message: str) -> Iterator[tuple[str, str]]:
    """Language and channel of each of its texts."""
    for language, channels in sorted(bundle.messages.get(message, {}).items()):
        for channel in sorted(channels):
            yield language, channel


def told_by(bundle: Bundle, message: str, role: str | None) -> tuple[Policy, str]:
    """The first policy that sends it, and the role it tells; where none does by name, some policy."""
    found = senders(bundle, message)
    policy = found[0][0] if found else bundle.policies.get("complaint", next(iter(bundle.policies.values())))
    told = found[0][2] if found else ()
    return policy, role or next(iter(told), "front_desk")


def role_for(bundle: Bundle, case: Case, message: str, role: str | None) -> str:
    """The role asked for, else the one that a step of the case's policy tells by this message."""
    own = [told for policy, _, told in senders(bundle, message) if policy.name == case.key.policy]
    return role or (own[0][0] if own else told_by(bundle, message, None)[1])


def row_of(bundle: Bundle, message: str) -> dict[str, Any]:
    """The message as JSON: its texts, and the steps that send it."""
    found = senders(bundle, message)
    return {
        "message": message,
        "texts": {
            language: sorted(channels) for language, channels in sorted(bundle.messages.get(message, {}).items())
        },
        "sent_by": list(dict.fromkeys(f"{policy.name}/{step}" for policy, step, _ in found)),
        "to": sorted({role for _, _, roles in found for role in roles}),
    }
