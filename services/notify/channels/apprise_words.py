"""What Apprise says while it sends: kept from every log, and read for the status that it does not hand back.

Its sentences hold addresses with keys in them, and texts. They are heard by who sends, and forgotten.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from services.notify.channels.base import Outcome, Reason, Result

_TALKATIVE = ("requests", "urllib3", "requests_oauthlib", "oauthlib", "MARKDOWN", "markdown")
_STATUS = re.compile(r"error=(\d{3})\b")
_NEVER_SENT = ("NewConnectionError", "ConnectTimeoutError", "ConnectTimeout", "NameResolutionError", "SSLError")
_heard: ContextVar[list[str] | None] = ContextVar("heard", default=None)
"""Of a context and not a thread: Apprise has threads of its own, and takes the caller's context there."""


class _Ear(logging.Handler):
    """Keeps what is said while somebody listens; everything else is dropped."""

    def emit(self, record: logging.LogRecord) -> None:
        words = _heard.get()
        if words is not None and len(words) < 200:
            try:
                words.append(record.getMessage()[:2000])
            except (TypeError, ValueError):
                words.append("")  # its format does not fit its arguments


def hush() -> None:
    """From now on nothing Apprise or its HTTP library says reaches a log. Saying so twice changes nothing."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.handlers = [each for each in logger.handlers if isinstance(each, _Ear)] or [_Ear()]
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def listening() -> Iterator[list[str]]:
    """What is said inside."""
    words: list[str] = []
    token = _heard.set(words)
    try:
        yield words
    finally:
        _heard.reset(token)


def outcome_of(sent: bool, words: list[str], *, addressed: bool) -> Outcome:
    """What an attempt came to. `addressed`: the recipient's own address was part of where it went."""
    if sent:
        return Outcome(Result.SENT, Reason.ACCEPTED)
    said = "\n".join(words)
    found = _STATUS.findall(said)
    if found:
        return _of_status(int(found[-1]), addressed)
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return Outcome(Result.TRANSIENT, Reason.CERTIFICATE)
    if any(each in said for each in _NEVER_SENT):
        return Outcome(Result.TRANSIENT, Reason.UNREACHABLE)
    if "Read timed out" in said:
        return Outcome(Result.UNKNOWN, Reason.TIMEOUT)
    if "Socket Exception" in said:
        return Outcome(Result.UNKNOWN, Reason.DISCONNECTED)
    return Outcome(Result.TRANSIENT, Reason.PROVIDER_ERROR)


def _of_status(status: int, addressed: bool) -> Outcome:
    if status in (401, 403):
        return Outcome(Result.TRANSIENT, Reason.CREDENTIALS)
    if status in (408, 425, 429, 503):
        return Outcome(Result.TRANSIENT, Reason.BUSY)
    if status in (404, 410) and addressed:
        return Outcome(Result.PERMANENT, Reason.BAD_ADDRESS)
    if 300 <= status < 500:
        return Outcome(Result.PERMANENT, Reason.REFUSED)
    return Outcome(Result.TRANSIENT, Reason.PROVIDER_ERROR)
