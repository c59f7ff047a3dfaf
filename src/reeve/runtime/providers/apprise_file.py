"""One of the services that the library Apprise speaks to: WeCom, DingTalk, Feishu, Slack, ntfy, Telegram …"""

from __future__ import annotations

from typing import Literal as OneOf

from reeve.runtime.providers.fields import TemplateText
from reeve.runtime.providers.file import ProviderChannel, ProviderFile


class AppriseFile(ProviderFile):
    """An Apprise URL; `{{ to }}` in it is the recipient's address on the channel."""

    kind: OneOf["apprise"]
    channel: ProviderChannel = "chat"
    url: TemplateText
    """`wecombot://{{ secrets.key }}`, `ntfy://ntfy.example.org/{{ to }}`; see https://appriseit.com/services/."""
    format: OneOf["text", "markdown", "html"] = "text"
    """What the messages' texts are written in."""

    def texts(self) -> list[tuple[tuple[str, ...], str]]:
        """The URL."""
        return [(("url",), self.url)]
