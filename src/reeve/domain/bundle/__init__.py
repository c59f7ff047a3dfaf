"""A bundle: every rule file of one version, compiled, immutable. The rule language's meaning as plain data.

`reeve.rulelang` makes bundles from YAML; the core only reads them.
"""

from __future__ import annotations

from reeve.domain.bundle.parts import (
    ClockRule,
    CountRule,
    GradeRule,
    Level,
    Repeat,
    ScopeReads,
    ScoreRule,
    Scores,
    StepRule,
)
from reeve.domain.bundle.policy import Policy, TimedAlternative
from reeve.domain.bundle.scope import COMPUTED, TYPED_ENDINGS, Matcher, Scope
from reeve.domain.bundle.sites import Calendar, Quiet, SiteSettings, Span
from reeve.domain.bundle.texts import MessageTemplates, Texts
from reeve.domain.bundle.whole import Bundle

__all__ = [
    "COMPUTED",
    "TYPED_ENDINGS",
    "Bundle",
    "Calendar",
    "ClockRule",
    "CountRule",
    "GradeRule",
    "Level",
    "Matcher",
    "MessageTemplates",
    "Policy",
    "Quiet",
    "Repeat",
    "Scope",
    "ScopeReads",
    "ScoreRule",
    "Scores",
    "SiteSettings",
    "Span",
    "StepRule",
    "Texts",
    "TimedAlternative",
]
