"""What a rota is made of: who takes turns at which hours, and what people have changed about it.

A rota belongs to a place and a role. Rules name the role; whoever is on shift stands for it. Person ids only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal as OneOf

EVERY_DAY = frozenset(range(7))
NOBODY: frozenset[str] = frozenset()
LONGEST_TURN = 366
"""Days."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours of local wall time. `start` and `end` are minutes since midnight of the day on which it begins."""

    name: str
    """As operators call it; empty for the one shift of a layer that has no names."""
    start: int
    """0 to 1439."""
    end: int
    """Later than `start`, exclusive. Up to a day later; where the layer's `step` is longer, up to that."""
    days: frozenset[int] = EVERY_DAY
    """Weekdays (0 is Monday) on which it begins."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Shifts that repeat, and the groups that take turns at them."""

    shifts: tuple[Shift, ...]
    """They may overlap: then all who are on count."""
    start: date
    """The first day on which a shift of it begins; turns are counted from here."""
    every: int
    """Days after which the next turn comes."""
    turns: tuple[tuple[frozenset[str], ...], ...]
    """Turn → the people of each shift, in the order of `shifts`; nobody is an empty set."""
    until: date | None = None
    """The last day on which a shift of it begins; None: no end."""
    step: int = 1
    """Days from one beginning of a shift to the next: 1, or `every` where one shift lasts a whole turn."""


@dataclass(frozen=True, slots=True)
class Rota:
    """Who is on shift for a role at a place: the people of all its layers together."""

    place: str
    """Id of the site, or of the organisation above it."""
    role: str
    zone: str
    """Its wall times are of this zone."""
    layers: tuple[Layer, ...]
    title: Mapping[str, str] = field(default_factory=dict)
    hands_over: bool = True
    """Whether the next shift is told at each hand-over."""
    since: datetime | None = None
    """When the rota came into the record as it is; hand-overs before are not told."""

    @property
    def people(self) -> frozenset[str]:
        """Everybody who has a turn."""
        return frozenset().union(*(each for layer in self.layers for turn in layer.turns for each in turn))


@dataclass(frozen=True, slots=True)
class Exchange:
    """For some time other people are on."""

    start: datetime
    end: datetime
    """Exclusive."""
    comes: frozenset[str]
    leaves: frozenset[str] | None
    """In whose stead: only where one of these is on. None: instead of all who are. Empty: they come in addition."""


@dataclass(frozen=True, slots=True)
class Change:
    """An override or a swap, as somebody entered it; later ones count before earlier ones."""

    id: str
    place: str
    role: str
    kind: OneOf["override", "swap"]
    exchanges: tuple[Exchange, ...]
    author: str
    note: str
    made_at: datetime
    """It changes nothing about what was before."""
    removed_at: datetime | None = None
    """Taken back: it changes nothing from then on."""

    @property
    def start(self) -> datetime:
        return min(each.start for each in self.exchanges)

    @property
    def end(self) -> datetime:
        return max(each.end for each in self.exchanges)
