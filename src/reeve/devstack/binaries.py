"""Finds the server programs: on PATH if recent enough, else in the wheels of the `embedded` extra."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reeve.devstack.errors import ServerMissing, ServerUnusable

OLDEST_NATS = (2, 14)
"""Scheduled messages came with 2.12, time zones for them with 2.14."""
OLDEST_MONGO = (6, 0)
"""The oldest MongoDB that Reeve is tested on."""
_VERSION = re.compile(r"v(\d+)\.(\d+)\.")
_PROBE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Binary:
    """A program that has answered `--version` here."""

    path: Path
    """Absolute."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What it needs in its environment, and nobody else should get."""


@dataclass(frozen=True, slots=True)
class _Probe:
    """What `--version` said: the version as (major, minor), or None and the reason."""

    version: tuple[int, int] | None
    reason: str


def find_nats_server() -> Binary:
    """nats-server from PATH, else from its wheel.

    Raises ServerMissing if there is none, ServerUnusable if what there is can't run here or is too old.
    """
    installed = Path(sysconfig.get_path("scripts")) / "nats-server"
    candidates = [Path(found)] if (found := shutil.which("nats-server")) else []
    candidates += [installed] if installed.is_file() and installed not in candidates else []
    return _first_usable(
        "nats-server", "REEVE_NATS_URL", OLDEST_NATS, [Binary(path.resolve()) for path in candidates]
    )


def find_mongod(workspace: Path) -> Binary:
    """mongod from PATH, else from its wheel; `workspace` is a folder of ours that may take links or a copy.

    Raises ServerMissing if there is none, ServerUnusable if what there is can't run here or is too old.
    """
    candidates = [Binary(Path(found).resolve())] if (found := shutil.which("mongod")) else []
    if wheel := _mongod_of_wheel(workspace):
        candidates += [Binary(wheel)]
        if libraries := _libcurl_of_pycurl(workspace):
            candidates += [Binary(wheel, {"LD_LIBRARY_PATH": libraries})]
    return _first_usable("mongod", "REEVE_MONGO_URL", OLDEST_MONGO, candidates)


def _first_usable(program: str, setting: str, oldest: tuple[int, int], candidates: list[Binary]) -> Binary:
    reason = ""
    for candidate in candidates:
        probe = _probe(candidate)
        if probe.version is not None and probe.version >= oldest:
            return candidate
        reason = probe.reason
    if candidates:
        raise ServerUnusable(program, ".".join(map(str, oldest)), reason, setting)
    raise ServerMissing(program, setting)


def _probe(binary: Binary) -> _Probe:
    try:
        answer = subprocess.run(
            [binary.path, "--version"],
            env={**os.environ, **binary.environment},
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _Probe(None, str(error))
    said = f"{answer.stdout}\n{answer.stderr}".strip()
    first_line = said.splitlines()[0] if said else f"exit code {answer.returncode}"
    match = _VERSION.search(said)
    if answer.returncode != 0 or match is None:
        return _Probe(None, first_line)
    return _Probe((int(match[1]), int(match[2])), first_line)


def _mongod_of_wheel(workspace: Path) -> Path | None:
    """The wheel's mongod, executable: its mode is repaired, or the file copied where we may not repair it."""
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        program = Path(folder) / "db" / "bin" / "mongod"
        if not program.is_file():
            continue
        if os.access(program, os.X_OK):
            return program
        try:
            program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        except OSError:
            return _copy_once(program, workspace / "bin" / "mongod")
        return program
    return None


def _copy_once(program: Path, target: Path) -> Path:
    if not target.is_file() or target.stat().st_size != program.stat().st_size:
        target.parent.mkdir(parents=True, exist_ok=True)
        half_done = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copyfile(program, half_done)
        half_done.chmod(0o755)
        half_done.replace(target)
    return target


def _libcurl_of_pycurl(workspace: Path) -> str | None:
    """A library path in which mongod finds libcurl.so.4, taken from pycurl's wheel; None without that wheel.

    mongod is linked against libcurl and uses it for nothing that Reeve needs; a bare system has none.
    """
    spec = importlib.util.find_spec("pycurl")
    if spec is None or spec.origin is None:
        return None
    # The wheel was a single module once and is a package now; its libraries lie beside either.
    places = [folder / "pycurl.libs" for folder in Path(spec.origin).parents[:2]]
    found = sorted(library for place in places for library in place.glob("libcurl-*.so.4*"))
    if not found:
        return None
    libraries = found[-1].parent
    link = workspace / "lib" / "libcurl.so.4"
    link.parent.mkdir(parents=True, exist_ok=True)
    half_done = link.with_name(f"{link.name}.{os.getpid()}")
    half_done.unlink(missing_ok=True)
    half_done.symlink_to(found[-1])
    half_done.replace(link)
    inherited = os.environ.get("LD_LIBRARY_PATH")
    return os.pathsep.join([str(link.parent.resolve()), str(libraries), *([inherited] if inherited else [])])
