"""Messages that name what no case has, that can't be rendered, or that take too many SMS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reeve.domain.bundle import Policy, SiteSettings
from reeve.rulelang.example_case import EXAMPLE_AT, EXAMPLE_LINK, EXAMPLE_REPLY_CODE, example_case
from reeve.rulelang.message_context import FIXED, MessageNames, message_context
from reeve.rulelang.messages import TEMPLATES, Messages, Text
from reeve.rulelang.problems import Choice, Hint, Problem, problem
from reeve.rulelang.reply_hints import reply_words
from reeve.rulelang.sms_segments import GSM, UCS2, is_gsm, places, segments
from reeve.rulelang.templates import RenderingFailed
from reeve.rulelang.titles import ROLE_TITLES, languages_for, title_in

MOST_SEGMENTS = 2
"""An SMS that takes more with ordinary values is warned about: each is paid for, and arrives on its own."""

_Contexts = dict[tuple[str, tuple[str, ...], frozenset[str]], dict[str, Any]]
"""What texts are tried with, by policy, languages and names; all of it but the message."""


def check_templates(
    messages: Messages,
    policies: Mapping[str, Policy],
    defaults: SiteSettings,
    sites: Mapping[str, SiteSettings],
) -> Iterator[Problem]:
    """Every finding about the single texts; `policies` must be all there are."""
    settings = [defaults, *sites.values()]
    of_language: dict[str, _Setting] = {}
    contexts: _Contexts = {}
    names = MessageNames(policies.values())
    for text in messages.texts:
        sending, known = names.senders(text.message), names.of(text.message)
        unknown = list(_unknown(text, known, sending, defaults.vocabulary))
        yield from unknown
        if text.channel == "sms" and not unknown:
            if text.language not in of_language:
                of_language[text.language] = _setting(text.language, settings)
            yield from _as_sms(text, known, sending, of_language[text.language], contexts)


def _unknown(
    text: Text,
    known: frozenset[str],
    sending: tuple[Policy, ...],
    vocabulary: Mapping[str, str],
) -> Iterator[Problem]:
    counts = {rule.name for policy in sending for rule in policy.counts}
    said: set[str] = set()
    for use in text.names:
        found = use.name
        if found in known or found in said:
            continue
        said.add(found)
        pos = text.pos_of(use)
        if found in counts:
            yield problem(pos, "template_count", found=found)
            continue
        if found in vocabulary:
            choice, otherwise = Choice(found, (vocabulary[found],)), None
        else:
            choice = Choice(found, tuple(sorted(known, key=lambda name: (name not in FIXED, name))))
            otherwise = Hint("or_default", found) if choice.best is None else None
        words = {"found": found, "message": text.message}
        yield problem(pos, "template_name", **words, choice=choice, otherwise=otherwise or "")


def _as_sms(
    text: Text,
    known: frozenset[str],
    sending: tuple[Policy, ...],
    setting: _Setting,
    contexts: _Contexts,
) -> Iterator[Problem]:
    longest = ""
    for policy in sending:
        key = (policy.name, setting.languages, known)
        if key not in contexts:
            contexts[key] = _ordinary(known, policy, setting)
        try:
            said = TEMPLATES.render(text.source, {**contexts[key], "message": text.message})
        except RenderingFailed as failed:
            yield problem(text.pos, "template_fails", why=str(failed))
            return
        longest = max(longest, said, key=segments)
    if (count := segments(longest)) > MOST_SEGMENTS:
        alone, each = GSM if is_gsm(longest) else UCS2
        numbers = {"count": count, "places": places(longest), "alone": alone, "each": each, "most": MOST_SEGMENTS}
        yield problem(text.pos, "sms_long", **numbers)


@dataclass(frozen=True)
class _Setting:
    """What is longest in one language: the site and the role to try a text with."""

    languages: tuple[str, ...]
    site: SiteSettings
    role: str


def _setting(language: str, settings: list[SiteSettings]) -> _Setting:
    languages = languages_for(language, settings[0])
    site = max(settings, key=lambda one: len(title_in(one.title, languages, one.site)))
    role = max(ROLE_TITLES, key=lambda one: len(title_in(ROLE_TITLES[one], languages, one)))
    return _Setting(languages, site, role)


def _ordinary(known: frozenset[str], policy: Policy, setting: _Setting) -> dict[str, Any]:
    """What the template sees of a case that has everything, at the site with the longest name."""
    languages, site = setting.languages, setting.site
    context = message_context(
        example_case(policy, known, site.site, languages),
        policy,
        known,
        site,
        languages,
        message="",
        role=setting.role,
        ack_url=EXAMPLE_LINK,
        now=EXAMPLE_AT,
    )
    return context | reply_words(languages, EXAMPLE_REPLY_CODE)
