"""Everything on one machine: servers, sinks and services, started in order and drained in reverse."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from reeve.devstack.addresses import StackAddresses, forget_addresses, save_addresses
from reeve.devstack.errors import PortTaken
from reeve.devstack.folder_lock import folder_lock
from reeve.devstack.launching import free_port, port_is_free
from reeve.devstack.local_server import HOST, LocalServer
from reeve.devstack.log_lines import COLOURS, ChildOutput, show
from reeve.devstack.mongo_server import MongoServer
from reeve.devstack.nats_server import NatsServer
from reeve.devstack.processes import ProcessSpec, SupervisedProcess, service_spec
from reeve.devstack.servers import ServerUrls, check_mongo, check_nats, start_together
from reeve.devstack.settings import StackSettings
from reeve.runtime.providers.load import check_providers

RulesHook = Callable[[Path, ServerUrls], AbstractAsyncContextManager[str]]
"""Loads a rules folder into the record and watches it.

Entered once the servers are ready and before the services start; yields one sentence about what was loaded,
or why nothing could be; watches until it is left.
"""

USUAL_PORTS = {"nats": 4222, "mongo": 27017, "escalation": 8401, "notify": 8402, "sinks": 8403, "smtp": 8404}
"""Taken if free, so that addresses stay the same from run to run."""
_RESTART_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack."""

    addresses: StackAddresses
    services: dict[str, SupervisedProcess]
    """By name: intake, escalation, notify."""
    servers: Sequence[LocalServer]
    """The servers that we started ourselves."""
    rules: str
    """One sentence about the rules that were loaded."""
    _keepers: Sequence[asyncio.Task[None]]

    async def wait_failed(self) -> None:
        """Never returns; raises StackError when a part can't be kept running."""
        done, _ = await asyncio.wait(self._keepers, return_when=asyncio.FIRST_COMPLETED)
        for keeper in done:
            keeper.result()


@asynccontextmanager
async def local_stack(
    settings: StackSettings,
    console: Console,
    rules_hook: RulesHook | None = None,
    service: Callable[[str, int], ProcessSpec] = service_spec,
) -> AsyncIterator[Stack]:
    """Everything runs and is ready inside. On leaving, services drain first, then the servers stop.

    Data stays in `settings.data`. `service` says what to run for a service's name and port. Raises
    StackError (permanent) when something can't start; what had started is stopped by then.
    """
    data = settings.data.resolve()
    async with AsyncExitStack() as stack:
        stack.enter_context(folder_lock(data))
        forget_addresses(data)  # a killed stack leaves its own behind
        if not port_is_free(settings.intake_port):
            raise PortTaken("intake", settings.intake_port, "REEVE_INTAKE_PORT")
        outputs = _Outputs(data / "logs", console)
        started, urls = await _start_servers(stack, settings, data, console)
        keepers = [asyncio.create_task(_keep_running(server, console)) for server in started]
        stack.push_async_callback(_cancel, keepers)
        sinks, provider_settings = _plan_sinks(settings, outputs)
        if sinks is not None:
            show(console, "Starting the sinks for email and SMS…")
            await _start_processes(stack, [sinks])
        rules = "No rules folder is watched."
        if rules_hook is not None:
            show(console, f"Loading the rules of {settings.rules}; new ones are checked and tried first…")
            rules = await stack.enter_async_context(rules_hook(settings.rules.resolve(), urls))
            # At once: with rules that can't be activated the services wait, and this says for what.
            show(console, rules)
        ports, environment = _plan_services(settings, urls, provider_settings)
        services = {
            name: SupervisedProcess(service(name, port), environment, outputs.named(name))
            for name, port in ports.items()
        }
        show(console, f"Starting {', '.join(services)}…")
        await _start_processes(stack, list(services.values()))
        keepers += [asyncio.create_task(service.wait_failed()) for service in services.values()]
        addresses = StackAddresses(
            pid=os.getpid(),
            intake_url=f"http://{HOST}:{services['intake'].spec.port}",
            escalation_url=f"http://{HOST}:{services['escalation'].spec.port}",
            notify_url=f"http://{HOST}:{services['notify'].spec.port}",
            nats_url=urls.nats_url,
            mongo_url=urls.mongo_url,
            sink_url=f"http://{HOST}:{sinks.spec.port}/" if sinks else None,
            providers=provider_settings,
        )
        save_addresses(data, addresses)
        stack.callback(forget_addresses, data)
        yield Stack(addresses, services, started, rules, keepers)


class _Outputs:
    """Hands out one log file and one colour per process."""

    def __init__(self, folder: Path, console: Console) -> None:
        self._folder = folder
        self._console = console
        self._count = 0

    def named(self, name: str) -> ChildOutput:
        colour = COLOURS[self._count % len(COLOURS)]
        self._count += 1
        return ChildOutput(name, self._folder / f"{name}.log", self._console, colour)


def _near(name: str, wanted: int | None) -> int:
    """The port that was asked for, else the usual one, else a free one."""
    if wanted is not None:
        return wanted
    return USUAL_PORTS[name] if port_is_free(USUAL_PORTS[name]) else free_port()


async def _start_servers(
    stack: AsyncExitStack, settings: StackSettings, data: Path, console: Console
) -> tuple[list[LocalServer], ServerUrls]:
    """Our own servers, and the addresses of all. Raises StackError."""
    own: list[LocalServer] = []
    nats_url, mongo_url = settings.external_nats_url, settings.external_mongo_url
    if nats_url is None:
        nats_server = NatsServer(data / "nats", port=_near("nats", settings.nats_port))
        nats_url = nats_server.url
        own.append(nats_server)
    else:
        await check_nats(nats_url)
    if mongo_url is None:
        mongo_server = MongoServer(data / "mongo", port=_near("mongo", settings.mongo_port))
        mongo_url = mongo_server.url
        own.append(mongo_server)
    else:
        await check_mongo(mongo_url)
    for server in own:
        show(console, f"Starting {server.label}…")
    await start_together(stack, own)
    return own, ServerUrls(nats_url, mongo_url)


async def _keep_running(server: LocalServer, console: Console) -> None:
    """Starts a server again whenever it ends. Raises StackError if it can't be started again."""
    while True:
        code = await server.wait()
        show(console, f"{server.label} ended with code {code}; starting it again.")
        await asyncio.sleep(_RESTART_SECONDS)
        await server.start()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _plan_sinks(settings: StackSettings, outputs: _Outputs) -> tuple[SupervisedProcess | None, dict[str, str]]:
    """The sinks' process if a provider is missing, and the settings that point notify at it."""
    # Faults of the files are told by notify, which does not start with them.
    found, _ = check_providers(settings.channels, secrets="none")
    named = {"email": settings.smtp_host, "sms": settings.sms_gateway}
    served = {each.channel for each in found} | {channel for channel, value in named.items() if value is not None}
    if {"email", "sms"} <= served:
        return None, {}
    http_port = _near("sinks", settings.sink_http_port)
    smtp_port = _near("smtp", settings.sink_smtp_port)
    command = [sys.executable, "-m", "reeve.devstack.sinks", "--http-port", str(http_port)]
    spec = ProcessSpec("sinks", [*command, "--smtp-port", str(smtp_port)], http_port, "REEVE_SINK_HTTP_PORT")
    provider_settings: dict[str, str] = {}
    if "email" not in served:
        provider_settings |= {"REEVE_SMTP_HOST": HOST, "REEVE_SMTP_PORT": str(smtp_port)}
    if "sms" not in served:
        provider_settings["REEVE_SMS_GATEWAY"] = f"http://{HOST}:{http_port}/sms/send"
    return SupervisedProcess(spec, {}, outputs.named("sinks")), provider_settings


def _plan_services(
    settings: StackSettings, urls: ServerUrls, provider_settings: dict[str, str]
) -> tuple[dict[str, int], dict[str, str]]:
    """Each service's port, in the order in which they drain (those upstream first), and their settings."""
    ports = {
        "intake": settings.intake_port,
        "escalation": _near("escalation", settings.escalation_port),
        "notify": _near("notify", settings.notify_port),
    }
    environment = {
        **_for_this_machine_only(settings),
        "REEVE_NATS_URL": urls.nats_url,
        "REEVE_MONGO_URL": urls.mongo_url,
        "REEVE_RULES": str(settings.rules.resolve()),
        "REEVE_NOTIFY_JOURNAL": os.environ.get("REEVE_NOTIFY_JOURNAL") or str(settings.data.resolve() / "notify"),
        "REEVE_LOG_FORMAT": os.environ.get("REEVE_LOG_FORMAT") or "console",
        **provider_settings,
    }
    return ports, environment


def _for_this_machine_only(settings: StackSettings) -> dict[str, str]:
    """Services listen on 127.0.0.1 and messages link to it, unless the environment says otherwise."""
    defaults = {f"REEVE_{name}_HOST": HOST for name in ("INTAKE", "ESCALATION", "NOTIFY")}
    defaults["REEVE_PUBLIC_URL"] = f"http://{HOST}:{settings.intake_port}"
    return {name: value for name, value in defaults.items() if not os.environ.get(name)}


async def _start_processes(stack: AsyncExitStack, processes: list[SupervisedProcess]) -> None:
    """All are ready; they stop in the order given when `stack` closes. Raises the first StackError."""
    for process in reversed(processes):
        stack.push_async_callback(process.stop)
    starts = [asyncio.create_task(process.start()) for process in processes]
    try:
        await asyncio.gather(*starts)
    except BaseException:
        await _cancel(starts)
        raise
