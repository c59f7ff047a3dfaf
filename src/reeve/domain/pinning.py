"""Which version of its rule file a case runs on."""

from __future__ import annotations

from reeve.domain.bundle import Bundle, Policy
from reeve.domain.case import Case
from reeve.domain.errors import PolicyMissing
from reeve.domain.inputs import Revise


def policy_of(case: Case, bundle: Bundle) -> Policy:
    """The rule file the case runs on: the one a person put it on; with `on_change: pin` the one it opened with;
    else the current one.

    What the current file says of `on_change` counts. Raises PolicyMissing if that version is gone.
    """
    current = bundle.policies.get(case.key.policy)
    stays = case.kept or (current is not None and current.on_change == "pin")
    if current is not None and (current.digest == case.digest or not stays):
        return current
    kept = bundle.archive.get(case.digest)
    if kept is None:
        raise PolicyMissing(case.key.policy, case.digest)
    return kept


def chosen_policy(given: Revise, case: Case, bundle: Bundle) -> Policy:
    """The file a person puts the case on. Raises PolicyMissing if no stored bundle has it."""
    current = bundle.policies.get(case.key.policy)
    if current is not None and current.digest == given.to:
        return current
    kept = bundle.archive.get(given.to or "")
    if kept is None or kept.name != case.key.policy:
        raise PolicyMissing(case.key.policy, given.to or "")
    return kept
