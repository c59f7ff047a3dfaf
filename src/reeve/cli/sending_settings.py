"""How a command sends: through what its environment describes, else through the sinks of a running `reeve up`."""

from __future__ import annotations

import os

from reeve.cli.targets import Targets
from services.notify.settings import NotifySettings


def sending_settings(targets: Targets) -> NotifySettings:
    """Notify's settings, with the sinks where the environment names no provider. Raises SettingsError."""
    sinks = {
        name.removeprefix("REEVE_").lower(): value
        for name, value in targets.providers.items()
        if name not in os.environ
    }
    return NotifySettings.load(**sinks)
