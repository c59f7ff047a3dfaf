"""The pools that the providers' files describe."""

from __future__ import annotations

from collections.abc import Sequence

from reeve.runtime.providers.file import ProviderFile
from reeve.runtime.providers.load import Configured
from services.notify.channels.base import Provider
from services.notify.pool.choice import ProviderPool
from services.notify.pool.terms import Terms


def terms_of(file: ProviderFile) -> Terms:
    """How the provider is used, by its file."""
    return Terms(
        file.name,
        order=file.order,
        share=file.share,
        per_second=file.per_second,
        burst=float(file.burst or 0),
        connections=file.connections,
        unknown=file.unknown,
        receipts=file.receipts is not None,
        receipt_within=file.receipt_within,
    )


def pools_of(configured: Sequence[Configured], providers: Sequence[Provider]) -> dict[str, ProviderPool]:
    """Channel → the pool of its providers; the two lists go in step."""
    members: dict[str, list[tuple[Provider, Terms]]] = {}
    for each, provider in zip(configured, providers, strict=True):
        members.setdefault(provider.channel, []).append((provider, terms_of(each.file)))
    return {channel: ProviderPool(those) for channel, those in members.items()}
