"""site.yaml and sites/<site>.yaml to the settings of every site: the second overrides the first key by key."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import time
from functools import cache
from typing import TypeVar

from reeve.domain.bundle import Calendar, Quiet, SiteSettings, Span
from reeve.rulelang.files import QuietShape, SiteShape
from reeve.rulelang.flood_settings import FloodReader
from reeve.rulelang.known_names import CHANNELS, KEYWORDS
from reeve.rulelang.problems import Choice, Particular, Problem, closest, problem
from reeve.rulelang.times_of_day import read_time as read_time
from reeve.rulelang.yamltree import Document

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS_ONLY = Calendar("", frozenset(), frozenset(), None)
"""Used where a site names no calendar: Monday to Friday for ever, nothing provisional."""
_OPENING = {"default": (Span(9 * 60, 18 * 60),)}
"""09:00-18:00 where no file says when the site is open."""
_NO_SITE = SiteShape()


@dataclass(frozen=True)
class SiteFile:
    """One of the two kinds of site file, read as far as its shape."""

    shape: SiteShape
    doc: Document


@dataclass
class SiteCompiler:
    """Makes settings, and keeps the problems found on the way."""

    calendars: Mapping[str, Calendar]
    vocabulary: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def settings(self, site: str, common: SiteFile | None, own: SiteFile | None) -> SiteSettings:
        """The settings of one site; with `site` empty those of a site that no file names."""
        files = [file for file in (common, own) if file is not None]
        quiet: Quiet | None = None
        opening: dict[str, tuple[Span, ...]] = {**_OPENING}
        zone, locale, calendar = "UTC", "en", WEEKDAYS_ONLY
        for file in files:
            mine = file is files[-1]
            zone = self._zone(file, mine) or zone
            locale = file.shape.locale or locale
            calendar = self._calendar(file, mine) or calendar
            opening |= self._opening(file, mine)
            if file.shape.quiet is not None:
                quiet = self._quiet(file, file.shape.quiet, mine)
            if mine:
                self._check_names(file)
        return SiteSettings(
            site=site,
            zone=zone,
            locale=locale,
            calendar=calendar,
            opening=opening,
            channels={"default": ("email",)} | _merged([_channels(file.shape) for file in files]),
            ladder={role: up for role, up in _merged([f.shape.ladder for f in files]).items() if up != "none"},
            quiet=quiet,
            owner_messages=_last(f.shape.owner_messages for f in files) or "any time",
            flood=FloodReader([(file.doc, file.shape) for file in files], self.problems).settings(),
            subjects=_last(f.shape.subjects for f in files) or "plain",
            parent=_last(f.shape.parent for f in files),
            title=_merged([{lang or locale: text for lang, text in f.shape.title.items()} for f in files]),
            vocabulary=self.vocabulary,
        )

    def _report(self, file: SiteFile, code: str, *path: str | int, **words: Particular) -> None:
        self.problems.append(problem(file.doc.at(*path), code, **words))

    def _zone(self, file: SiteFile, mine: bool) -> str | None:
        zone = file.shape.zone
        if zone is None or _is_known(zone):
            return zone
        if mine:
            self._report(file, "unknown_zone", "zone", found=zone, choice=Choice(zone, zone_choices(zone)))
        return None

    def _calendar(self, file: SiteFile, mine: bool) -> Calendar | None:
        name = file.shape.calendar
        if name is None:
            return None
        if name == "none":
            return WEEKDAYS_ONLY
        known = self.calendars.get(name)
        if known is not None:
            return known
        from reeve.rulelang.published_calendars import published_calendar  # its lists are long, and seldom asked

        stand_in = published_calendar(name)
        if mine:
            code = "no_calendar_file" if stand_in is None else "calendar_stands_in"
            self._report(file, code, "calendar", name=name)
        return stand_in

    def _opening(self, file: SiteFile, mine: bool) -> dict[str, tuple[Span, ...]]:
        opening: dict[str, tuple[Span, ...]] = {}
        for day, text in file.shape.opening.items():
            if day != "default" and day not in DAYS and mine:
                pos = file.doc.at_key("opening", day)
                choice = Choice(day, ("default", *DAYS))
                self.problems.append(problem(pos, "unknown_day", found=day, choice=choice))
            spans = read_spans(text)
            if spans is not None:
                opening[day] = spans
            elif mine:
                self._report(file, "bad_span", "opening", day, found=text[:60])
        return opening

    def _quiet(self, file: SiteFile, shape: QuietShape, mine: bool) -> Quiet | None:
        start, end = read_time(shape.from_), read_time(shape.to)
        for key, found, value in (("from", shape.from_, start), ("to", shape.to, end)):
            if value is None and mine:
                self._report(file, "expected_time", "quiet", key, found=found[:40])
        if start is None or end is None or start == end:
            return None
        return Quiet(_clock_time(start), _clock_time(end), tuple(shape.except_))

    def _check_names(self, file: SiteFile) -> None:
        for grade, channels in file.shape.channels.items():
            for index, channel in enumerate(channels):
                if channel not in CHANNELS:
                    choice = Choice(channel, CHANNELS)
                    self._report(file, "unknown_channel", "channels", grade, index, found=channel, choice=choice)
        language = file.shape.language
        if language is not None and language != "1":
            self._report(file, "wrong_language", "language", found=language)


def read_vocabulary(files: list[SiteFile]) -> tuple[dict[str, str], list[Problem]]:
    """The words of all sites together: policies are read once for all of them."""
    words: dict[str, str] = {}
    problems: list[Problem] = []
    for file in files:
        for word, name in file.shape.vocabulary.items():
            pos = file.doc.at_key("vocabulary", word)
            if not re.fullmatch(r"[^\W\d]\w*", word) or word in KEYWORDS:
                problems.append(problem(pos, "vocabulary_word", found=word[:40]))
            elif not re.fullmatch(r"[^\W\d]\w*", name) or name in KEYWORDS:
                problems.append(problem(file.doc.at("vocabulary", word), "vocabulary_word", found=name[:40]))
            elif words.setdefault(word, name) != name:
                problems.append(problem(pos, "vocabulary_differs", word=word, first=words[word], second=name))
    return words, problems


def read_spans(text: str) -> tuple[Span, ...] | None:
    """`08:30-12:00, 13:30-18:00` in order; `closed` is none at all."""
    if text.strip() == "closed":
        return ()
    spans: list[Span] = []
    for part in re.split(r"[,，、]", text):
        start, dash, end = re.sub(r"[–—－~]", "-", part).partition("-")
        a, b = read_time(start), read_time(end)
        if not dash or a is None or b is None or a >= b or (spans and a < spans[-1].end):
            return None
        spans.append(Span(a, b))
    return tuple(spans)


_LIKELY = ("Asia/Shanghai", "Asia/Hong_Kong", "Europe/Berlin", "UTC")


def _is_known(zone: str) -> bool:
    """Whether this machine knows the zone; one of the likely ones without going through its folders of zones."""
    if zone in _LIKELY:
        try:
            zoneinfo.ZoneInfo(zone)
        except zoneinfo.ZoneInfoNotFoundError:
            return False
        return True
    return zone in zones()


@cache
def zones() -> frozenset[str]:
    """Every time zone name this machine knows."""
    return frozenset(zoneinfo.available_timezones())


def zone_choices(found: str) -> tuple[str, ...]:
    """What a wrong zone name can have meant."""
    by_city = {zone.rpartition("/")[2]: zone for zone in sorted(zones())}
    city = closest(found.rpartition("/")[2].replace(" ", "_"), by_city)
    if found in by_city or city is not None:
        return (by_city[found if found in by_city else str(city)],)
    return _LIKELY


def _clock_time(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


def _channels(shape: SiteShape) -> dict[str, tuple[str, ...]]:
    return {grade: tuple(channels) for grade, channels in shape.channels.items()}


_Item = TypeVar("_Item")


def _merged(maps: list[dict[str, _Item]]) -> dict[str, _Item]:
    merged: dict[str, _Item] = {}
    for one in maps:
        merged |= one
    return merged


def _last(said: Iterable[_Item | None]) -> _Item | None:
    values = [value for value in said if value is not None]
    return values[-1] if values else None
