"""A switch for tests: the process kills itself (SIGKILL) at a named point, as a power cut would.

`REEVE_CRASH_AT=escalation.committed` dies at the first passage of that point, `…:3` at the third. Without the
variable a passage costs one comparison. Each point stands between two steps that a crash may separate.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "REEVE_CRASH_AT"


class _Fuse:
    def __init__(self, setting: str) -> None:
        self.point, _, count = setting.partition(":")
        self.left = int(count or 1)

    def passed(self, point: str) -> None:
        if point != self.point:
            return
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


_fuse = _Fuse(os.environ.get(VARIABLE, ""))


def reach(point: str) -> None:
    """This point of the work is reached; the process ends here if the environment asked for it."""
    if _fuse.point:
        _fuse.passed(point)
