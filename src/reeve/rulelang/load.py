"""The files of a bundle to an immutable bundle, or to a list of located problems: pure, path → bytes in.

The same loader serves `rules check`, the services and the tests; a bundle exists only if no file has an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TypeVar

from reeve.domain.bundle import Bundle, Calendar, Matcher
from reeve.domain.duties import POLICY
from reeve.domain.expressions import Position
from reeve.rulelang.check import check
from reeve.rulelang.citations import find_citations
from reeve.rulelang.compile import PolicySource, compile_policy, policy_digest
from reeve.rulelang.duties import DutyFile, check_reports, read_duties
from reeve.rulelang.facts import FactFile, FactsShape, read_facts, unknown_facts
from reeve.rulelang.files import CalendarShape, MessagesShape, PolicyShape, SiteShape
from reeve.rulelang.layout import Layout, lay_out, normal_bytes
from reeve.rulelang.messages import Messages, read_messages
from reeve.rulelang.parts import Parts
from reeve.rulelang.problems import BadRule, Problem, in_order, problem
from reeve.rulelang.reading import Model, Shaped, read_shape
from reeve.rulelang.scenarios import ScenarioFile, read_scenarios
from reeve.rulelang.scores import ScoreFile, read_scores
from reeve.rulelang.sites import SiteCompiler, SiteFile, read_vocabulary
from reeve.rulelang.yamlfile import MAX_BYTES, kept_yaml
from reeve.rulelang.yamltree import Document

_Read = TypeVar("_Read")
MAX_FILES = 1000
MAX_TOTAL = 4 * 1024 * 1024


@dataclass(frozen=True)
class LoadResult:
    """What came of a folder: the bundle unless there are errors, and every problem found."""

    bundle: Bundle | None
    problems: tuple[Problem, ...]
    """By file, line and column."""
    scenarios: tuple[ScenarioFile, ...] = ()
    """tests/*.test.yaml, read; their runner is elsewhere."""
    duties: DutyFile | None = None
    scores: ScoreFile | None = None
    facts: FactFile | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(found for found in self.problems if found.is_error)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(found for found in self.problems if not found.is_error)

    def require(self) -> Bundle:
        """The bundle. Raises ValueError with all errors if there is none."""
        if self.bundle is None:
            raise ValueError("\n".join(found.render() for found in self.errors))
        return self.bundle


def read_folder(folder: Path | str) -> dict[str, bytes]:
    """The files of a rules folder by their path in it, hidden ones and other folders' depths left out.

    Raises OSError if the folder can't be read. A file over the size limit is read only as far as it takes to
    say so.
    """
    root = Path(folder)
    files: dict[str, bytes] = {}
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if any(part.startswith(".") for part in inside.parts) or len(inside.parts) > 3 or not path.is_file():
            continue
        if path.suffix in (".yaml", ".yml"):
            with path.open("rb") as file:
                files[inside.as_posix()] = file.read(MAX_BYTES + 1)
        if len(files) > MAX_FILES:
            break
    if not root.is_dir():
        raise NotADirectoryError(f"{root} is not a folder")
    return files


def load_bundle(
    files: Mapping[str, bytes], matcher: Matcher | None = None, today: date | None = None
) -> LoadResult:
    """The bundle these files make, and all their problems. Pure; the same files give the same version.

    `matcher` None takes the compiled closures. With `today`, calendars that end soon are warned about.
    """
    # A single file that is too large is refused by its name, unread.
    total = sum(min(len(data), MAX_BYTES + 1) for data in files.values())
    if len(files) > MAX_FILES or total > MAX_TOTAL:
        size = MAX_TOTAL // 1_000_000
        return LoadResult(None, (problem(Position("", 0, 0), "too_many_files", most=MAX_FILES, size=size),))
    loader = _Loader(files)
    parts = loader.read()
    problems = loader.problems
    problems.extend(check(parts, today))
    found = in_order(problems)
    bundle = None
    if not any(p.is_error for p in found) and parts.defaults is not None:
        bundle = Bundle(
            version=bundle_version(files),
            policies=parts.policies,
            defaults=parts.defaults,
            sites=parts.sites,
            messages=parts.messages.templates if parts.messages is not None else {},
            matcher=matcher if matcher is not None else _closures(),
            duties=parts.duties.duties if parts.duties is not None else {},
            scores=parts.scores.scores if parts.scores is not None else {},
        )
    return LoadResult(bundle, found, tuple(parts.scenarios), parts.duties, parts.scores, parts.facts)


def bundle_version(files: Mapping[str, bytes]) -> str:
    """The digest of the files that make a bundle: line ends and byte order marks change nothing."""
    digest = hashlib.sha256()
    for path in sorted(lay_out(files).read):
        data = normal_bytes(files[path])
        digest.update(f"{path}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()[:16]


def _closures() -> Matcher:
    from reeve.rulelang.closures import Closures

    return Closures()


class _Loader:
    """Reads each file with its own reader and keeps the problems."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self.problems: list[Problem] = []

    def read(self) -> Parts:
        layout = lay_out(self._files)
        self.problems.extend(layout.problems)
        parts = Parts()
        self._read_sites(layout, parts)
        self._read_policies(layout, parts)
        locale = parts.defaults.locale if parts.defaults is not None else "en"
        if layout.messages:
            parts.messages = self._keep(self._messages(layout.messages))
        if layout.duties is not None and (doc := self._document(layout.duties)):
            vocabulary = parts.defaults.vocabulary if parts.defaults is not None else {}
            digest = policy_digest(normal_bytes(self._files[layout.duties]), vocabulary)
            parts.duties = self._keep(read_duties(doc, digest, vocabulary, locale))
            self._add_duty_policy(parts)
        if layout.score is not None and (doc := self._document(layout.score)):
            vocabulary = parts.defaults.vocabulary if parts.defaults is not None else {}
            broken = frozenset(parts.policy_names - parts.policies.keys())
            parts.scores = self._keep(read_scores(doc, parts.policies, broken, vocabulary, locale))
        for path in layout.tests:
            if doc := self._document(path):
                parts.scenarios.append(self._keep(read_scenarios(doc)))
        if layout.facts is not None and (named := self._shape(layout.facts, FactsShape)) and named.model:
            parts.facts = self._keep(read_facts(named.doc, named.model))
            self.problems.extend(unknown_facts(parts.facts.facts, find_citations(self._files, layout)))
        return parts

    def _add_duty_policy(self, parts: Parts) -> None:
        """The duties are one policy more."""
        if POLICY in parts.policy_names:
            self.problems.append(problem(Position(f"{POLICY}.yaml", 1, 1), "duty_policy"))
        elif parts.duties is not None and parts.duties.policy is not None:
            parts.policies[POLICY] = parts.duties.policy
            parts.policy_names.add(POLICY)
            self.problems.extend(check_reports(parts.duties, parts.policy_names))

    def _read_sites(self, layout: Layout, parts: Parts) -> None:
        common = self._site_file(layout.site)
        own = {site: file for site, path in layout.sites.items() if (file := self._site_file(path))}
        vocabulary, problems = read_vocabulary([file for file in (common, *own.values()) if file is not None])
        self.problems.extend(problems)
        compiler = SiteCompiler(self._calendars(layout), vocabulary, self.problems)
        parts.defaults = compiler.settings("", common, None)
        parts.sites = {site: compiler.settings(site, common, file) for site, file in own.items()}
        parts.site_files = ({"": common} if common is not None else {}) | own
        if common is None and layout.site is None:
            self.problems.append(problem(Position("site.yaml", 0, 0), "no_site_file"))
        elif common is not None and common.shape.language is None:
            self.problems.append(problem(common.doc.root.pos, "no_language"))

    def _site_file(self, path: str | None) -> SiteFile | None:
        shaped = self._shape(path, SiteShape) if path is not None else None
        return SiteFile(shaped.model, shaped.doc) if shaped is not None and shaped.model is not None else None

    def _calendars(self, layout: Layout) -> dict[str, Calendar]:
        calendars: dict[str, Calendar] = {}
        for name, path in layout.calendars.items():
            shaped = self._shape(path, CalendarShape)
            if shaped is None or shaped.model is None:
                calendars[name] = Calendar(name, frozenset(), frozenset(), None)
                continue
            doc, shape = shaped.doc, shaped.model
            if shape.name is not None and shape.name != name:
                words = {"file": path, "key": "name", "found": shape.name, "right": name}
                self.problems.append(problem(doc.at("name"), "name_differs", **words))
            if shape.known_until is None and (shape.holidays or shape.workdays):
                self.problems.append(problem(doc.root.pos, "missing_key", key="known_until"))
            for day in set(shape.holidays) & set(shape.workdays):
                at = doc.at("workdays", shape.workdays.index(day))
                self.problems.append(problem(at, "calendar_overlap", day=day.isoformat()))
            holidays, workdays = frozenset(shape.holidays), frozenset(shape.workdays)
            calendars[name] = Calendar(name, holidays, workdays, shape.known_until)
        return calendars

    def _messages(self, paths: list[str]) -> tuple[Messages, list[Problem]]:
        shaped = [self._shape(path, MessagesShape) for path in paths]
        read = [(one.doc, one.model) for one in shaped if one is not None and one.model is not None]
        return read_messages(read, complete=len(read) == len(paths))

    def _read_policies(self, layout: Layout, parts: Parts) -> None:
        vocabulary = parts.defaults.vocabulary if parts.defaults is not None else {}
        locale = parts.defaults.locale if parts.defaults is not None else "en"
        for path in layout.policies:
            name = PurePosixPath(path).stem
            parts.policy_names.add(name)
            shaped = self._shape(path, PolicyShape)
            if shaped is None or shaped.model is None:
                continue
            text = shaped.doc.root.source.text
            parts.words[name] = {word: fact for word, fact in vocabulary.items() if word in text}
            digest = policy_digest(normal_bytes(self._files[path]), vocabulary)
            before = sum(p.is_error for p in self.problems if p.file == path)
            policy = self._keep(
                compile_policy(PolicySource(name, shaped.model, shaped.doc, digest), vocabulary, locale)
            )
            if policy is not None and not before:
                parts.policies[name] = policy

    def _document(self, path: str) -> Document | None:
        try:
            doc = kept_yaml(path, self._files[path])
        except BadRule as bad:
            self.problems.append(bad.problem)
            return None
        self.problems.extend(doc.problems)
        return doc

    def _shape(self, path: str, model: type[Model]) -> Shaped[Model] | None:
        doc = self._document(path)
        if doc is None:
            return None
        shaped = read_shape(doc, model)
        self.problems.extend(shaped.problems)
        return shaped

    def _keep(self, read: tuple[_Read, list[Problem]]) -> _Read:
        self.problems.extend(read[1])
        return read[0]
