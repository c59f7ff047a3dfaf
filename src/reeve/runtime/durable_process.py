"""The parent's side of the process that runs durable-rules: started, asked, watched, ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
import weakref
from typing import Any

_GRACE_SECONDS = 3.0
"""How much longer than the process's own watch-dog the parent waits before it kills."""
_START_SECONDS = 20.0


class EngineMissing(Exception):
    """The engine is not installed or can't be loaded; `reason` is why. Permanent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProcessDied(Exception):
    """The process ended, or was ended, over a question. Transient: a fresh one may answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EngineProcess:
    """A running process with the engine loaded. Ends with `stop`, with this object, or with our own process."""

    def __init__(self, seconds: float) -> None:
        """The process is ready. `seconds`: how long a question may take. Raises EngineMissing."""
        self._seconds = seconds
        # A session of its own: Ctrl-C drains us first, and the process ends when its input does.
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-X", "utf8", "-m", "reeve.runtime.durable_worker", str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        if self._child.stdin is None or self._child.stdout is None:
            raise EngineMissing("its process has no pipes")
        self._questions, self._answers = self._child.stdin, self._child.stdout
        self._rest = b""
        self._end = weakref.finalize(self, _end, self._child)
        try:
            ready = self._line(_START_SECONDS)
        except ProcessDied as died:
            raise EngineMissing(died.reason) from died
        if ready != "ready":
            self.stop()
            raise EngineMissing(str(ready))

    @property
    def pid(self) -> int:
        return self._child.pid

    def ask(self, what: str, name: str, payload: str) -> list[str]:
        """The process's answer. Raises ProcessDied if there is none in time."""
        line = json.dumps([what, name, payload], ensure_ascii=False).encode() + b"\n"
        try:
            while line:
                line = line[self._questions.write(line) or 0 :]
        except OSError as error:
            raise ProcessDied(self._why()) from error
        answer = self._line(self._seconds + _GRACE_SECONDS)
        return answer if isinstance(answer, list) else []

    def stop(self) -> None:
        """The process has ended."""
        self._end()

    def _line(self, seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            readable, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            read = os.read(self._answers.fileno(), 65536) if readable else b""
            if not read:
                why = self._why() if readable else f"no answer in {seconds:g} s"
                self.stop()
                raise ProcessDied(why)
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def _why(self) -> str:
        try:
            code = self._child.wait(1)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        return f"ended by signal {-code}" if code < 0 else f"ended with code {code}"


def _end(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        child.wait(0.2)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
