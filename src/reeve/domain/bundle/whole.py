"""The bundle itself: all rule files of one version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reeve.domain.bundle.parts import Scores
from reeve.domain.bundle.policy import Policy
from reeve.domain.bundle.scope import Matcher
from reeve.domain.bundle.sites import SiteSettings
from reeve.domain.bundle.texts import MessageTemplates
from reeve.domain.schedules import Duty


@dataclass(frozen=True)
class Bundle:
    """All rule files of one version. Immutable; `version` is the digest of the files."""

    version: str
    policies: Mapping[str, Policy]
    defaults: SiteSettings
    """Settings of a site that no file names; its `site` is empty."""
    sites: Mapping[str, SiteSettings]
    messages: MessageTemplates
    matcher: Matcher
    duties: Mapping[str, Duty] = field(default_factory=dict)
    """Recurring duties; together they make the policy `duty`."""
    scores: Mapping[str, Scores] = field(default_factory=dict)
    """Policy → what scores on its cases."""
    archive: Mapping[str, Policy] = field(default_factory=dict)
    """Policy digest → policy files of earlier bundles that open cases are still pinned to."""

    def policies_for(self, family: str) -> Iterator[Policy]:
        """The policies that take a family's events, in the order of their names."""
        return (p for _, p in sorted(self.policies.items()) if p.family == family)

    def site(self, site: str) -> SiteSettings:
        """The site's own settings, or the defaults."""
        return self.sites.get(site, self.defaults)
