"""The escalation service as a process: what `reeve run escalation` does, without the command line's imports."""

from __future__ import annotations

from reeve.runtime.process import run
from services.escalation.app import main

if __name__ == "__main__":
    run(main)
