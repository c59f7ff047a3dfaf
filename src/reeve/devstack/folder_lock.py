"""One stack per data folder: a lock that the kernel gives back however its holder ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from reeve.devstack.errors import AlreadyRunning

_NAME = "lock"
_ATTEMPTS = 6
_PAUSE_SECONDS = 0.05
"""`is_locked` holds the lock for an instant; that must not look like a running stack."""


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """The folder is ours inside; it is created if need be. Raises AlreadyRunning naming the holder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _NAME).open("a+", encoding="ascii") as file:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if attempt == _ATTEMPTS:
                    file.seek(0)
                    holder = f"process {file.read(20).strip() or 'unknown'}"
                    raise AlreadyRunning(str(folder), holder) from error
            time.sleep(_PAUSE_SECONDS)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_locked(folder: Path) -> bool:
    """Whether a stack is running on this folder now."""
    try:
        with (folder / _NAME).open("r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
