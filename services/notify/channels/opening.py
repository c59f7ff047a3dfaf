"""A provider's description becomes what sends: one implementation for each kind of file."""

from __future__ import annotations

from collections.abc import Iterable

from reeve.rulelang.template_limits import RenderingFailed
from reeve.runtime.providers.apprise_file import AppriseFile
from reeve.runtime.providers.fields import RENDERER
from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.load import Configured
from reeve.runtime.providers.smtp_file import SmtpFile
from reeve.runtime.providers.webhook_file import WebhookFile
from services.notify.channels.base import Provider


def open_providers(configured: Iterable[Configured], public_url: str = "") -> list[Provider]:
    """One provider for each, in their order; nothing is connected yet. Close each when done.

    `public_url` is where providers reach intake with receipts and answers; empty: they are not asked to.
    Raises ProvidersRefused (permanent) for an address that can't be one.
    """
    return [_open(each, public_url) for each in configured]


def _open(configured: Configured, public_url: str) -> Provider:
    # Each kind is loaded when a file asks for it: Apprise alone takes longer than all the others.
    match configured.file:
        case HttpFile() as file:
            from services.notify.channels.http import HttpProvider

            return HttpProvider(file, configured.secrets, public_url=public_url)
        case SmtpFile() as file:
            return _mail_server(file, configured)
        case WebhookFile() as file:
            from services.notify.channels.webhook import WebhookProvider

            return WebhookProvider(file, configured.secrets)
        case AppriseFile() as file:
            from services.notify.channels.apprise import AppriseProvider

            return AppriseProvider(file, configured.secrets)


def _mail_server(file: SmtpFile, configured: Configured) -> Provider:
    from pydantic import SecretStr

    from services.notify.channels.smtp import SmtpProvider

    context = {"secrets": {name: secret.get_secret_value() for name, secret in configured.secrets.items()}}

    def filled(template: str | None) -> str | None:
        try:
            return None if template is None else RENDERER.render(template, context)
        except RenderingFailed:
            return None

    password = filled(file.password)
    return SmtpProvider(
        file.host,
        file.port,
        file.sender,
        username=filled(file.username),
        password=None if password is None else SecretStr(password),
        tls=file.tls,
        timeout_seconds=file.timeout.total_seconds(),
        connections=file.connections,
        messages_per_connection=file.messages_per_connection,
        name=file.name,
    )
