"""`reeve channels`: which providers there are, what is wrong with their files, and one real message to try one."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from reeve.cli.channels.fault_texts import fault_text
from reeve.cli.channels.texts import HINTS, RESULTS, say
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import AsJson, Lang
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.sending_settings import sending_settings
from reeve.cli.speaking import spoken_language
from reeve.cli.targets import find_targets
from reeve.rulelang.message_context import FIXED
from reeve.runtime.providers.faults import Fault, ProvidersRefused
from reeve.runtime.providers.fields import for_posts
from reeve.runtime.providers.load import DEFAULT_FOLDER, Configured
from reeve.runtime.time_source import SystemTime
from services.notify.channels.base import Outcome, Result, Text
from services.notify.channels.configured import check_configured
from services.notify.channels.opening import open_providers
from services.notify.settings import NotifySettings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The providers that messages go out through: list them, check their files, try one.",
)

Folder = Annotated[
    Path | None,
    typer.Option("--channels", metavar="FOLDER", help="This folder.", show_default="REEVE_CHANNELS, or channels"),
]

_ANYTHING = re.compile(r".+")
_ADDRESSES = {
    "sms": (re.compile(r"\+?[0-9][0-9 ()-]{4,20}"), "+8613800138000"),
    "email": (re.compile(r"[^@\s]+@[^@\s]+"), "me@example.org"),
    "webhook": (re.compile(r"https?://\S+"), "https://erp.example.org/reeve"),
}
"""What an address of a channel looks like, and one."""


@app.command("list")
def list_providers(channels: Folder = None, as_json: AsJson = False, lang: Lang = None) -> None:
    """Lists the providers by channel and order: shares, limits, what they post back. Never a secret.

    Examples:

    reeve channels list

    reeve channels list --channels examples/channels --json
    """
    spoken = spoken_language(lang)
    found, faults = check_configured(_settings(channels), secrets="none")
    for each in found:
        row = _row(each)
        if as_json:
            print_json(row)
        else:
            _show(row, spoken)
    if not found and not faults:
        errors().print(say("none", spoken, folder=channels or DEFAULT_FOLDER))
    if faults:
        errors().print(say("some_bad", spoken, count=len({fault.source for fault in faults})), style="yellow")


@app.command("check")
def check_files(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]", help="The folder of providers.", show_default="REEVE_CHANNELS, or channels"
        ),
    ] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Checks every provider's file as notify does when it starts: all faults at once, each at its line with its
    mend, and whether the environment has what the files need. Exit code 1 if there is a fault. Nothing is sent.

    Examples:

    reeve channels check

    reeve channels check examples/channels --json
    """
    spoken = spoken_language(lang)
    settings = _settings(folder)
    found, faults = check_configured(settings)
    faults += _unopened(found)
    for fault in faults:
        if as_json:
            print_json({**_where(fault), "severity": "error", "says": fault.sentence})
        else:
            print_line((fault_text(fault, spoken), "red"))
    for each, warning in _warnings(found, settings, "en" if as_json else spoken):
        if as_json:
            print_json({"file": each.source, "line": None, "place": "", "severity": "warning", "says": warning})
        else:
            print_line((f"{each.source}: {warning}", "yellow"))
    if faults:
        if not as_json:
            print_line(say("one_fault" if len(faults) == 1 else "faults", spoken, count=len(faults)))
        raise typer.Exit(BAD)
    if as_json:
        return
    if not found:
        errors().print(say("none", spoken, folder=folder or DEFAULT_FOLDER))
        return
    print_line((say("one_good" if len(found) == 1 else "good", spoken, count=len(found)), "green"))


@app.command("test")
def try_provider(
    provider: Annotated[str, typer.Argument(help="Its name, from `reeve channels list`.")],
    to: Annotated[str, typer.Option("--to", help="The address: a number (+86…), a mail address, a chat, a URL.")],
    text: Annotated[str, typer.Option("--text", help="What it says.")] = "Reeve: test / 测试",
    message: Annotated[
        str,
        typer.Option("--message", help="The message whose template is used, where the provider has any."),
    ] = "test",
    language: Annotated[str, typer.Option("--language", help="Language of that template.")] = "",
    channels: Folder = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Sends one real message through one provider and says what became of it: how the provider took it, why not,
    and its id of the message. Exit code 1 if it was not taken.

    Examples:

    reeve channels test aliyun --to +8613800138000 --message complaint_reported

    reeve channels test mail --to me@example.org --text "Is this on?"
    """
    spoken = spoken_language(lang)
    settings = _settings(channels)
    found, faults = check_configured(settings)
    chosen = next((each for each in found if each.name == provider), None)
    if chosen is None:
        errors().print(_unknown(provider, found, faults, spoken))
        raise typer.Exit(BAD if faults else USAGE)
    pattern, like = _ADDRESSES.get(chosen.channel, (_ANYTHING, ""))
    if not pattern.fullmatch(to):
        errors().print(say("bad_to", spoken, provider=provider, like=like))
        raise typer.Exit(USAGE)
    started = time.monotonic()
    outcome = asyncio.run(_send(chosen, settings, to, text, message, language))
    seconds = time.monotonic() - started
    if as_json:
        print_json(_said(outcome, chosen, seconds))
    else:
        _tell(outcome, seconds, spoken)
    if outcome.result is not Result.SENT:
        raise typer.Exit(BAD)


def _settings(folder: Path | None) -> NotifySettings:
    """From the environment, or the running `reeve up`; a folder that is named stands alone."""
    if folder is not None:
        return NotifySettings.load(channels=folder).model_copy(update={"smtp_host": None, "sms_gateway": None})
    return sending_settings(find_targets())


def _row(configured: Configured) -> dict[str, Any]:
    file = configured.file
    return {
        "channel": file.channel,
        "name": file.name,
        "kind": file.kind,
        "order": file.order,
        "share": file.share,
        "per_second": file.per_second or None,
        "burst": file.burst,
        "connections": file.connections,
        "timeout_seconds": file.timeout.total_seconds(),
        "unknown": file.unknown,
        "price_per_segment": str(file.price_per_segment) if file.price_per_segment is not None else None,
        "receipts": file.receipts is not None,
        "inbound": file.inbound is not None,
        "unset": list(configured.missing),
        "source": configured.source,
    }


def _show(row: dict[str, Any], lang: str) -> None:
    limit = say("per_second", lang, rate=f"{row['per_second']:g}") if row["per_second"] else say("unlimited", lang)
    parts = [say("order", lang, order=row["order"], share=f"{row['share']:g}"), limit]
    parts += [say("burst", lang, burst=row["burst"])] if row["burst"] else []
    parts.append(say("connections", lang, count=row["connections"]))
    parts += [say(word, lang) for key, word in (("receipts", "receipts"), ("inbound", "answers")) if row[key]]
    print_line(
        (f"{row['channel']:8}", "cyan"), (f"{row['name']:16}", "bold"), f"{row['kind']:8} {', '.join(parts)}"
    )
    if row["unset"]:
        print_line(" " * 8, (say("unset", lang, names=", ".join(row["unset"])), "yellow"))
    print_line(" " * 8, (row["source"], "dim"))


def _unopened(found: Sequence[Configured]) -> list[Fault]:
    """What only shows when a provider is opened: a service that Apprise does not know, a key that can't sign."""
    faults: list[Fault] = []

    async def open_one(each: Configured) -> None:
        try:
            [opened] = open_providers([each])
        except ProvidersRefused as refused:
            faults.extend(
                Fault(each.source, _line(each.source, fault.place), fault.place, fault.sentence)
                for fault in refused.faults
            )
        else:
            await opened.close()

    async def open_all() -> None:
        for each in found:
            await open_one(each)

    asyncio.run(open_all())
    return faults


def _line(source: str, key: str) -> int | None:
    """Where a key of the outermost level stands."""
    try:
        lines = Path(source).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeError):
        return None  # a setting, and no file
    return next((number for number, line in enumerate(lines, 1) if line.startswith(f"{key}:")), None)


def _warnings(found: Sequence[Configured], settings: NotifySettings, lang: str) -> list[tuple[Configured, str]]:
    warnings: list[tuple[Configured, str]] = []
    for each in found:
        if each.missing:
            warnings.append((each, say("posts_off", lang, names=", ".join(each.missing), provider=each.name)))
        elif not settings.public_url and any(for_posts(text) for _, text in each.file.texts()):
            warnings.append((each, say("address", lang, provider=each.name)))
    return warnings


def _where(fault: Fault) -> dict[str, Any]:
    return {"file": fault.source, "line": fault.line, "place": fault.place}


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
