"""How a provider is used, as its file says."""

from __future__ import annotations

from reeve.runtime.providers.file import ProviderFile
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
