"""Files that might become the active bundle: checked and tried on their own scenarios, and nothing else yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from reeve.domain.bundle import Bundle
from reeve.domain.errors import ReeveError
from reeve.rulelang.load import bundle_version, load_bundle
from reeve.rulelang.problems import Problem, language
from reeve.runtime.matchers import MatcherName, unsuitable
from reeve.runtime.run_scenarios import Outcome, run_scenarios

Files = Mapping[str, bytes]
"""Path within the bundle → content."""


class BundleRejected(ReeveError):
    """A bundle with errors; the active one stays. Permanent until somebody mends the files."""

    def __init__(
        self,
        version: str,
        errors: list[str],
        problems: tuple[Problem, ...] = (),
        failed: tuple[Outcome, ...] = (),
        unsuitable: tuple[str, ...] = (),
    ) -> None:
        super().__init__("These rules can't be activated:\n" + "\n".join(f"  {error}" for error in errors))
        self.version = version
        self.errors = errors
        """`file:line:column: what is wrong → what to write`, one each, in English."""
        self.problems = problems
        """Every problem found, warnings included, for whoever speaks another language."""
        self.failed = failed
        """The scenarios that do not hold."""
        self.unsuitable = unsuitable
        """Conditions that the chosen matcher can't be given."""

    def said(self, lang: str = "en") -> list[str]:
        """The same as `errors`, problems in the operator's language."""
        problems = [problem.render(lang) for problem in self.problems if problem.is_error]
        return [*problems, *self.unsuitable, *(_failure(outcome, language(lang)) for outcome in self.failed)]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Files that may be activated: no error in them, and every scenario holds."""

    version: str
    files: Files
    bundle: Bundle
    """With the matcher it was tried with (closures), and no archive."""
    warnings: tuple[Problem, ...]
    tests: int
    """Scenarios that were run."""


def prepare(files: Files, matcher: MatcherName = "closures", today: date | None = None) -> Candidate:
    """The files, checked, and their scenarios run: everything that must hold before an activation or a shadow.

    Pure, and seconds of work for a large bundle: call it in a thread where an event loop runs. With `today`,
    calendars that end soon are warned about. Raises BundleRejected.
    """
    result = load_bundle(files, today=today)
    errors = [problem.render() for problem in result.problems if problem.is_error]
    version = bundle_version(files)
    if result.bundle is None:
        raise BundleRejected(version, errors, tuple(result.problems))
    outside = tuple(
        f"{pos.file}:{pos.line}:{pos.column}: error: {text}" for pos, text in unsuitable(result.bundle, matcher)
    )
    outcomes = list(run_scenarios(result.bundle, result.scenarios))
    failed = tuple(outcome for outcome in outcomes if not outcome.passed)
    errors += [*outside, *map(_failure, failed)]
    if errors:
        raise BundleRejected(version, errors, tuple(result.problems), failed, outside)
    return Candidate(version, files, result.bundle, result.warnings, len(outcomes))


_DOES_NOT_HOLD = {
    "en": "error: the test `{test}` does not hold: {why}",
    "zh": "错误：测试“{test}”不成立：{why}",
}


def _failure(outcome: Outcome, lang: str = "en") -> str:
    pos, test = outcome.scenario.pos, outcome.scenario.test
    says = _DOES_NOT_HOLD[lang].format(test=test, why=outcome.failures[0].render(lang))
    return f"{pos.file}:{pos.line}:{pos.column}: {says}"
