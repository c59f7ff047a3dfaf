"""The Dockerfile's own steps, run in a plain virtual environment: no container engine is needed to trust them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        shutil.which("gcc") is None or not Path(sysconfig.get_path("include"), "Python.h").exists(),
        reason="the image's first stage compiles, and there is no C compiler or no Python headers here",
    ),
]


def _steps() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    first_stage = re.sub(r"\\\n\s*", "", text).split("\nFROM ")[1]
    lines = [line for line in first_stage.splitlines() if not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_build_steps_make_an_environment_that_runs_reeve(tmp_path: Path) -> None:
    source, target = tmp_path / "src", tmp_path / "opt"
    source.mkdir()
    here = {"/opt/reeve": str(target), "/tmp/": f"{tmp_path}/"}
    for word, rest in _steps():
        if word == "COPY":
            *names, folder = rest.split()
            for name in names:
                copied = ROOT / name
                if copied.is_dir():
                    shutil.copytree(
                        copied, source / folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
                    )
                else:
                    shutil.copy(copied, source / folder)
        elif word == "RUN" and not rest.startswith("apt-get"):
            step = re.sub("/opt/reeve|/tmp/", lambda found: here[found[0]], rest)
            # What `make setup` fetched need not be fetched again, nor compiled what nothing here imports.
            step = step.replace("--no-cache-dir ", "--no-compile ")
            step = re.sub(r"^python ", f"{sys.executable} ", step)
            ran = subprocess.run(step, shell=True, cwd=source, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, f"{rest}\n{ran.stdout}\n{ran.stderr}"

    reeve = target / "bin" / "reeve"
    for arguments, expected in (
        (["--version"], "reeve "),
        (["run", "--help"], "intake|escalation|notify"),
        (["rules", "check", str(ROOT / "rules")], ""),
    ):
        ran = subprocess.run([reeve, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert expected in ran.stdout
    packages = {path.name.lower() for path in target.glob("lib/python*/site-packages/*")}
    assert "durable" in packages
    # Development tools and embedded servers stay out of the image.
    assert not packages & {"pytest", "mypy", "fiftyone", "hypothesis"}
