"""What can keep the local stack from running, each as one sentence that says what to do."""

from __future__ import annotations

from reeve.domain.errors import ReeveError


class StackError(ReeveError):
    """The local stack can't do what was asked; `str()` is one plain sentence for the person who asked."""


class PortTaken(StackError):
    """Another program listens on `port`; `setting` is the environment variable that chooses another."""

    def __init__(self, what: str, port: int, setting: str | None) -> None:
        cure = f"stop it or choose another with {setting}" if setting else "stop it or choose another port"
        super().__init__(f"Port {port} for {what} is taken by another program; {cure}.")
        self.port = port
        self.setting = setting


class ServerMissing(StackError):
    """There is no program for a server here: not on PATH, and no wheel for this platform."""

    def __init__(self, program: str, setting: str) -> None:
        super().__init__(
            f"There is no {program} here and no wheel of it for this platform (Linux on x86-64 has one); "
            f"install {program}, or point {setting} at a running one."
        )
        self.program = program
        self.setting = setting


class ServerUnusable(StackError):
    """There is a program for a server, but it is too old or can't run here; `reason` is what it said."""

    def __init__(self, program: str, oldest: str, reason: str, setting: str) -> None:
        super().__init__(
            f"The {program} here can't be used ({reason}); install {program} {oldest} or later, "
            f"or point {setting} at a running one."
        )
        self.program = program
        self.reason = reason


class ServerFailed(StackError):
    """A server or service ended or did not answer in time; `reason` is what its log said last."""

    def __init__(self, what: str, happened: str, reason: str, log: str) -> None:
        said = f": {reason}" if reason else ""
        super().__init__(f"{what} {happened}{said}; the rest is in {log}.")
        self.reason = reason


class AlreadyRunning(StackError):
    """A stack is already running on this data folder; two on one folder would destroy its data."""

    def __init__(self, folder: str, holder: str) -> None:
        super().__init__(f"Reeve is already running on {folder} ({holder}); use that one or stop it first.")


class Unreachable(StackError):
    """A server named in the settings does not answer."""

    def __init__(self, what: str, setting: str, reason: str) -> None:
        super().__init__(f"{what} named in {setting} does not answer ({reason}); start it or correct {setting}.")
