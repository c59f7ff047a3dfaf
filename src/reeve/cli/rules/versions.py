"""Which rules a command means: a recorded version by its first letters, the active ones, or a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from reeve.cli.speaking import say
from reeve.cli.targets import find_targets, open_record
from reeve.domain.errors import ReeveError
from reeve.runtime.store.bundles import BundleStore

if TYPE_CHECKING:
    from reeve.domain.bundle import Bundle
    from reeve.runtime.matchers import MatcherName
    from reeve.runtime.store.mongo import Database

ACTIVE = "active"

_WORDS = {
    "not_kept": ("Version {version} is not in the record.", "记录中没有版本 {version}。"),
    "none_active": (
        "No rules are active yet: run `reeve rules push`.",
        "还没有生效的规则：请运行 `reeve rules push`。",
    ),
    "none_begins": (
        "No version begins with '{written}'; `reeve rules history` lists them.",
        "没有以 '{written}' 开头的版本；`reeve rules history` 列出全部版本。",
    ),
    "several": (
        "Several versions begin with '{written}': {found}. Write more of it.",
        "有多个版本以 '{written}' 开头：{found}。请多写几位。",
    ),
    "no_folder": (
        "{written}: there is no such folder, and no version is called that.",
        "{written}：没有这个文件夹，也没有这样的版本。",
    ),
}


class UnknownVersion(ReeveError):
    """No version, or more than one, is meant by what was written."""


async def active_rules(database: Database, matcher: MatcherName = "closures") -> Bundle:
    """The rules that are active now. Raises NoBundle where none ever were, and StoreAway."""
    # Loaded when asked for: it takes longer than all the rest, and many commands do without.
    from reeve.runtime.bundles import Bundles
    from reeve.runtime.time_source import SystemTime

    return await Bundles(BundleStore(database), SystemTime(), None, matcher).load_active()


async def rules_if_any(database: Database, matcher: MatcherName = "closures") -> Bundle | None:
    """The active rules; None where none are active yet. Raises StoreAway."""
    from reeve.runtime.bundles import NoBundle

    try:
        return await active_rules(database, matcher)
    except NoBundle:
        return None


async def zones_of(database: Database, matcher: MatcherName, sites: Collection[str]) -> dict[str, tzinfo]:
    """The zones of sites, as the active rules say; empty where none are active yet. Raises StoreAway."""
    from reeve.domain.facts import zone_of

    bundle = await rules_if_any(database, matcher) if sites else None
    return {site: zone_of(bundle.site(site).zone) for site in sites} if bundle is not None else {}


def recorded_files(written: str, lang: str = "en") -> tuple[str, Mapping[str, bytes]]:
    """The version meant (`active`, or its first letters), and its files. Raises UnknownVersion and StoreAway."""

    async def find() -> tuple[str, Mapping[str, bytes]]:
        async with open_record(find_targets(), "rules") as database:
            store = BundleStore(database)
            version = await find_version(store, written, lang)
            stored = await store.get(version)
        if stored is None:
            raise UnknownVersion(say(_WORDS, "not_kept", lang, version=version))
        return version, stored.files

    return asyncio.run(find())


async def find_version(store: BundleStore, written: str, lang: str = "en") -> str:
    """The one recorded version that is meant. Raises UnknownVersion."""
    if written == ACTIVE:
        active = await store.active()
        if active is None:
            raise UnknownVersion(say(_WORDS, "none_active", lang))
        return active.version
    found = await store.versions(written) if written.isalnum() else []
    if not found:
        raise UnknownVersion(say(_WORDS, "none_begins", lang, written=written))
    if len(found) > 1:
        raise UnknownVersion(say(_WORDS, "several", lang, written=written, found=", ".join(found)))
    return found[0]


def rules_named(written: str, lang: str = "en") -> tuple[str, Mapping[str, bytes]]:
    """A name to show and the files: of a folder if there is one of that name, else of a recorded version.

    Raises UnknownVersion, StoreAway, and OSError if the folder can't be read.
    """
    from reeve.rulelang.load import read_folder

    folder = Path(written)
    if folder.is_dir():
        return written, read_folder(folder)
    if written != ACTIVE and not written.isalnum():
        raise UnknownVersion(say(_WORDS, "no_folder", lang, written=written))
    return recorded_files(written, lang)
