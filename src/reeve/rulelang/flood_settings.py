"""The keys of site.yaml against floods, to settings: a site's own keys stand in place of those of all sites."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from reeve.domain.durations import Elapsed
from reeve.domain.flood.settings import DEFAULT_MERGE, Digest, Flood
from reeve.rulelang.files import SiteShape
from reeve.rulelang.flood_shapes import NONE, DigestShape
from reeve.rulelang.parse import parse_length
from reeve.rulelang.problems import BadRule, Particular, Problem, problem
from reeve.rulelang.times_of_day import read_time
from reeve.rulelang.yamltree import Document

_MERGE = timedelta(minutes=1), timedelta(days=1)
_EVERY = timedelta(minutes=15), timedelta(days=1)


class FloodReader:
    """Reads them of the files of one site, the common one first. Problems are reported in the last file alone:
    the first is read by itself, too."""

    def __init__(self, files: Sequence[tuple[Document, SiteShape]], problems: list[Problem]) -> None:
        self._files = files
        self._problems = problems

    def settings(self) -> Flood:
        """What holds at the site; what can't be read is as if it were not there."""
        merge: timedelta | None = DEFAULT_MERGE
        digest: Digest | None = None
        reminders, budget = True, 0
        for doc, shape in self._files:
            mine = doc is self._files[-1][0]
            if shape.merge is not None:
                merge = self._merge(doc, shape.merge, mine)
            if shape.digest is not None:
                digest = self._digest(doc, shape.digest, mine)
            if shape.payment_reminders is not None:
                reminders = shape.payment_reminders == "one a day"
            if shape.sms_budget is not None:
                budget = shape.sms_budget.segments
        return Flood(merge, digest, reminders, budget or None)

    def _merge(self, doc: Document, text: str, mine: bool) -> timedelta | None:
        if text.strip() in NONE:
            return None
        length = self._elapsed(doc, text, mine, "merge")
        if length is not None and not _MERGE[0] <= length <= _MERGE[1]:
            self._report(doc, mine, "merge_length", "merge", found=text[:40])
            return None
        return length

    def _digest(self, doc: Document, shape: DigestShape, mine: bool) -> Digest | None:
        if not (shape.grades or shape.at or shape.every):
            return None
        if not shape.grades or bool(shape.at) == bool(shape.every):
            self._report(doc, mine, "digest_moments", "digest")
            return None
        minutes = []
        for index, text in enumerate(shape.at):
            minute = read_time(text)
            if minute is None:
                self._report(doc, mine, "expected_time", "digest", "at", index, found=text[:40])
            else:
                minutes.append(minute % 1440)
        every = self._elapsed(doc, shape.every, mine, "digest", "every") if shape.every else None
        if every is not None and not _EVERY[0] <= every <= _EVERY[1]:
            self._report(doc, mine, "digest_every", "digest", "every", found=str(shape.every)[:40])
            return None
        if not minutes and every is None:
            return None
        return Digest(tuple(shape.grades), tuple(sorted(set(minutes))), every)

    def _elapsed(self, doc: Document, text: str, mine: bool, *path: str) -> timedelta | None:
        code = "merge_length" if path == ("merge",) else "digest_every"
        try:
            length = parse_length(text, doc.scalar(*path))
        except BadRule:
            length = None
        if isinstance(length, Elapsed):
            return length.timedelta
        self._report(doc, mine, code, *path, found=text[:40])
        return None

    def _report(self, doc: Document, mine: bool, code: str, *path: str | int, **words: Particular) -> None:
        if mine:
            self._problems.append(problem(doc.at(*path), code, **words))
