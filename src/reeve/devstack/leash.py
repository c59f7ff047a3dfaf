"""Runs a command that ends when its parent ends, however the parent ends (kill -9 included).

Used as a program, not imported: `python -I -S leash.py PARENT_PID SIGNAL COMMAND [ARGUMENT…]`. It asks the
kernel (Linux) for SIGNAL at the death of its parent and becomes COMMAND; the wish survives exec. Standard
library only, so that it costs some 20 ms. Elsewhere than on Linux it only becomes COMMAND.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""Source: prctl(2). The kernel sends the signal when the *thread* that forked us ends, see `launching.py`."""


def main() -> None:
    """This process is COMMAND now, or has ended because its parent was already gone."""
    parent_pid, signal_name, *command = sys.argv[1:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, int(signal.Signals[signal_name]), 0, 0, 0) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
        if os.getppid() != int(parent_pid):
            sys.exit("the parent ended before its child began")
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
