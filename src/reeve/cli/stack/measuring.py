"""The benchmark run section by section, each figure printed as it comes."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import signal
import sys
import tempfile
import threading
from contextlib import aclosing
from pathlib import Path

import typer

from reeve.cli.exit_codes import INTERRUPTED
from reeve.cli.output import errors, print_json, print_line
from reeve.devstack.bench.figures import Figure
from reeve.devstack.bench.rig import rig
from reeve.devstack.bench.sections import SECTIONS
from reeve.runtime.process import run
from reeve.runtime.telemetry import configure_logging


def measure(wanted: list[str], rules: Path, quick: bool, as_json: bool) -> None:
    """Measures these sections. Ends the command where it was told to stop before."""
    configure_logging("bench", "console", "error")
    # On the event loop that the services run on, or the loops measured in this process would seem slower.
    stopped = threading.Event()
    try:
        run(lambda: _measure(wanted, rules.resolve(), quick, as_json, stopped))
    except asyncio.CancelledError:
        if not stopped.is_set():
            raise
        errors().print("Stopped by SIGTERM before all was measured.")
        raise typer.Exit(INTERRUPTED) from None


async def _measure(wanted: list[str], rules: Path, quick: bool, as_json: bool, stopped: threading.Event) -> None:
    watcher = _Watcher()
    measuring = asyncio.current_task()

    def stop() -> None:
        """Servers stop and their data goes, as with Ctrl-C."""
        stopped.set()
        if measuring is not None:
            measuring.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    try:
        with tempfile.TemporaryDirectory(prefix="reeve-bench-") as folder:
            async with rig(Path(folder), rules, watcher.tell) as measured:
                for name in wanted:
                    _head(name, quick, as_json, watcher)
                    async with aclosing(SECTIONS[name](measured, quick)) as figures:
                        async for figure in figures:
                            watcher.clear()
                            _print(figure, as_json)
    finally:
        watcher.clear()


class _Watcher:
    """One line on the terminal that says what goes on; nothing where there is no terminal."""

    def __init__(self) -> None:
        self._stream = sys.stderr if sys.stderr.isatty() else None

    def tell(self, text: str) -> None:
        """The line says this now."""
        self._write(f"{text}…")

    def clear(self) -> None:
        """The line is empty, so that others can print."""
        self._write("")

    def _write(self, text: str) -> None:
        if self._stream is not None:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[2K{text[:width]}")
            self._stream.flush()


def _head(section: str, quick: bool, as_json: bool, watcher: _Watcher) -> None:
    """The section begins; the machine's load beforehand tells how far its figures can be trusted."""
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    watcher.clear()
    if as_json:
        machine = {"cores": cores, "load": round(load, 2), "python": platform.python_version(), "quick": quick}
        print_json({"section": section, "machine": machine})
        return
    loaded = f"{cores} cores, load {load:.1f} before it began"
    print_line((section, "bold"), f"  ({loaded}{', quick' if quick else ''})")


def _print(figure: Figure, as_json: bool) -> None:
    if as_json:
        print_json(figure.as_json())
        return
    verdict = ("", "")
    bar = ""
    if figure.met is not None:
        bar = f"{'≥' if figure.better == 'more' else '≤'} {figure.bar:g}"
        verdict = ("reached ", "green") if figure.met else ("missed  ", "red")
    runs = " · ".join(f"{each:,.2f}" for each in figure.runs)
    line = f"  {figure.what:<48} {figure.value:>11,.2f} {figure.unit:<9} {bar:<6} "
    print_line(line, verdict if bar else " " * 8, (f" {runs}" if runs else "", "dim"))
