"""How the servers that take messages during a measurement note what came: a line of LINE_BYTES bytes for each.

A line has the moment by `time.monotonic`, which on one machine is the same clock in every process (Linux and
macOS), the number that the bench gave the case, and the start of the message's own id; so the file's size tells how
many have come, without anybody reading it.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

LINE_BYTES = 48
ID_LETTERS = 16
CASE = re.compile(rb"T-X(\d+)")
"""What the bench calls its cases, wherever it stands in a message."""


def line(at: float, case: bytes | None, id: bytes | None) -> bytes:
    """The line of a message that came at that moment; without case or id a dash stands for it."""
    words = f"{at:020.6f} {(case or b'-').decode()} {(id or b'-')[:ID_LETTERS].decode('ascii', 'replace')}"
    return words[: LINE_BYTES - 1].ljust(LINE_BYTES - 1).encode("ascii", "replace") + b"\n"


def arrivals(out: Path, skipped: int = 0) -> list[tuple[float, int | None]]:
    """Moment and case number of each message after the first `skipped`, in order of arrival."""
    lines = out.read_bytes()[skipped * LINE_BYTES :].splitlines()
    return [(float(at), None if number == b"-" else int(number)) for at, number, _ in map(bytes.split, lines)]


def times_by_id(out: Path) -> Counter[str]:
    """How often each message has come, by the first ID_LETTERS letters of its id."""
    return (
        Counter(each.split()[2].decode() for each in out.read_bytes().splitlines()) if out.exists() else Counter()
    )


def arrived(out: Path) -> int:
    """How many messages have come so far."""
    return out.stat().st_size // LINE_BYTES if out.exists() else 0
