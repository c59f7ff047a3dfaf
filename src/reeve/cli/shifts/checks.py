"""What can be wrong with a rota although its file is right: nobody on, people unknown, a hand-over untold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reeve.cli.output import print_json, print_line
from reeve.cli.shifts.moments import local_iso, shown_moment
from reeve.cli.shifts.texts import say
from reeve.domain.bundle import Bundle
from reeve.domain.recipients import Recipient
from reeve.domain.rotas import Change, Rota
from reeve.domain.shifts import periods, uncovered
from reeve.runtime.store.recipients import RecipientStore

HAND_OVER = "handover"
"""The policy that tells the next shift."""
_MOST_GAPS = 5
"""Gaps shown of one rota; the rest is counted."""

People = Mapping[tuple[str, str], Recipient]
"""(place of the rota, id) → who that is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one rota."""

    place: str
    role: str
    what: str
    """Stable, for tools: `gap`, `unknown_person`, `no_address`, `hand_over_untold`."""
    says: str
    bad: bool
    more: Mapping[str, Any]

    @property
    def row(self) -> dict[str, Any]:
        """For `--json`."""
        return {"place": self.place, "role": self.role, "what": self.what, "bad": self.bad, **self.more}


async def known_people(store: RecipientStore, rotas: Iterable[Rota], rules: Bundle | None) -> People:
    """Everybody who could be meant on these rotas: the recipients of their places and of the organisation above.

    Of an id that both have it is the place's own.
    """
    found: dict[tuple[str, str], Recipient] = {}
    for place in sorted({rota.place for rota in rotas}):
        parent = rules.site(place).parent if rules is not None else None
        for where in (place,) if parent is None else (parent, place):
            found |= {(place, one.id): one for one in await store.all(where)}
    return found


def check_rota(
    rota: Rota,
    people: People,
    rules: Bundle | None,
    changes: Sequence[Change] = (),
    window: tuple[datetime, datetime] | None = None,
    gaps_are_bad: bool = False,
    lang: str = "en",
) -> list[Finding]:
    """What is found; without `window` only what concerns its people and rules."""
    found: list[Finding] = []

    def add(what: str, bad: bool, **more: Any) -> None:
        says = say(what, lang, place=rota.place, role=rota.role, **more)
        found.append(Finding(rota.place, rota.role, what, says, bad, more))

    on = rota.people
    if window is not None:
        on |= frozenset().union(*(each.people for each in periods(rota, changes, *window)))
    for person in sorted(on):
        known = people.get((rota.place, person))
        if known is None:
            add("unknown_person", True, person=person)
        elif not known.addresses:
            add("no_address", True, person=person)
    if rules is not None and rota.hands_over and not _told(rules, rota.role):
        add("hand_over_untold", False)
    if window is not None:
        gaps = uncovered(rota, changes, *window)
        for gap in gaps[:_MOST_GAPS]:
            start, end = (shown_moment(at, rota, lang) for at in (gap.start, gap.end))
            says = say("gap", lang, start=start, end=end)
            moments = {"from": local_iso(gap.start, rota), "until": local_iso(gap.end, rota)}
            found.append(Finding(rota.place, rota.role, "gap", says, gaps_are_bad, moments))
        if (left := len(gaps) - _MOST_GAPS) > 0:
            says = say("more_gaps", lang, n=left)
            found.append(Finding(rota.place, rota.role, "gap", says, gaps_are_bad, {"more": left}))
    return found


def _told(rules: Bundle, role: str) -> bool:
    policy = rules.policies.get(HAND_OVER)
    return policy is not None and any(role in level.notify for step in policy.steps for level in step.levels)


def tell(found: Iterable[Finding], as_json: bool, lang: str = "en") -> None:
    """Prints them, bad ones in red."""
    for each in found:
        if as_json:
            print_json(each.row)
        else:
            said = say("finding", lang, place=each.place, role=each.role, says=each.says)
            print_line((said, "red" if each.bad else "yellow"))
