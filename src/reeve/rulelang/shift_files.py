"""A rota file to rotas, or to every problem in it where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reeve.domain.people.roles import OWNER, ROLES
from reeve.domain.rotas import EVERY_DAY, LONGEST_TURN, NOBODY, Layer, Rota, Shift
from reeve.domain.wall_clock import DAY, MINUTES
from reeve.rulelang.build import Names
from reeve.rulelang.desk import Desk, Path
from reeve.rulelang.problems import BadRule, Choice, Problem, in_order
from reeve.rulelang.reading import read_shape
from reeve.rulelang.shift_shapes import LayerShape, RotaShape, ShiftsShape
from reeve.rulelang.sites import read_time, zone_choices, zones
from reeve.rulelang.yamlfile import read_yaml
from reeve.rulelang.yamltree import Sequence

NOBODY_ON = "nobody"
"""Stands in a turn where a shift is free."""

_PLACE = re.compile(r"[a-z0-9-]{1,64}")
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = "|".join(_WEEKDAYS)
_EVERY = re.compile(
    rf"(?:(?P<days>\d{{1,3}} )?days?|(?P<weeks>\d{{1,2}} )?weeks? on (?P<weekday>{_WEEKDAY}))"
    r"(?: at (?P<time>\d{1,2}[:：]\d{2}))?"
)
_ROLES = tuple(role for role in ROLES if role != OWNER)
_OF_LAYERS = ("until", "shifts", "every", "days", "turns")


@dataclass(frozen=True, slots=True)
class _Rhythm:
    """`every`, read."""

    days: int
    weekday: int | None
    minute: int | None


def read_shifts(
    file: str, data: bytes, zone_of_site: Callable[[str], str | None]
) -> tuple[tuple[Rota, ...], tuple[Problem, ...]]:
    """The rotas of a file, and what is wrong with it; with an error the rotas are not complete.

    `zone_of_site` is asked where a rota names no zone; None: not known.
    """
    try:
        shaped = read_shape(read_yaml(file, data), ShiftsShape)
    except BadRule as bad:
        return (), (bad.problem,)
    desk = Desk(shaped.doc, Names(), "", shaped.problems)
    rotas: dict[tuple[str, str], Rota] = {}
    for index, shape in enumerate(shaped.model.root if shaped.model else ()):
        rota = _Compiler(desk, index, shape).rota(zone_of_site)
        if (rota.place, rota.role) in rotas:
            line = next(
                desk.doc.at(other, "role").line
                for other, one in enumerate(shaped.model.root if shaped.model else ())
                if (one.place, one.role) == (rota.place, rota.role)
            )
            desk.report((index, "role"), "rota_twice", place=rota.place, role=rota.role, line=line)
        rotas.setdefault((rota.place, rota.role), rota)
    return tuple(rotas.values()), in_order((*shaped.doc.problems, *desk.problems))


class _Compiler:
    """Compiles one rota; what is wrong is reported, and something harmless stands in for it."""

    def __init__(self, desk: Desk, index: int, shape: RotaShape) -> None:
        self._desk = desk
        self._index = index
        self._shape = shape
        self._groups = {name: self._people(("groups", name), ids) for name, ids in shape.groups.items()}

    def rota(self, zone_of_site: Callable[[str], str | None]) -> Rota:
        shape = self._shape
        if not _PLACE.fullmatch(shape.place):
            self._say(("place",), "rota_place", found=shape.place[:60])
        if shape.role not in _ROLES:
            self._say(("role",), "rota_role", found=shape.role[:40], choice=Choice(shape.role, _ROLES))
        return Rota(
            place=shape.place,
            role=shape.role,
            zone=self._zone(zone_of_site),
            layers=tuple(self._layers()),
            title=self._desk.texts(shape.title),
            hands_over=shape.hand_over,
        )

    def _zone(self, zone_of_site: Callable[[str], str | None]) -> str:
        shape = self._shape
        if shape.zone is None:
            found = zone_of_site(shape.place)
            if found is None and _PLACE.fullmatch(shape.place):
                self._say((), "rota_zone_needed", place=shape.place[:64])
            return found or "UTC"
        if shape.zone not in zones():
            self._say(
                ("zone",), "unknown_zone", found=shape.zone, choice=Choice(shape.zone, zone_choices(shape.zone))
            )
            return "UTC"
        return shape.zone

    def _layers(self) -> list[Layer]:
        shape = self._shape
        if not shape.layers:
            layer = self._layer((), shape)
            return [layer] if layer else []
        for key in _OF_LAYERS:
            if getattr(shape, key):
                self._say((key,), "rota_both", key=key)
        found = [self._layer(("layers", number), layer) for number, layer in enumerate(shape.layers)]
        return [layer for layer in found if layer]

    def _layer(self, path: Path, shape: LayerShape) -> Layer | None:
        start = shape.start or self._shape.start
        if start is None:
            self._say(path, "rota_no_start")
        if not shape.turns:
            self._say(path, "rota_no_turns")
        if start is not None and shape.until is not None and shape.until < start:
            self._say((*path, "until"), "rota_until")
        rhythm = self._rhythm(path, shape)
        days = self._days(path, shape)
        shifts = self._shifts(path, shape, rhythm, days)
        turns = tuple(self._turn((*path, "turns"), number, turn, shape) for number, turn in enumerate(shape.turns))
        if start is None or rhythm is None or not turns or not shifts:
            return None
        if rhythm.weekday is not None:
            start -= (start.weekday() - rhythm.weekday) % 7 * DAY
        step = rhythm.days if not shape.shifts else 1
        return Layer(shifts, start, rhythm.days, turns, shape.until, step)

    def _rhythm(self, path: Path, shape: LayerShape) -> _Rhythm | None:
        if shape.every is None:
            if not shape.shifts:
                self._say(path, "rota_every_needed")
                return None
            return _Rhythm(1, None, None)
        text = re.sub(r"\s+", " ", shape.every.strip().lower())
        found = _EVERY.fullmatch(text)
        at = (*path, "every")
        minute = read_time(found["time"]) if found and found["time"] else None
        days = 0
        if found:
            days = int(found["weeks"] or 1) * 7 if found["weekday"] else int(found["days"] or 1)
        if not found or not 1 <= days <= LONGEST_TURN or minute == MINUTES or (found["time"] and minute is None):
            self._say(at, "rota_every", found=shape.every[:60])
            return None
        if minute is not None and shape.shifts:
            self._say(at, "rota_time_twice", right=text.partition(" at ")[0])
        if minute is None and not shape.shifts:
            self._say(at, "rota_time_needed", found=text)
            return None
        return _Rhythm(days, _WEEKDAYS.index(found["weekday"]) if found["weekday"] else None, minute)

    def _days(self, path: Path, shape: LayerShape) -> frozenset[int]:
        words = [part for text in shape.days for part in re.split(r"[,，、\s]+", text.strip().lower()) if part]
        days: set[int] = set()
        for word in words:
            first, dash, last = word.partition("-")
            if first not in _WEEKDAYS or (dash and last not in _WEEKDAYS):
                self._say((*path, "days"), "rota_day", found=word[:40])
                continue
            one = _WEEKDAYS.index(first)
            length = (_WEEKDAYS.index(last) - one) % 7 if dash else 0
            days |= {(one + further) % 7 for further in range(length + 1)}
        return frozenset(days) or EVERY_DAY

    def _shifts(
        self, path: Path, shape: LayerShape, rhythm: _Rhythm | None, days: frozenset[int]
    ) -> tuple[Shift, ...]:
        if not shape.shifts:
            if rhythm is None or rhythm.minute is None:
                return ()
            if rhythm.days > 1 and days != EVERY_DAY:
                self._say((*path, "days"), "rota_days_of_turn")
            return (Shift("", rhythm.minute, rhythm.minute + MINUTES * rhythm.days, days),)
        shifts: list[Shift] = []
        for name, text in shape.shifts.items():
            start, dash, end = re.sub(r"[–—－~～至]", "-", text).partition("-")
            begin, stop = read_time(start), read_time(end)
            if not dash or begin is None or stop is None or begin == MINUTES:
                self._say((*path, "shifts", name), "rota_span", found=text[:60])
                begin, stop = 0, MINUTES
            shifts.append(Shift(name, begin, stop if stop > begin else stop + MINUTES, days))
        return tuple(shifts)

    def _turn(
        self, path: Path, number: int, turn: Mapping[str, list[str]], shape: LayerShape
    ) -> tuple[frozenset[str], ...]:
        # `turns` may be one turn by itself.
        at = (*path, number) if isinstance(self._desk.doc.node(self._index, *path), Sequence) else path
        names = tuple(shape.shifts) or ("",)
        if "" in turn and shape.shifts:
            self._say(at, "rota_shifts_unnamed", shift=names[0], found=" ".join(turn[""])[:40])
            return (NOBODY,) * len(names)
        for found in turn:
            if found not in names:
                self._say((*at, found), "rota_shift", True, found=found[:40], choice=Choice(found, names))
        for name in names:
            if name not in turn and name:
                self._say(at, "rota_shift_missing", shift=name)
        return tuple(self._group((*at, name) if name else at, turn.get(name, [])) for name in names)

    def _group(self, path: Path, words: list[str]) -> frozenset[str]:
        """The people that words of a turn mean: groups, and ids where there are none or that stand in one."""
        people: set[str] = set()
        known = frozenset().union(*self._groups.values()) if self._groups else NOBODY
        for number, word in enumerate(words):
            if word == NOBODY_ON:
                continue
            if word in self._groups:
                people |= self._groups[word]
            elif self._groups and word not in known:
                choice = Choice(word, tuple(self._groups))
                self._say((*path, number), "rota_group", found=word[:40], choice=choice)
            else:
                people |= self._people(path, [word], number)
        return frozenset(people)

    def _people(self, path: Path, ids: list[str], first: int = 0) -> frozenset[str]:
        for number, one in enumerate(ids, first):
            if not _PERSON.fullmatch(one):
                self._say((*path, number), "rota_person", found=one[:40])
        return frozenset(ids)

    def _say(self, path: Path, code: str, on_key: bool = False, **particulars: str | int | Choice) -> None:
        self._desk.report((self._index, *path), code, on_key, **particulars)
