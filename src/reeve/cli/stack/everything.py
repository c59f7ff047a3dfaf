"""Servers, services and watched rules on one machine, from their start to a drain after Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from reeve.cli.speaking import spoken_language
from reeve.devstack.log_lines import show
from reeve.devstack.rules_watch import watched_rules
from reeve.devstack.servers import ServerUrls
from reeve.devstack.settings import StackSettings
from reeve.devstack.stack import RulesHook, Stack, local_stack
from reeve.runtime.telemetry import configure_logging


def run_everything(**given: Any) -> None:
    """Returns when it was stopped and has drained. What is given as None is as the environment says."""
    console = Console(highlight=False)
    settings = StackSettings.load(**{name: value for name, value in given.items() if value is not None})
    configure_logging("up", format="console", level="warning")

    def rules_hook(folder: Path, urls: ServerUrls) -> AbstractAsyncContextManager[str]:
        return watched_rules(folder, urls, settings, console, spoken_language(None))

    asyncio.run(run_until_stopped(settings, console, rules_hook))


async def run_until_stopped(settings: StackSettings, console: Console, rules_hook: RulesHook | None = None) -> None:
    """Returns after SIGINT, SIGTERM or SIGHUP and a drain; a second signal ends at once.

    Raises StackError when the stack can't start or a part of it can't be kept running.
    """
    stopped = asyncio.Event()
    running = asyncio.create_task(_run(settings, console, rules_hook))

    def stop() -> None:
        if stopped.is_set():
            show(console, "Stopping at once.")
            running.cancel()
        stopped.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if stopped.is_set():
        show(console, "Stopping: the services finish what they have begun, then the servers stop.")
        running.cancel()
    stopping.cancel()
    try:
        await running
    except asyncio.CancelledError:
        show(console, "Stopped. Your data is kept; the next start goes on with it.")


async def _run(settings: StackSettings, console: Console, rules_hook: RulesHook | None) -> None:
    async with local_stack(settings, console, rules_hook) as stack:
        show(console, _what_to_try(stack))
        await stack.wait_failed()


def _what_to_try(stack: Stack) -> Text:
    """Where everything listens, and the next commands to try."""
    addresses = stack.addresses
    rows = [
        ("events by HTTP", f"{addresses.intake_url}/v1/events   (API: {addresses.intake_url}/docs)"),
        ("NATS", _without_password(addresses.nats_url)),
        ("MongoDB", _without_password(addresses.mongo_url)),
        ("metrics", " ".join(f"{url}/metrics" for url in _service_urls(stack))),
    ]
    if addresses.sink_url:
        rows.append(("email and SMS", f"{addresses.sink_url}   (shows what would have been sent)"))
    tries = [
        ("reeve demo", "a morning at a site, in under two minutes"),
        ("reeve send FILE", "posts events"),
        ("reeve cases list", "what became of them"),
        ("reeve tail", "follows the topics"),
    ]
    text = Text("\nReeve is up.\n\n", style="bold")
    for name, value in rows:
        text.append(f"  {name:<16}", style="not bold").append(f"{value}\n", style="not bold cyan")
    text.append("\nTry in another terminal:\n", style="not bold")
    for command, what in tries:
        text.append(f"  .venv/bin/{command:<18}", style="bold").append(f"{what}\n", style="not bold")
    text.append("\nCtrl-C drains and stops.\n", style="not bold")
    return text


def _service_urls(stack: Stack) -> list[str]:
    return [stack.addresses.intake_url, stack.addresses.escalation_url, stack.addresses.notify_url]


def _without_password(url: str) -> str:
    """The address as it may be shown: what stands before an @ in its authority is left out."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
