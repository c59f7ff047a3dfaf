"""The providers of this installation: the folder's files, and what older settings in the environment describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import SecretStr, ValidationError

from reeve.runtime.providers.faults import Fault, ProvidersRefused
from reeve.runtime.providers.load import Configured, Secrets, check_providers
from reeve.runtime.providers.smtp_file import SmtpFile
from services.notify.settings import NotifySettings

_SETTING = "REEVE_SMTP_HOST"


def configured(settings: NotifySettings, *, secrets: Secrets = "all") -> list[Configured]:
    """Every provider, by channel, order and name. Raises ProvidersRefused (permanent) with all faults at once."""
    found, faults = check_configured(settings, secrets=secrets)
    if faults:
        raise ProvidersRefused(faults)
    return found


def check_configured(
    settings: NotifySettings, *, secrets: Secrets = "all", environment: Mapping[str, str] | None = None
) -> tuple[list[Configured], list[Fault]]:
    """What can be used, and what is wrong with the rest."""
    also: list[Configured] = []
    faults: list[Fault] = []
    try:
        also = _mail_server(settings)
    except ProvidersRefused as refused:
        faults += refused.faults
    found, more = check_providers(
        settings.channels, settings.sms_gateway, environment=environment, also=also, secrets=secrets
    )
    return [_as_set(each, settings) for each in found], faults + more


def _mail_server(settings: NotifySettings) -> list[Configured]:
    """The mail server of REEVE_SMTP_HOST and its companions."""
    if not settings.smtp_host:
        return []
    held = {
        name: value
        for name, value in (
            ("username", SecretStr(settings.smtp_username) if settings.smtp_username else None),
            ("password", settings.smtp_password),
        )
        if value is not None
    }
    described: dict[str, Any] = {
        "name": "smtp",
        "kind": "smtp",
        "host": settings.smtp_host,
        "port": settings.smtp_port,
        "tls": settings.smtp_tls,
        "from": settings.smtp_from,
        "timeout": settings.smtp_timeout_seconds,
        "connections": settings.smtp_connections,
        "per_second": settings.smtp_per_second,
        "secrets": {name: f"REEVE_SMTP_{name.upper()}" for name in held},
        **{name: f"{{{{ secrets.{name} }}}}" for name in held},
    }
    try:
        return [Configured(SmtpFile.model_validate(described), held, _SETTING)]
    except ValidationError as error:
        raise ProvidersRefused(
            [
                Fault(_SETTING, None, ".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, "))
                for each in error.errors(include_input=False, include_url=False)
            ]
        ) from None


def _as_set(provider: Configured, settings: NotifySettings) -> Configured:
    """The gateway of REEVE_SMS_GATEWAY with the connections and the rate that the environment names."""
    if provider.source not in (settings.sms_gateway, "REEVE_SMS_GATEWAY"):
        return provider
    changes = {
        key: getattr(settings, f"sms_{key}")
        for key in ("connections", "per_second")
        if f"sms_{key}" in settings.model_fields_set
    }
    return replace(provider, file=provider.file.model_copy(update=changes)) if changes else provider
