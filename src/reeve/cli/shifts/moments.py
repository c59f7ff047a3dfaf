"""What people type for places, roles, moments and lengths in `reeve shifts`, and how moments are shown to them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import typer

from reeve.cli.lengths import length_of
from reeve.domain.facts import UTC, zone_of
from reeve.domain.rotas import Change, Rota
from reeve.domain.wall_clock import first_instant
from reeve.runtime.store.shifts import Rotas

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_moment(text: str, zone: ZoneInfo, now: datetime, hint: str) -> datetime:
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
        raise typer.BadParameter(
            f"{text!r} is no moment; write 2026-11-22T08:00 (local time), 2026-11-22T08:00+08:00, or now",
            param_hint=hint,
        ) from None


def read_length(text: str, hint: str) -> timedelta:
    """`8h`, `90m`, `2d12h`. Raises BadParameter."""
    length = length_of(text)
    if length is None:
        raise typer.BadParameter(f"{text!r} is no length; write 8h, 90m or 2d", param_hint=hint)
    return length


def read_day(text: str, hint: str) -> date:
    """`2026-11-22`. Raises BadParameter."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise typer.BadParameter(f"{text!r} is no day; write 2026-11-22", param_hint=hint)


def chosen(rotas: Rotas, which: str | None) -> list[Rota]:
    """The rotas of `place`, or of `place/role`; all without. Raises BadParameter where there is none."""
    if which is None:
        return list(rotas.rotas.values())
    place, _, role = which.partition("/")
    found = [rota for rota in rotas.rotas.values() if rota.place == place and role in ("", rota.role)]
    if not found:
        raise typer.BadParameter(f"there is no rota for {which}{_known(rotas)}", param_hint="WHICH")
    return found


def the_one(rotas: Rotas, which: str) -> tuple[Rota, list[Change]]:
    """The rota of `place/role`, and its changes. Raises BadParameter."""
    place, _, role = which.partition("/")
    rota, changes = rotas.of(place, role)
    if rota is None:
        raise typer.BadParameter(f"there is no rota for {which}{_known(rotas)}", param_hint="PLACE/ROLE")
    return rota, list(changes)


def _known(rotas: Rotas) -> str:
    names = [f"{place}/{role}" for place, role in rotas.rotas]
    return f"; there are {', '.join(names[:12])}" if names else "; bring one in with: reeve shifts import FILE"


def shown_moment(at: datetime, rota: Rota) -> str:
    """Local time with weekday: `Mon 2026-11-23 08:00`; with its offset where that differs from noon's."""
    local = at.astimezone(zone_of(rota.zone))
    noon = local.replace(hour=12, minute=0, fold=0)
    offset = "" if local.utcoffset() == noon.utcoffset() else f"{local:%z}"
    return f"{local:%a %Y-%m-%d %H:%M}{offset}"


def local_iso(at: datetime, rota: Rota) -> str:
    """For `--json`: the local time with its offset."""
    return at.astimezone(zone_of(rota.zone)).isoformat()
