"""The command line's verdict table: which error is one sentence and an exit code. Everything else is a bug.

| error | code |
|---|---|
| settings that can't be used, a file that can't be read or written | 2 |
| a server out of reach, or one that can't be started here | 3 |
| every other error that Reeve raises on purpose | 1 |
"""

from __future__ import annotations

from reeve.cli.exit_codes import BAD, UNREACHABLE, USAGE
from reeve.domain.errors import ReeveError
from reeve.ports import Away, BusAway

_CURE = (
    "start `reeve up`, or set REEVE_NATS_URL and REEVE_MONGO_URL to the servers you use; "
    "where they are only slow, REEVE_WAIT_SECONDS"
)


def explained(error: Exception) -> tuple[str, int] | None:
    """One sentence and an exit code; None for an error nobody expected, whose traceback is wanted."""
    if isinstance(error, ReeveError):
        return _ours(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}", USAGE
    return _foreign(error)


def _ours(error: ReeveError) -> tuple[str, int]:
    from reeve.devstack.errors import AlreadyRunning, PortTaken, StackError
    from reeve.runtime.settings import SettingsError

    match error:
        case Away():
            what = "NATS" if isinstance(error, BusAway) else "MongoDB"
            return f"{what} can't be reached ({error}): {_CURE}.", UNREACHABLE
        case SettingsError():
            return str(error), USAGE
        case AlreadyRunning() | PortTaken():
            return str(error), BAD
        case StackError():
            return str(error), UNREACHABLE
        case _:
            return str(error), BAD


def _foreign(error: Exception) -> tuple[str, int] | None:
    """Errors of the client libraries that a command did not turn into ours."""
    import httpx
    import nats.errors
    from pymongo.errors import ConnectionFailure

    match error:
        case httpx.TransportError():
            return f"Reeve's HTTP side can't be reached ({type(error).__name__}): {_CURE}.", UNREACHABLE
        case nats.errors.Error() | ConnectionFailure():
            what = "MongoDB" if isinstance(error, ConnectionFailure) else "NATS"
            return f"{what} can't be reached ({type(error).__name__}): {_CURE}.", UNREACHABLE
        case ConnectionError() | TimeoutError():
            return f"A server can't be reached ({type(error).__name__}): {_CURE}.", UNREACHABLE
        case _:
            return None
