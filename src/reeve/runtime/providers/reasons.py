"""What is known after one attempt to send, and why: the words of provider files, metrics and the record."""

from __future__ import annotations

from enum import StrEnum


class Result(StrEnum):
    """What a channel knows after one attempt."""

    SENT = "sent"
    """The provider has taken it."""
    TRANSIENT = "transient"
    """It was not taken; the same later may be."""
    PERMANENT = "permanent"
    """It was not taken and never will be on this address."""
    UNKNOWN = "unknown"
    """It may have been taken: the answer did not come."""


class Reason(StrEnum):
    """Why; also the label of the metric, so the list is fixed."""

    ACCEPTED = "accepted"
    BAD_ADDRESS = "bad_address"
    """The provider does not know the address, or it can't be one."""
    NO_ADDRESS = "no_address"
    """The recipient is gone or has no address on this channel any more."""
    REFUSED = "refused"
    """The provider refuses this message for good."""
    BUSY = "busy"
    """The provider asks to come back later: greylisting, too many, overloaded."""
    PROVIDER_ERROR = "provider_error"
    """The provider reports a fault of its own."""
    CREDENTIALS = "credentials"
    """The provider does not accept our user name or key: a person must act."""
    CERTIFICATE = "certificate"
    """The server can't prove that it is the provider's: nothing was sent, a person must act."""
    UNREACHABLE = "unreachable"
    """No connection to the provider."""
    TIMEOUT = "timeout"
    """The provider did not answer in time."""
    DISCONNECTED = "disconnected"
    """The connection broke before the answer."""
    INTERRUPTED = "interrupted"
    """This service died, or lost its lease, with the delivery in hand."""
    ACKNOWLEDGED = "acknowledged"
    """Not sent: a person has taken the case."""
    CASE_CLOSED = "case_closed"
    """Not sent: the case is closed."""
    NO_TEMPLATE = "no_template"
    """The provider sends approved templates only, and the gateway's file names none for this message."""
    NOBODY = "nobody"
    """Not sent: no recipient can be reached for the role."""
    NO_RECEIPT = "no_receipt"
    """Nobody knows whether it arrived, and no receipt came in time."""
    NOT_DELIVERED = "not_delivered"
    """A receipt says that it did not arrive."""
    SILENCED = "silenced"
    """Not sent: a silence hides it."""
    MERGED = "merged"
    """What it says went out with another message to the same person."""
    OVER_BUDGET = "over_budget"
    """Not sent on this channel: the site's budget for the month is spent, and the grade is a mild one."""
