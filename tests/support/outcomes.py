"""Outcomes of sends, for comparisons; and provider files that a test knows to be HTTP."""

from __future__ import annotations

from dataclasses import replace

from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.load import Configured
from services.notify.channels.base import Outcome


def plain(outcome: Outcome) -> Outcome:
    """The outcome without who was tried and when that one wants to be asked again."""
    return replace(outcome, provider="", retry_after=None)


def http_file(configured: Configured) -> HttpFile:
    """The file, which describes an HTTP provider."""
    assert isinstance(configured.file, HttpFile)
    return configured.file
