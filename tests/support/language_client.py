"""The editor's side of the Language Server Protocol, as far as a test needs it, over a real server's stdio."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ANSWER_WITHIN = 240
"""Seconds; a server that takes longer for one file is stuck."""

_SETTINGS = {
    "yaml": {
        "validate": True,
        "hover": True,
        "completion": True,
        "schemaStore": {"enable": False},
        "kubernetesCRDStore": {"enable": False},
    }
}


@dataclass(frozen=True)
class Underlined:
    """One thing that an editor underlines."""

    line: int
    """From 1."""
    message: str


@dataclass
class LanguageClient:
    """An editor with one workspace; files that it opens need not exist on disk."""

    process: asyncio.subprocess.Process
    workspace: Path
    _answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _diagnostics: dict[str, asyncio.Future[list[dict[str, Any]]]] = field(default_factory=dict)
    _last_id: int = 0

    async def underlined(self, path: Path, text: str) -> list[Underlined]:
        """What is underlined in a file that is opened with this text."""
        self._last_id += 1  # versions that come again would be answered from what the server remembers
        item = {"uri": path.as_uri(), "languageId": "yaml", "version": self._last_id, "text": text}
        found = await self._diagnosed("textDocument/didOpen", item)
        return [Underlined(one["range"]["start"]["line"] + 1, one["message"]) for one in found]

    async def completions(self, path: Path, line: int, column: int) -> list[str]:
        """What is offered at a place of an open file; line and column from 1."""
        answer = await self.request("textDocument/completion", _place(path, line, column))
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return [item["label"] for item in items]

    async def hover(self, path: Path, line: int, column: int) -> str:
        """What is told about a place of an open file; empty if nothing is."""
        answer = await self.request("textDocument/hover", _place(path, line, column))
        return str(answer["contents"]["value"]) if answer else ""

    async def close(self, path: Path) -> None:
        """The file is forgotten, and what was underlined with it."""
        assert await self._diagnosed("textDocument/didClose", {"uri": path.as_uri()}) == []

    async def _diagnosed(self, method: str, document: dict[str, Any]) -> list[dict[str, Any]]:
        waiting = self._diagnostics[document["uri"]] = asyncio.get_running_loop().create_future()
        self.notify(method, {"textDocument": document})
        return await asyncio.wait_for(waiting, ANSWER_WITHIN)

    async def request(self, method: str, params: Any) -> Any:
        """The server's answer. Raises AssertionError if it answers with an error."""
        self._last_id += 1
        waiting = self._answers[self._last_id] = asyncio.get_running_loop().create_future()
        self._send({"id": self._last_id, "method": method, "params": params})
        return await asyncio.wait_for(waiting, ANSWER_WITHIN)

    def notify(self, method: str, params: Any) -> None:
        """Tells the server something that it doesn't answer."""
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def listen(self) -> None:
        """Takes what the server says until it ends."""
        assert self.process.stdout is not None
        try:
            while True:
                header = await self.process.stdout.readuntil(b"\r\n\r\n")
                length = next(
                    int(line[15:]) for line in header.split(b"\r\n") if line.startswith(b"Content-Length:")
                )
                self._take(json.loads(await self.process.stdout.readexactly(length)))
        except asyncio.IncompleteReadError:
            for waiting in (*self._answers.values(), *self._diagnostics.values()):
                if not waiting.done():
                    waiting.set_exception(AssertionError("the language server has ended"))

    def _take(self, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params") or {}
        if method is None:
            waiting = self._answers.pop(message["id"])
            if "error" in message:
                waiting.set_exception(AssertionError(str(message["error"])))
            else:
                waiting.set_result(message.get("result"))
        elif "id" in message:
            self._send({"id": message["id"], "result": self._answer(method, params)})
        elif method == "textDocument/publishDiagnostics":
            asked = self._diagnostics.pop(params["uri"], None)
            if asked is not None and not asked.done():
                asked.set_result(params["diagnostics"])

    def _answer(self, method: str, params: dict[str, Any]) -> Any:
        if method == "workspace/configuration":
            return [_SETTINGS.get(item.get("section", ""), {}) for item in params["items"]]
        if method == "workspace/workspaceFolders":
            return [_folder(self.workspace)]
        return None


def _place(path: Path, line: int, column: int) -> dict[str, Any]:
    return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line - 1, "character": column - 1}}


def _folder(path: Path) -> dict[str, str]:
    return {"uri": path.as_uri(), "name": path.name}


@asynccontextmanager
async def language_client(command: Sequence[str], workspace: Path) -> AsyncIterator[LanguageClient]:
    """A language server that is started, initialised, and ended on leaving."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, limit=16 * 1024 * 1024
    )
    client = LanguageClient(process, workspace)
    listening = asyncio.create_task(client.listen())
    markdown = {"contentFormat": ["markdown"]}
    item = {"documentationFormat": ["markdown"], "snippetSupport": True}
    try:
        await client.request(
            "initialize",
            {
                "processId": None,
                "rootUri": workspace.as_uri(),
                "workspaceFolders": [_folder(workspace)],
                "capabilities": {
                    "textDocument": {
                        "hover": markdown,
                        "completion": {"completionItem": item},
                        "publishDiagnostics": {},
                    },
                    "workspace": {"configuration": True, "workspaceFolders": True},
                },
            },
        )
        client.notify("initialized", {})
        yield client
        await client.request("shutdown", None)
        client.notify("exit", None)
        await asyncio.wait_for(process.wait(), ANSWER_WITHIN)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await listening
