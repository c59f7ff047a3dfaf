"""What servers prove who they are with: whom we trust, and how an operator hears that one can't be trusted."""

from __future__ import annotations

import ssl
from functools import cache

import httpx

from reeve.runtime.telemetry import get_log
from services.notify.channels.base import Reason

_WHY = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself",
    19: "it comes from an authority that is not known here",
    20: "it comes from an authority that is not known here",
    21: "it comes from an authority that is not known here",
    62: "it is for another host name",
    64: "it is for another address",
}
"""OpenSSL's numbers, in words that name no host: a webhook's is the recipient's address."""

log = get_log(__name__)


@cache
def trusting() -> ssl.SSLContext:
    """One for all: each takes some 20 ms to load. SSL_CERT_FILE may name other authorities."""
    return httpx.create_ssl_context()


def distrusted(error: BaseException | None) -> str | None:
    """Why the server's certificate was not accepted, where that is behind the error; None: it is something else."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, ssl.SSLCertVerificationError):
            return _WHY.get(error.verify_code, "it can't be verified")
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


class Connecting:
    """Why there was no connection to one provider. What a person must mend is said once, until it is mended."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._said: str | None = None

    def failed(self, error: BaseException) -> Reason:
        """The reason, CERTIFICATE or UNREACHABLE; nothing was sent."""
        why = distrusted(error)
        if why is None:
            return Reason.UNREACHABLE
        self.not_trusted(why)
        return Reason.CERTIFICATE

    def not_trusted(self, why: str) -> None:
        """The server can't prove who it is."""
        if why != self._said:
            self._said = why
            log.error(
                "A provider's certificate can't be trusted; nothing is sent to it.",
                action="provider_not_trusted",
                provider=self._provider,
                fault=why,
            )

    def worked(self) -> None:
        """It is connected."""
        self._said = None
