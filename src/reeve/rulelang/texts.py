"""What one problem's words are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf


@dataclass(frozen=True, slots=True)
class Texts:
    """One code's severity and words; `{…}` are the problem's particulars."""

    severity: OneOf["error", "warning"]
    en: str
    en_mend: str
    zh: str
    zh_mend: str


def error(en: str, en_mend: str, zh: str, zh_mend: str) -> Texts:
    """Words of a problem that keeps a bundle from being used."""
    return Texts("error", en, en_mend, zh, zh_mend)


def warning(en: str, en_mend: str, zh: str, zh_mend: str) -> Texts:
    """Words of a problem that a bundle can be used with."""
    return Texts("warning", en, en_mend, zh, zh_mend)
