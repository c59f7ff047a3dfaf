"""What was read from the files of a bundle, before a bundle is made of it: so it is checked as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field

from reeve.domain.bundle import Policy, SiteSettings
from reeve.rulelang.duties import DutyFile
from reeve.rulelang.facts import FactFile
from reeve.rulelang.messages import Messages
from reeve.rulelang.scenarios import ScenarioFile
from reeve.rulelang.scores import ScoreFile
from reeve.rulelang.sites import SiteFile


@dataclass
class Parts:
    """Everything read from the files, before it is held against each other."""

    policies: dict[str, Policy] = field(default_factory=dict)
    policy_names: set[str] = field(default_factory=set)
    """Names of all policy files, those with errors too."""
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    """Policy → the words of the vocabulary that stand in its file, and the names they stand for."""
    defaults: SiteSettings | None = None
    sites: dict[str, SiteSettings] = field(default_factory=dict)
    site_files: dict[str, SiteFile] = field(default_factory=dict)
    messages: Messages | None = None
    duties: DutyFile | None = None
    scores: ScoreFile | None = None
    facts: FactFile | None = None
    scenarios: list[ScenarioFile] = field(default_factory=list)
