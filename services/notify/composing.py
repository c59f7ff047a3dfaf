"""What one message says: of a delivery, or of several that go out together, from their cases as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from reeve.domain.bundle import Bundle
from reeve.domain.facts import zone_of
from reeve.rulelang.reply_hints import reply_words
from reeve.rulelang.titles import languages_for
from reeve.runtime.rendering import MessageRenderer, Rendered
from reeve.runtime.telemetry import get_log
from services.notify.case_reader import BundleSource
from services.notify.channels.base import Text
from services.notify.flood.groups import DIGEST, combined
from services.notify.hand import Item
from services.notify.metrics import FALLBACK_TEXTS
from services.notify.reports import Reports

log = get_log(__name__)


class Composer:
    """Raises StoreAway when the rules were never read, or a report's cases can't be."""

    def __init__(self, bundles: BundleSource, reports: Reports) -> None:
        self._bundles = bundles
        self._reports = reports
        self._renderer = MessageRenderer()

    async def text(self, items: Sequence[Item], address: str, now: datetime) -> Text:
        """The text to the person of these items, who is the same for all; the first one leads."""
        bundle = await self._bundles.current()
        leader = items[0]
        words = {item.delivery.id: await self._words(bundle, item) for item in items}
        if len(items) > 1:
            message, rendered = DIGEST, combined(self._renderer, bundle, items, now, words)
        else:
            message, rendered = leader.delivery.message, self._alone(bundle, leader, words, now)
        if rendered.fault is not None:
            FALLBACK_TEXTS.labels(message).inc()
            log.error(
                "A message's template failed; the built-in text was sent.",
                action="template_failed",
                message=message,
                channel=leader.delivery.channel,
                fault=rendered.fault,
            )
        return Text(
            leader.delivery.id,
            address,
            rendered.subject,
            rendered.body,
            now,
            message=message,
            language=rendered.language,
            values=rendered.values,
            reply_to=leader.reply_to,
        )

    def _alone(self, bundle: Bundle, item: Item, words: Mapping[str, Mapping[str, Any]], now: datetime) -> Rendered:
        delivery = item.delivery
        return self._renderer.render(
            bundle,
            item.case,
            delivery.message,
            delivery.channel,
            _language(item),
            delivery.role,
            now,
            item.ack_url,
            words[delivery.id],
        )

    async def _words(self, bundle: Bundle, item: Item) -> dict[str, Any]:
        """What its message may name that is not in the case itself."""
        language = _language(item)
        words = await self._reports.words(bundle, item.case, language, item.delivery.message)
        languages = languages_for(language, bundle.site(item.delivery.case.site))
        zone = zone_of(bundle.site(item.delivery.case.site).zone)
        words |= {name: _local(value, zone) for name, value in item.delivery.words.items()}
        return words | reply_words(languages, item.reply_code, bool(item.reply_code or item.reply_to))


def _local(value: Any, zone: ZoneInfo) -> Any:
    return value.astimezone(zone) if isinstance(value, datetime) else value


def _language(item: Item) -> str:
    return item.person.language if item.person is not None else ""
