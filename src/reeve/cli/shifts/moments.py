"""What people type for places, roles, moments and lengths in `reeve shifts`, and how moments are shown to them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import typer

from reeve.cli.lengths import length_of
from reeve.cli.output import weekday
from reeve.cli.shifts.texts import say
from reeve.domain.facts import UTC, zone_of
from reeve.domain.rotas import Change, Rota
from reeve.domain.wall_clock import first_instant
from reeve.runtime.store.shifts import Rotas

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_moment(text: str, zone: ZoneInfo, now: datetime, hint: str, lang: str = "en") -> datetime:
    """The instant meant: `now`, a local `2026-11-22 08:00`, or one with an offset. Raises BadParameter.

    A local time that comes twice is the first of them; one that is left out is the moment the clocks change.
    """
    if text.strip().lower() == "now":
        return now.replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(text.strip().replace("24:00", "00:00"))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        minute = moment.hour * 60 + moment.minute + (1440 if "24:00" in text else 0)
        return first_instant(moment.date(), minute, zone)
    except (ValueError, OverflowError):
        raise typer.BadParameter(say("no_moment", lang, text=text), param_hint=hint) from None


def read_length(text: str, hint: str, lang: str = "en") -> timedelta:
    """`8h`, `90m`, `2d12h`. Raises BadParameter."""
    length = length_of(text)
    if length is None:
        raise typer.BadParameter(say("no_length", lang, text=text), param_hint=hint)
    return length


def read_day(text: str, hint: str, lang: str = "en") -> date:
    """`2026-11-22`. Raises BadParameter."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise typer.BadParameter(say("no_day", lang, text=text), param_hint=hint)


def chosen(rotas: Rotas, which: str | None, lang: str = "en") -> list[Rota]:
    """The rotas of `place`, or of `place/role`; all without. Raises BadParameter where there is none."""
    if which is None:
        return list(rotas.rotas.values())
    place, _, role = which.partition("/")
    found = [rota for rota in rotas.rotas.values() if rota.place == place and role in ("", rota.role)]
    if not found:
        raise _no_rota(rotas, which, lang, "WHICH")
    return found


def the_one(rotas: Rotas, which: str, lang: str = "en") -> tuple[Rota, list[Change]]:
    """The rota of `place/role`, and its changes. Raises BadParameter."""
    place, _, role = which.partition("/")
    rota, changes = rotas.of(place, role)
    if rota is None:
        raise _no_rota(rotas, which, lang, "PLACE/ROLE")
    return rota, list(changes)


def _no_rota(rotas: Rotas, which: str, lang: str, hint: str) -> typer.BadParameter:
    names = [f"{place}/{role}" for place, role in rotas.rotas][:12]
    said = say("no_rota" if names else "no_rotas", lang, which=which, names=", ".join(names))
    return typer.BadParameter(said, param_hint=hint)


def shown_moment(at: datetime, rota: Rota, lang: str = "en") -> str:
    """Local time with weekday: `Mon 2026-11-23 08:00`; with its offset where that differs from noon's."""
    local = at.astimezone(zone_of(rota.zone))
    noon = local.replace(hour=12, minute=0, fold=0)
    offset = "" if local.utcoffset() == noon.utcoffset() else f"{local:%z}"
    return f"{weekday(local, lang)} {local:%Y-%m-%d %H:%M}{offset}"


def local_iso(at: datetime, rota: Rota) -> str:
    """For `--json`: the local time with its offset."""
    return at.astimezone(zone_of(rota.zone)).isoformat()
