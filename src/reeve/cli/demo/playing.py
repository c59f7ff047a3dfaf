"""The morning played against a running Reeve: events posted scene by scene, what comes of them shown, live."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from nats.aio.msg import Msg

from reeve.cli.demo.stack import own_stack
from reeve.cli.demo.story import SITE, ZONE, Morning, Post, Scene
from reeve.cli.demo.texts import WORDS
from reeve.cli.demo.view import DemoView
from reeve.cli.following import follow
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.speaking import say
from reeve.cli.targets import Targets, find_targets, open_bus
from reeve.domain.errors import ReeveError
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.time_source import SystemTime

_SCENE_SECONDS = 180.0
"""The longest wait for a scene's outcome: the forgotten household's minute, and what a busy machine adds to it."""
_PUT_OFF_SECONDS = 60.0
"""So long an event is posted again where intake says to come back later."""
_SETTLE_SECONDS = 4.0
_AFTER_SCENE_SECONDS = 1.5
"""For the emails and SMS of a scene, so that they are shown within it."""
_POLL_SECONDS = 0.4


class DemoError(ReeveError):
    """The demo can't go on; the sentence says why."""


async def play(recipients: Path, rules: Path, pace: float, real: bool, as_json: bool, lang: str) -> bool:
    """Plays the morning; whether something expected did not happen."""
    targets = find_targets()
    if not await _answers(targets):
        if "REEVE_URL" in os.environ:
            raise DemoError(say(WORDS, "no_answer", lang, url=targets.intake_url))
        errors().print(say(WORDS, "starting", lang), style="dim")
        async with own_stack(rules) as own:
            return await _morning(own, recipients, pace, as_json, lang, own=True)
    if targets.sink_url is None and not real:
        raise DemoError(say(WORDS, "real", lang))
    return await _morning(targets, recipients, pace, as_json, lang)


async def _answers(targets: Targets) -> bool:
    try:
        async with httpx.AsyncClient(timeout=3) as client:
            return (await client.get(f"{targets.intake_url}/healthz")).status_code == 200
    except httpx.TransportError:
        return False


async def _morning(
    targets: Targets, recipients: Path, pace: float, as_json: bool, lang: str, *, own: bool = False
) -> bool:
    time = SystemTime()
    await _import(targets, recipients, as_json, lang)
    headers = {"Content-Type": "application/cloudevents+json"}
    if targets.api_key:
        headers["Authorization"] = f"Bearer {targets.api_key}"
    morning = Morning(secrets.token_hex(2), time.now(), "en" if as_json else lang)
    view = DemoView(morning.run, as_json, lang)
    missing: list[str] = []
    async with (
        open_bus(targets, "demo") as bus,
        _listening(bus, view),
        _sink(targets.sink_url, view),
        httpx.AsyncClient(base_url=targets.intake_url, headers=headers, timeout=60) as client,
    ):
        for number, scene in enumerate(morning.scenes(), 1):
            view.scene(number, scene.title, scene.watch, scene.late)
            for post in scene.posts:
                await asyncio.sleep(post.pause * pace)
                await _post(client, post, view, time.now())
            missing += await _outcome(scene, view)
            await asyncio.sleep(_AFTER_SCENE_SECONDS * pace)
        await asyncio.sleep(_SETTLE_SECONDS)
        view.summary(missing, _next_commands(targets, morning, lang, own=own))
    return bool(missing)


def _next_commands(targets: Targets, morning: Morning, lang: str, *, own: bool) -> list[tuple[str, str]]:
    """What to try after the demo; of a Reeve of its own nothing is left by then."""
    reeve = "reeve" if shutil.which("reeve") else ".venv/bin/reeve"
    if own:
        return [(f"{reeve} up", say(WORDS, "again_longer", lang))]
    commands = [
        (f"{reeve} cases show {morning.unanswered}", say(WORDS, "why_steps", lang)),
        (f"{reeve} cases list --overdue", say(WORDS, "late_now", lang)),
        (f"{reeve} tail", say(WORDS, "follow", lang)),
        (say(WORDS, "edit", lang), say(WORDS, "edited", lang)),
    ]
    return commands + ([(targets.sink_url, say(WORDS, "whole", lang))] if targets.sink_url else [])


async def _import(targets: Targets, recipients: Path, as_json: bool, lang: str) -> None:
    """The people of the example stand in the record, by the very command that an operator uses."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.cli.main", "recipients", "import", str(recipients), "--lang", lang),
        env={**os.environ, "REEVE_MONGO_URL": targets.mongo_url, "REEVE_MONGO_DATABASE": targets.database},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode(errors="replace").strip()
    if process.returncode:
        raise DemoError(say(WORDS, "not_imported", lang, said=said))
    if as_json:
        print_json({"kind": "recipients", "file": str(recipients)})
    else:
        print_line((say(WORDS, "people", lang), "bold"), said.splitlines()[-1] if said else str(recipients))


async def _post(client: httpx.AsyncClient, post: Post, view: DemoView, now: datetime) -> None:
    event = {"time": now.astimezone(ZONE).isoformat(timespec="milliseconds"), **post.event}
    answer = await _offered(client, json.dumps(event).encode())
    if answer.status_code != 202:
        hint = view.say("set_key") if answer.status_code in (401, 403) else ""
        raise DemoError(view.say("refused", status=answer.status_code, type=event["type"]) + hint)
    view.posted(event, post.said)


async def _offered(client: httpx.AsyncClient, body: bytes) -> httpx.Response:
    """The last answer: it is offered again while the site is told to come back later, as every site does."""
    end = asyncio.get_running_loop().time() + _PUT_OFF_SECONDS
    while True:
        answer = await client.post("/v1/events", content=body)
        if answer.status_code not in (429, 503) or asyncio.get_running_loop().time() >= end:
            return answer
        await asyncio.sleep(_POLL_SECONDS)


async def _outcome(scene: Scene, view: DemoView) -> list[str]:
    """Waits until the scene has played out; what did not happen in time."""
    try:
        async with asyncio.timeout(_SCENE_SECONDS):
            while not view.seen.issuperset(scene.awaited):  # noqa: ASYNC110 - messages come by callback
                await asyncio.sleep(0.05)
    except TimeoutError:
        return [" ".join(filter(None, each)) for each in scene.awaited if each not in view.seen]
    return []


@asynccontextmanager
async def _listening(bus: BusConnection, view: DemoView) -> AsyncIterator[None]:
    """Everything that this run causes on cases.> and notifications.> reaches the view inside."""
    time = SystemTime()

    async def take(message: Msg) -> None:
        view.take(json.loads(message.data), time.now())

    async def show_regularly() -> None:
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            view.flush()

    for stream, subject in (("CASES", f"cases.{SITE}.>"), ("NOTIFICATIONS", f"notifications.{SITE}.>")):
        await follow(bus, stream, subject, take)
    async with _background(show_regularly()):
        yield


@asynccontextmanager
async def _sink(url: str | None, view: DemoView) -> AsyncIterator[None]:
    """Every email and SMS that comes to the local sinks from now on reaches the view inside."""
    if url is None:
        yield
        return
    async with httpx.AsyncClient(base_url=url, timeout=5) as client:
        known = _newest(await _messages(client))

        async def watch() -> None:
            last = known
            while True:
                for message in await _messages(client):
                    if message["number"] > last:
                        view.message(message)
                        last = message["number"]
                await asyncio.sleep(_POLL_SECONDS)

        async with _background(watch()):
            yield


async def _messages(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    try:
        messages: list[dict[str, Any]] = (await client.get("/messages")).json()
    except httpx.TransportError:
        return []  # the sinks are being started again; what they had is gone
    return messages


def _newest(messages: list[dict[str, Any]]) -> int:
    return max((int(message["number"]) for message in messages), default=0)


@asynccontextmanager
async def _background(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
