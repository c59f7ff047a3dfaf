"""What became of deliveries, and the changes that put it into the record, however often they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import UpdateMany, UpdateOne

from reeve.runtime.store.delivery import OPEN_STATES, Attempt, State, attempt_document
from reeve.runtime.store.mongo import Document


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a delivery in hand. `state` queued with a later `due_at` is a retry."""

    id: str
    state: State
    at: datetime
    due_at: datetime
    claim: str | None
    attempts: tuple[Attempt, ...] = ()
    """The tries since it was claimed: one of each provider that was asked."""
    segments: int = 0
    """SMS segments that were handed to providers in these tries."""
    into: str | None = None
    """Id of the delivery whose message says this one's matter, too."""
    merged: int = 0
    """How many others went out with it."""
    references: tuple[str, ...] = ()
    """What a receipt may name it by."""

    @property
    def attempt(self) -> Attempt | None:
        """The last try; None: it was not tried."""
        return self.attempts[-1] if self.attempts else None


def changes_of(outcome: Settlement) -> list[UpdateOne]:
    """What records one settlement, however often it is done."""
    if outcome.state != "sent":
        where: Document = {"_id": outcome.id, "state": "claimed", "claim": outcome.claim}
        return [UpdateOne(where, _outcome_change(outcome))]
    # A receipt of an earlier try may have come first: it arrived, and more is not to be known.
    where = {"_id": outcome.id, "state": {"$ne": "delivered"}, "attempts.at": {"$ne": outcome.at}}
    changes = [UpdateOne(where, _outcome_change(outcome))]
    if (last := outcome.attempt) is not None and last.result == "resent":
        noted = {"attempts": {"$each": [attempt_document(each) for each in outcome.attempts]}}
        also = {"_id": outcome.id, "state": "delivered", "attempts.at": {"$ne": outcome.at}}
        changes.insert(0, UpdateOne(also, {"$push": noted}))
    return changes


def changes_of_ours(sent: Sequence[Settlement]) -> list[UpdateMany]:
    """What records those that were sent and are still claimed as they were: half the work of a change for each.

    They match as many deliveries as were so.
    """
    alike: dict[tuple[str | None, bool, bool], list[Settlement]] = {}
    for each in sent:
        alike.setdefault((each.claim, bool(each.references), bool(each.segments)), []).append(each)
    return [
        UpdateMany(
            {"_id": {"$in": [each.id for each in those]}, "state": "claimed", "claim": claim},
            _outcome_stages(those, references=with_references, segments=with_segments),
        )
        for (claim, with_references, with_segments), those in alike.items()
    ]


def _outcome_values(outcome: Settlement) -> Document:
    """The fields that only take another value."""
    settled = outcome.state not in OPEN_STATES
    values: Document = {"state": outcome.state, "due_at": outcome.due_at, "claim": None, "open": not settled}
    if settled:
        values |= {"unpublished": True, "settled_at": outcome.at}
    if outcome.state == "failed":
        values["climb"] = True
    if outcome.into is not None or outcome.state == "queued":
        values["into"] = outcome.into
    if outcome.merged:
        values["merged"] = outcome.merged
    return values


def _outcome_change(outcome: Settlement) -> Document:
    change: Document = {"$set": _outcome_values(outcome)}
    if outcome.attempts:
        change["$push"] = {"attempts": {"$each": [attempt_document(each) for each in outcome.attempts]}}
    if outcome.references:
        change["$addToSet"] = {"references": {"$each": list(outcome.references)}}
    if outcome.segments:
        # `uncounted` is what the month's budget has not been told yet.
        change["$inc"] = {"segments": outcome.segments, "uncounted": outcome.segments}
    return change


def _outcome_stages(outcomes: Sequence[Settlement], *, references: bool, segments: bool) -> list[Document]:
    """The same for several deliveries at once: each takes its own from a list, by its id."""
    mine = [
        {
            "values": _outcome_values(each),
            "attempts": [attempt_document(one) for one in each.attempts],
            "references": list(each.references),
            "segments": each.segments,
        }
        for each in outcomes
    ]
    place = {"$indexOfArray": [{"$literal": [each.id for each in outcomes]}, "$_id"]}
    added: Document = {"attempts": {"$concatArrays": ["$attempts", "$$mine.attempts"]}}
    if references:
        added["references"] = {"$setUnion": [{"$ifNull": ["$references", []]}, "$$mine.references"]}
    if segments:
        added |= {
            name: {"$add": [{"$ifNull": [f"${name}", 0]}, "$$mine.segments"]} for name in ("segments", "uncounted")
        }
    return [
        {
            "$replaceWith": {
                "$let": {
                    # Literal: a provider's reference may begin with a dollar.
                    "vars": {"mine": {"$arrayElemAt": [{"$literal": mine}, place]}},
                    "in": {"$mergeObjects": ["$$ROOT", "$$mine.values", added]},
                }
            }
        }
    ]
