"""Errors of the decision core, by what the caller does about them.

ReeveError
├── NotLoaded        the working set lacks something: load it and decide again (never a failure)
└── RefusedError     the input can't be taken as it is: answer its sender, keep it as a dead letter
    └── PolicyMissing  a case is pinned to a policy file that nobody has any more
"""

from __future__ import annotations


class ReeveError(Exception):
    """Root of every error Reeve raises on purpose."""


class NotLoaded(ReeveError):
    """The working set was asked for something that was not loaded; `kind` and `key` say what to load."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"{kind} {key} is not in the working set")
        self.kind = kind
        self.key = key


class RefusedError(ReeveError):
    """The input is refused for good; `reason` is a plain sentence without personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PolicyMissing(RefusedError):
    """The policy file a case is pinned to (`digest`) is in no stored bundle."""

    def __init__(self, policy: str, digest: str) -> None:
        super().__init__(f"policy {policy} in version {digest} is in no stored bundle")
        self.policy = policy
        self.digest = digest
