"""Who runs this process, for whatever keeps the name of the person who asked for it."""

from __future__ import annotations

import getpass


def login_name() -> str:
    """The name this process runs under; `unknown` where the system has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
