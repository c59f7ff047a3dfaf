"""A system that is told by a signed POST."""

from __future__ import annotations

from typing import Annotated
from typing import Literal as OneOf

from pydantic import Field

from reeve.runtime.providers.fields import SecretText, TemplateText
from reeve.runtime.providers.file import ProviderFile

Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,253}$")]


class WebhookFile(ProviderFile):
    """Posts each message as a CloudEvent, signed as the Standard Webhooks specification says."""

    kind: OneOf["webhook"]
    channel: OneOf["webhook", "chat"] = "webhook"
    url: TemplateText = "{{ to }}"
    """Where to; the recipient's own address unless the file names another."""
    secret: SecretText
    """Signs the posts; `whsec_…` is base64, anything else is taken as it is."""
    headers: dict[str, TemplateText] = Field(default_factory=dict)
    allow_hosts: tuple[Host, ...] = ()
    """Hosts that may be called without https, or inside your own network; others by https in the public one."""

    def texts(self) -> list[tuple[tuple[str, ...], str]]:
        """URL, secret, headers."""
        return [
            (("url",), self.url),
            (("secret",), self.secret),
            *((("headers", name), text) for name, text in self.headers.items()),
        ]
