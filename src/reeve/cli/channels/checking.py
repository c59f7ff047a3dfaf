"""The providers that the files describe, and what is wrong with the files, printed; no service is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reeve.cli.channels.fault_texts import fault_text
from reeve.cli.channels.texts import say
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.sending_settings import sending_settings
from reeve.cli.targets import find_targets
from reeve.runtime.providers.faults import Fault, ProvidersRefused
from reeve.runtime.providers.fields import for_posts
from reeve.runtime.providers.load import DEFAULT_FOLDER, Configured
from services.notify.channels.configured import check_configured
from services.notify.channels.opening import open_providers
from services.notify.settings import NotifySettings


def list_providers(channels: Path | None, as_json: bool, lang: str) -> None:
    """Prints those whose files can be read, and how many can't; people are told that notify may run others."""
    found, faults = check_configured(settings_of(channels), secrets="none")
    for each in found:
        row = _row(each)
        if as_json:
            print_json(row)
        else:
            _show(row, lang)
    if not found and not faults:
        errors().print(say("none", lang, folder=channels or DEFAULT_FOLDER))
    if faults:
        errors().print(say("some_bad", lang, count=len({fault.source for fault in faults})), style="yellow")
    if found and not as_json:
        errors().print(say("from_files", lang), style="dim")


def check_files(folder: Path | None, as_json: bool, lang: str) -> bool:
    """Whether a file has a fault; each is printed, and what only deserves a warning."""
    settings = settings_of(folder)
    found, faults = check_configured(settings)
    faults += _unopened(found)
    for fault in faults:
        if as_json:
            print_json({**_where(fault), "severity": "error", "says": fault.sentence})
        else:
            print_line((fault_text(fault, lang), "red"))
    for each, warning in _warnings(found, settings, "en" if as_json else lang):
        if as_json:
            print_json({"file": each.source, "line": None, "place": "", "severity": "warning", "says": warning})
        else:
            print_line((f"{each.source}: {warning}", "yellow"))
    if faults:
        if not as_json:
            print_line(say("one_fault" if len(faults) == 1 else "faults", lang, count=len(faults)))
        return True
    if as_json:
        return False
    if not found:
        errors().print(say("none", lang, folder=folder or DEFAULT_FOLDER))
        return False
    print_line((say("one_good" if len(found) == 1 else "good", lang, count=len(found)), "green"))
    return False


def settings_of(folder: Path | None) -> NotifySettings:
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
        (f"{row['channel']:8}", "cyan"),
        (f"{row['name']:16}", "bold"),
        f"{row['kind']:8} {say('comma', lang).join(parts)}",
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
