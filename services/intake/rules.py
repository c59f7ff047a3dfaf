"""What intake takes from the active rules: the names of counts, and the sites whose subjects become digests."""

from __future__ import annotations

from reeve.domain.bundle import Bundle
from reeve.ports import StoreAway
from reeve.runtime.active_rules import ActiveRules
from reeve.runtime.bundles import Bundles


class RulesView:
    """Reads the active bundle. Without one nothing is reserved and no subject is replaced."""

    def __init__(self, bundles: Bundles) -> None:
        self.active = ActiveRules(bundles, taken=self._taken)
        self._reserved: frozenset[str] = frozenset()

    def reserved(self) -> frozenset[str]:
        """Names of the counts of every active policy."""
        return self._reserved

    def digests(self, site: str) -> bool:
        """Whether the site's subjects are stored as digests. Raises StoreAway before the record was asked."""
        if not self.active.asked:
            raise StoreAway("the rules are not known yet")
        return self.active.loaded and self.active.bundle.site(site).subjects == "digest"

    def _taken(self, bundle: Bundle) -> None:
        self._reserved = frozenset(count.name for policy in bundle.policies.values() for count in policy.counts)
