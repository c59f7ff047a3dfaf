"""What of notify keeps people from being flooded, wired."""

from __future__ import annotations

from reeve.ports import TimeSource
from reeve.runtime.own_events import OwnEvents
from reeve.runtime.store import budgets, flood_slots, silences
from reeve.runtime.store.budgets import BudgetStore
from reeve.runtime.store.flood_slots import SlotStore
from reeve.runtime.store.mongo import Database
from reeve.runtime.store.notifications import NotificationStore
from reeve.runtime.store.silences import SilenceStore
from reeve.runtime.store.suppressed import SuppressedStore
from reeve.runtime.store.waiting_deliveries import WaitingDeliveries
from services.notify.case_reader import BundleSource, CaseReader
from services.notify.flood.keeper import FloodKeeper
from services.notify.flood.one_a_day import OneADay
from services.notify.flood.tempering import Tempering
from services.notify.hand import Hand

COLLECTIONS = (flood_slots, silences, budgets)
"""Store modules whose indexes it needs."""


def build_tempering(database: Database) -> Tempering:
    """For the planner."""
    return Tempering(SlotStore(database), SilenceStore(database), BudgetStore(database), SuppressedStore(database))


def build_one_a_day(database: Database, bundles: BundleSource, hand: Hand) -> OneADay:
    """For the dispatcher."""
    return OneADay(SlotStore(database), WaitingDeliveries(database), bundles, hand)


def build_keeper(
    database: Database, cases: CaseReader, bundles: BundleSource, events: OwnEvents, time_source: TimeSource
) -> FloodKeeper:
    """To be run beside it."""
    return FloodKeeper(
        BudgetStore(database),
        SilenceStore(database),
        SuppressedStore(database),
        NotificationStore(database),
        cases,
        bundles,
        events,
        time_source,
    )
