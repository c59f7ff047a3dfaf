"""Signatures of webhooks as the Standard Webhooks specification has them: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

_PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """The key: base64 after `whsec_`, or the secret's own bytes. Raises ValueError for `whsec_` without base64."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("what follows whsec_ is no base64") from None


def webhook_headers(key: bytes, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers by which a receiver knows the sender, and a repeat by its id. `at` is now, aware.

    Receivers refuse what is more than minutes old, so a repeat is signed anew.
    """
    timestamp = str(int(at.timestamp()))
    signed = b".".join((id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}
