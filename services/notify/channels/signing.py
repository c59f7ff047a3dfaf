"""The signatures by which cloud providers know that a request is ours: headers in, headers out, nothing sent.

Both schemes hash the request in a canonical form, byte for byte; what is signed must be what is sent.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

_ALIYUN = "ACS3-HMAC-SHA256"
_TENCENT = "TC3-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signable:
    """What of a request is signed. Personal data and all: never logged."""

    method: str
    path: str
    """As sent, percent-encoded."""
    query: str
    """As sent, in the form of `canonical_query`; empty if there is none."""
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name, as sent; must have `host`."""
    body: bytes = field(repr=False)

    def __repr__(self) -> str:
        return f"Signable({self.method})"


def percent_encoded(text: str) -> str:
    """UTF-8 and RFC 3986: everything but letters, digits and `-_.~` is escaped; a space is %20."""
    return quote(text, safe="-_.~")


def canonical_query(fields: Iterable[tuple[str, str]]) -> str:
    """Names and values escaped and in the order of the names' escaped bytes, as ACS3 wants them."""
    return "&".join(
        f"{name}={value}" for name, value in sorted((percent_encoded(n), percent_encoded(v)) for n, v in fields)
    )


def aliyun_headers(
    request: Signable, *, action: str, version: str, key_id: str, key: str, at: datetime, nonce: str
) -> dict[str, str]:
    """The headers that the V3 signature of Alibaba Cloud adds (ACS3-HMAC-SHA256).

    `at` is aware and may be 15 minutes off theirs; `nonce` must never come back, not even with a repeat.
    """
    payload = hashlib.sha256(request.body).hexdigest()
    added = {
        "x-acs-action": action,
        "x-acs-content-sha256": payload,
        "x-acs-date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    every = {**request.headers, **added}
    signed = sorted(name for name in every if name in ("host", "content-type") or name.startswith("x-acs-"))
    canonical = "\n".join(
        [
            request.method,
            request.path,
            request.query,
            *(f"{name}:{every[name].strip()}" for name in signed),
            "",
            ";".join(signed),
            payload,
        ]
    )
    to_sign = f"{_ALIYUN}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = _hmac(key.encode(), to_sign).hex()
    return added | {
        "authorization": f"{_ALIYUN} Credential={key_id},SignedHeaders={';'.join(signed)},Signature={signature}"
    }


def tencent_headers(
    request: Signable,
    *,
    service: str,
    action: str,
    version: str,
    region: str,
    secret_id: str,
    secret_key: str,
    at: datetime,
) -> dict[str, str]:
    """The headers that the signature v3 of Tencent Cloud adds (TC3-HMAC-SHA256).

    `at` is aware and may be 5 minutes off theirs. The request must have a content-type, the one that is sent.
    """
    moment = at.astimezone(UTC)
    timestamp = str(int(moment.timestamp()))
    # The date of the key is that of the timestamp in UTC, whatever zone the caller lives in.
    day = moment.strftime("%Y-%m-%d")
    signed = {
        "content-type": request.headers["content-type"],
        "host": request.headers["host"],
        "x-tc-action": action,
    }
    names = ";".join(signed)
    canonical = "\n".join(
        [
            request.method,
            request.path,
            request.query,
            *(f"{name}:{value.strip().lower()}" for name, value in signed.items()),
            "",
            names,
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    scope = f"{day}/{service}/tc3_request"
    to_sign = "\n".join([_TENCENT, timestamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = _hmac(key, part)
    signature = _hmac(key, to_sign).hex()
    return {
        "x-tc-action": action,
        "x-tc-version": version,
        "x-tc-timestamp": timestamp,
        "x-tc-region": region,
        "authorization": f"{_TENCENT} Credential={secret_id}/{scope}, SignedHeaders={names}, Signature={signature}",
    }


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
