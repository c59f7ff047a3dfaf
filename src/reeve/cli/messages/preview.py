"""What a message would say: to whom, on which channel, in how many SMS, and by which provider's template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from reeve.domain.bundle import Bundle, Policy
from reeve.domain.case import Case, CaseKey
from reeve.domain.flood.settings import DIGEST
from reeve.domain.recipients import OWNER, Recipient
from reeve.rulelang.example_case import EXAMPLE_AT, EXAMPLE_LINK, EXAMPLE_REPLY_CODE, example_case
from reeve.rulelang.message_context import MessageNames
from reeve.rulelang.reply_hints import reply_words
from reeve.rulelang.sms_segments import GSM, UCS2, encoding, is_gsm, places, segments
from reeve.rulelang.titles import languages_for
from reeve.runtime.combined_text import Part, combined_text
from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.load import Configured
from reeve.runtime.providers.templates import template_for as provider_template
from reeve.runtime.rendering import MessageRenderer, Rendered
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.store.mongo import Database
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.time_source import SystemTime
from services.notify.case_reader import CaseReader
from services.notify.reports import Reports

SAMPLE_LINK = "https://…/ack/…"
"""In place of a link of a person's own: each is made for its message, and used once."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One text as one reader would get it on one channel."""

    message: str
    language: str
    channel: str
    role: str
    rendered: Rendered
    templated: bool
    """An operator's template says it; else Reeve's own text does."""

    def row(self, providers: Sequence[Configured]) -> dict[str, Any]:
        """As JSON; personal data where the case is a real one."""
        row: dict[str, Any] = {
            "message": self.message,
            "language": self.language,
            "channel": self.channel,
            "role": self.role,
            "built_in": not self.templated or self.rendered.fault is not None,
            "fault": self.rendered.fault,
            "subject": self.rendered.subject if self.channel != "sms" else None,
            "body": self.rendered.body,
        }
        if self.channel == "sms":
            row |= sms_size(self.rendered.body)
        return row | {"providers": [_by(each, self) for each in providers if each.channel == self.channel]}


def sms_size(text: str) -> dict[str, Any]:
    """How the text is coded and how many SMS it takes."""
    alone, each = GSM if is_gsm(text) else UCS2
    count = segments(text)
    return {
        "encoding": encoding(text),
        "characters": places(text),
        "segments": count,
        "characters_per_segment": alone if count == 1 else each,
    }


def _by(provider: Configured, preview: Preview) -> dict[str, Any]:
    """The provider, and the template of its own that it would fill in; `sends`: False where it has none for it."""
    templates = provider.file.templates if isinstance(provider.file, HttpFile) else None
    if templates is None:
        return {"provider": provider.name, "template": None, "sends": True}
    found = provider_template(templates, preview.message, preview.language)
    return {"provider": provider.name, "template": found.code if found else None, "sends": found is not None}


def of_example(
    bundle: Bundle, message: str, channel: str, language: str, role: str, policy: Policy, site: str
) -> Preview:
    """For a case that has everything, with ordinary values."""
    settings = bundle.site(site) if site else bundle.defaults
    languages = languages_for(language, settings)
    names = MessageNames(bundle.policies.values()).of(message, policy)
    case = example_case(policy, names, settings.site, languages)
    more = reply_words(languages, EXAMPLE_REPLY_CODE)
    renderer = MessageRenderer()
    if message == DIGEST:
        parts = [
            Part(
                replace(case, key=CaseKey(case.key.site, policy.name, f"T-10000{number}")),
                sent,
                step,
                role,
                EXAMPLE_AT,
                EXAMPLE_LINK,
                more,
            )
            for number, (step, sent) in enumerate(_first_messages(policy), 1)
        ]
        rendered = combined_text(renderer, bundle, parts, channel, language, EXAMPLE_AT)
    else:
        link = "" if role == OWNER else EXAMPLE_LINK
        rendered = renderer.render(bundle, case, message, channel, language, role, EXAMPLE_AT, link, more)
    return Preview(message, language, channel, role, rendered, bool(bundle.messages.get(message)))


def _first_messages(policy: Policy) -> list[tuple[str, str]]:
    """A few steps of the policy and what they send: what a digest might hold."""
    found = [(step.name, level.message) for step in policy.steps for level in step.levels[:1] if level.notify]
    return (found * 2 if len(found) == 1 else found)[:3] or [("", "")] * 2


async def of_case(
    database: Database,
    bundle: Bundle,
    case: Case,
    message: str,
    channel: str,
    language: str,
    role: str,
    now: datetime,
) -> Preview:
    """For a case as it is now. Raises StoreAway."""
    languages = languages_for(language, bundle.site(case.key.site))
    words = await Reports(database).words(bundle, case, language, message)
    more: Mapping[str, Any] = words | reply_words(languages, EXAMPLE_REPLY_CODE)
    link = "" if role == OWNER else SAMPLE_LINK
    rendered = MessageRenderer().render(bundle, case, message, channel, language, role, now, link, more)
    return Preview(message, language, channel, role, rendered, bool(bundle.messages.get(message)))


async def of_delivery(database: Database, bundle: Bundle, delivery: Delivery) -> Preview | None:
    """The text that the delivery would have if it went out now; None: its case is gone. Raises StoreAway."""
    case = (await CaseReader(database).load([str(delivery.case)])).get(str(delivery.case))
    if case is None:
        return None
    key = (delivery.place, delivery.recipient)
    person = (await RecipientStore(database).by_id([key])).get(key) or Recipient(delivery.recipient, delivery.place)
    return await of_case(
        database,
        bundle,
        case,
        delivery.message,
        delivery.channel,
        person.language,
        delivery.role,
        SystemTime().now(),
    )
