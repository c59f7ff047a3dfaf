"""A working set that supposes, where it can, that what was not loaded is not there, and keeps a list of it.

Most claims and counts that a batch asks for are new. Asking the record first would mean one more pass over the
whole batch for each; so the batch is decided on the supposition, and only if that was wrong decided again.
"""

from __future__ import annotations

from reeve.domain.counts import Count
from reeve.domain.errors import NotLoaded
from reeve.domain.workset import Workset
from reeve.ports import Loaded, Needs


class SupposingWorkset(Workset):
    """What it decided holds only if `wrong` finds nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.supposed: Needs = {}
        """What it took to be absent, by the kinds of NotLoaded."""

    def claim_holder(self, claim: str) -> str | None:
        """Who holds a `once_per` sending; nobody, if it was not loaded."""
        try:
            return super().claim_holder(claim)
        except NotLoaded:
            self.supposed.setdefault("claim", set()).add(claim)
            self.load_claim(claim, None)
            return None

    def count_of(self, key: str) -> Count | None:
        """The count document; none, if it was not loaded."""
        try:
            return super().count_of(key)
        except NotLoaded:
            self.supposed.setdefault("count", set()).add(key)
            self.load_count(key, None)
            return None

    def wrong(self, loaded: Loaded) -> bool:
        """Whether anything it supposed absent is there. `loaded` holds all of `supposed` now."""
        return any(loaded.claims[claim] is not None for claim in self.supposed.get("claim", ())) or any(
            loaded.counts[key] is not None for key in self.supposed.get("count", ())
        )
