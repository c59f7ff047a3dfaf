"""One real message through one provider, and what became of it."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer

from reeve.cli.channels.checking import settings_of
from reeve.cli.channels.fault_texts import fault_text
from reeve.cli.channels.texts import HINTS, RESULTS, say
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.output import errors, print_json, print_line
from reeve.rulelang.message_context import FIXED
from reeve.runtime.providers.faults import Fault
from reeve.runtime.providers.load import Configured
from reeve.runtime.time_source import SystemTime
from services.notify.channels.base import Outcome, Result, Text
from services.notify.channels.configured import check_configured
from services.notify.channels.opening import open_providers
from services.notify.settings import NotifySettings

_ANYTHING = re.compile(r".+")
_ADDRESSES = {
    "sms": (re.compile(r"\+?[0-9][0-9 ()-]{4,20}"), "+8613800138000"),
    "email": (re.compile(r"[^@\s]+@[^@\s]+"), "me@example.org"),
    "webhook": (re.compile(r"https?://\S+"), "https://erp.example.org/reeve"),
}
"""What an address of a channel looks like, and one."""


def try_provider(
    provider: str,
    to: str,
    text: str,
    message: str,
    language: str,
    channels: Path | None,
    as_json: bool,
    lang: str,
) -> None:
    """Prints what became of the message. Ends the command where it can't be sent so, or was not taken."""
    settings = settings_of(channels)
    found, faults = check_configured(settings)
    chosen = next((each for each in found if each.name == provider), None)
    if chosen is None:
        errors().print(_unknown(provider, found, faults, lang))
        raise typer.Exit(BAD if faults else USAGE)
    pattern, like = _ADDRESSES.get(chosen.channel, (_ANYTHING, ""))
    if not pattern.fullmatch(to):
        errors().print(say("bad_to", lang, provider=provider, like=like))
        raise typer.Exit(USAGE)
    started = time.monotonic()
    outcome = asyncio.run(_send(chosen, settings, to, text, message, language))
    seconds = time.monotonic() - started
    if as_json:
        print_json(_said(outcome, chosen, seconds))
    else:
        _tell(outcome, seconds, lang)
    if outcome.result is not Result.SENT:
        raise typer.Exit(BAD)


def _unknown(name: str, found: Sequence[Configured], faults: Sequence[Fault], lang: str) -> str:
    close = get_close_matches(name, [each.name for each in found], 1)
    hint = say("mean" if close else "stop", lang, best="".join(close))
    known = ", ".join(each.name for each in found) or say("nothing", lang)
    told = [say("no_such", lang, name=name, hint=hint, known=known), *(fault_text(fault, lang) for fault in faults)]
    return "\n".join(told)


async def _send(
    configured: Configured, settings: NotifySettings, to: str, text: str, message: str, language: str
) -> Outcome:
    [opened] = open_providers([configured], settings.public_url)
    values = dict.fromkeys(FIXED, "test") | {"case": "TEST-1", "site": "test"}
    key = f"test/{uuid.uuid4().hex}"
    now = SystemTime().now()
    try:
        return await opened.send(
            Text(key, to, " ".join(text.split())[:60], text, now, message=message, language=language, values=values)
        )
    finally:
        await opened.close()


def _said(outcome: Outcome, configured: Configured, seconds: float) -> dict[str, Any]:
    return {
        "provider": configured.name,
        "channel": configured.channel,
        "result": outcome.result.value,
        "reason": outcome.reason.value,
        "reference": outcome.reference,
        "retry_after_seconds": outcome.retry_after.total_seconds() if outcome.retry_after else None,
        "seconds": round(seconds, 3),
    }


def _tell(outcome: Outcome, seconds: float, lang: str) -> None:
    result = RESULTS[outcome.result][lang == "zh"]
    style = "green" if outcome.result is Result.SENT else "red"
    took = say("took", lang, provider=outcome.provider, result=result, reason=outcome.reason.value, seconds=seconds)
    print_line((took, style))
    if outcome.reference:
        print_line(say("id", lang, reference=outcome.reference))
    if outcome.retry_after:
        print_line(say("wait", lang, seconds=outcome.retry_after.total_seconds()))
    if outcome.result is not Result.SENT and outcome.reason in HINTS:
        print_line(say("next", lang, hint=HINTS[outcome.reason][lang == "zh"]))
