"""Providers of SMS for a test: real HTTP servers that keep what they take, and files that describe them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from reeve.devstack.tiny_http import Request, Response, TinyHttpServer
from reeve.runtime.store.provider_posts import ProviderPostStore
from reeve.runtime.time_source import SystemTime
from tests.integration.notify.world import World

SILENCE = None
"""Instead of an answer: it took the message and hangs up, so that the sender can't know."""


@dataclass
class Company:
    """One provider."""

    name: str
    answers: list[Response | None] = field(default_factory=list)
    """Given first, one a request; afterwards it is in good health."""
    always: Response | None = None
    """Given to every request; None: in good health."""
    held: asyncio.Event | None = None
    """What came meanwhile is answered when it is set."""
    taken: list[dict[str, Any]] = field(default_factory=list)
    """Every request, also those that it did not accept."""
    came: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    async def handle(self, request: Request) -> Response | None:
        message = orjson.loads(request.body)
        message["reference"] = f"{self.name}-{len(self.taken) + 1}"
        self.taken.append(message)
        self.came.set()
        if self.held is not None:
            await self.held.wait()
        if self.answers:
            return self.answers.pop(0)
        return self.always or Response(200, orjson.dumps({"id": message["reference"]}))

    def file(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """What describes it."""
        return {
            "name": self.name,
            "channel": "sms",
            "kind": "http",
            "url": f"http://127.0.0.1:{self.port}/send",
            "json": {"to": "{{ to }}", "text": "{{ text }}", "id": "{{ id }}"},
            "message_id": {"json": "id"},
            "timeout": "2m",
            "secrets": {"hook": "REEVE_TEST_HOOK"},
            "webhooks": {"auth": {"kind": "token", "token": "{{ secrets.hook }}"}},
            "receipts": {
                "reference": "reference",
                "id": "id",
                "status": "status",
                "delivered": ["DELIVRD"],
                "failed": ["UNDELIV"],
            },
            **changes,
        }


@asynccontextmanager
async def companies(folder: Path, **files: Mapping[str, Any]) -> AsyncIterator[list[Company]]:
    """Providers of these names that listen, described in the folder; the values are keys of their files."""
    async with AsyncExitStack() as stack:
        made = []
        for name, changes in files.items():
            company = Company(name)
            server = TinyHttpServer(company.handle, "127.0.0.1", 0)
            await server.start()
            stack.push_async_callback(server.stop)
            company.port = server.port
            text = yaml.safe_dump(company.file(changes), allow_unicode=True)
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
            made.append(company)
        yield made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files are, with the secret they name."""
    monkeypatch.setitem(os.environ, "REEVE_TEST_HOOK", "a secret")
    channels = tmp_path / "channels"
    channels.mkdir()
    return channels


async def receipt(here: World, company: Company, **said: Any) -> str:
    """The provider has posted this, and intake has put it into the record; the post's id."""
    return await ProviderPostStore(here.database).add(
        provider=company.name,
        kind="receipts",
        method="POST",
        query="",
        content_type="application/json",
        body=orjson.dumps(said),
        now=SystemTime().now(),
    )
