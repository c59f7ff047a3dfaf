"""The bundle itself: all rule files of one version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

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

    @cached_property
    def _by_family(self) -> Mapping[str, tuple[Policy, ...]]:
        found: dict[str, tuple[Policy, ...]] = {}
        for _, policy in sorted(self.policies.items()):
            found[policy.family] = (*found.get(policy.family, ()), policy)
        return found

    @cached_property
    def _by_counted_type(self) -> Mapping[str, tuple[Policy, ...]]:
        found: dict[str, tuple[Policy, ...]] = {}
        for policy in self.policies.values():
            for counted in policy.counted_types:
                found[counted] = (*found.get(counted, ()), policy)
        return found

    def policies_counting(self, event_type: str) -> Sequence[Policy]:
        """The policies with a count of events of that type, in the order of the bundle."""
        return self._by_counted_type.get(event_type, ())

    def policies_for(self, family: str) -> Sequence[Policy]:
        """The policies that take a family's events, in the order of their names."""
        return self._by_family.get(family, ())

    def site(self, site: str) -> SiteSettings:
        """The site's own settings, or the defaults."""
        return self.sites.get(site, self.defaults)
