"""What tests of windows, budgets and silences share."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from datetime import datetime, timedelta

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.effects import Notification
from reeve.domain.flood.settings import Flood
from reeve.domain.recipients import Recipient, Target
from reeve.runtime.store.deliveries import Delivery
from services.notify.drafts import Draft
from tests.integration.notify.world import SITE, World


async def reeve(here: World, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command on this record."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.cli.main", *arguments),
        env={
            **os.environ,
            "REEVE_MONGO_URL": here.urls.mongo_url,
            "REEVE_NATS_URL": here.urls.nats_url,
            "REEVE_MONGO_DATABASE": here.database.name,
            "LC_ALL": "C.UTF-8",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


class Rules:
    """Rules in which the site has a budget."""

    def __init__(self, bundle: Bundle, budget: int) -> None:
        site = replace(bundle.site(SITE), flood=Flood(timedelta(minutes=10), None, True, budget))
        self._bundle = replace(bundle, sites={**bundle.sites, SITE: site})

    async def current(self) -> Bundle:
        """Always the same."""
        return self._bundle


def draft(case: Case, number: int, person: Recipient, channel: str, rank: int, now: datetime) -> Draft:
    """A delivery about to be made."""
    delivery = Delivery(
        id=f"n{number}#{person.id}#{channel}",
        notification=f"n{number}",
        case=case.key,
        recipient=person.id,
        place=SITE,
        channel=channel,
        message="nearly_late",
        role="property_manager",
        rung=0,
        step="nearly_late",
        level=0,
        round=1,
        run=1,
        ack_ends=True,
        reminds=True,
        at=now,
        requested_at=now,
        rank=rank,
        state="queued",
        due_at=now,
    )
    wanted = Notification(
        "nearly_late", 0, 1, 1, ("property_manager",), (channel,), "nearly_late", "ordinary", True
    )
    return Draft(delivery, wanted, case, Target(person, (channel,), "nearly_late", "property_manager"))
