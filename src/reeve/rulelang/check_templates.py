"""Messages that name what no case has, that can't be rendered, or that take too many SMS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reeve.domain.bundle import Policy, SiteSettings
from reeve.domain.flood.settings import DIGEST
from reeve.domain.more_time import MORE_TIME
from reeve.domain.people.roles import UNREACHABLE
from reeve.rulelang.example_case import EXAMPLE_AT, EXAMPLE_LINK, EXAMPLE_REPLY_CODE, example_case
from reeve.rulelang.message_context import FIXED, MessageNames, message_context
from reeve.rulelang.messages import TEMPLATES, Messages, Text
from reeve.rulelang.problems import Choice, Hint, Problem, problem
from reeve.rulelang.reply_hints import reply_words
from reeve.rulelang.sms_segments import GSM, UCS2, is_gsm, places, segments
from reeve.rulelang.template_limits import RenderingFailed
from reeve.rulelang.titles import ROLE_TITLES, languages_for, title_in

MOST_SEGMENTS = 2
"""An SMS that takes more with ordinary values is warned about: each is paid for, and arrives on its own."""


def check_templates(
    messages: Messages,
    policies: Mapping[str, Policy],
    defaults: SiteSettings,
    sites: Mapping[str, SiteSettings],
) -> Iterator[Problem]:
    """Every finding about the single texts; `policies` must be all there are."""
    settings = [defaults, *sites.values()]
    of_language: dict[str, _Setting] = {}
    names = MessageNames(policies.values())
    cases = _ExampleCases(names.of(UNREACHABLE) | names.of(DIGEST) | names.of(MORE_TIME))
    of_message: dict[str, tuple[tuple[Policy, ...], frozenset[str]]] = {}
    for text in messages.texts:
        if text.message not in of_message:
            of_message[text.message] = names.senders(text.message), names.of(text.message)
        sending, known = of_message[text.message]
        unknown = list(_unknown(text, known, sending, defaults.vocabulary))
        yield from unknown
        if text.channel == "sms" and not unknown:
            if text.language not in of_language:
                of_language[text.language] = _setting(text.language, settings)
            yield from _as_sms(text, known, sending, of_language[text.language], cases)


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
    cases: _ExampleCases,
) -> Iterator[Problem]:
    longest, count = "", 0
    for policy in sending:
        try:
            said = TEMPLATES.render(text.source, {**cases.seen(known, policy, setting), "message": text.message})
        except RenderingFailed as failed:
            yield problem(text.pos, "template_fails", why=str(failed))
            return
        if said != longest and (taken := segments(said)) > count:
            longest, count = said, taken
    if count > MOST_SEGMENTS:
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


class _ExampleCases:
    """What templates see of a case that has everything, at the site with the longest name; all but the message."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        """Every name that any message may use."""
        self._all: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
        self._seen: dict[tuple[str, tuple[str, ...], frozenset[str]], dict[str, Any]] = {}

    def seen(self, known: frozenset[str], policy: Policy, setting: _Setting) -> dict[str, Any]:
        """The names that this text may use, with the values of a case of the policy."""
        key = (policy.name, setting.languages, known)
        if key not in self._seen:
            every = self._all.get(key[:2])
            if every is None:
                every = self._all[key[:2]] = self._made(policy, setting)
            self._seen[key] = {name: value for name, value in every.items() if name in known}
        return self._seen[key]

    def _made(self, policy: Policy, setting: _Setting) -> dict[str, Any]:
        languages, site = setting.languages, setting.site
        context = message_context(
            example_case(policy, self._names, site.site, languages),
            policy,
            self._names,
            site,
            languages,
            message="",
            role=setting.role,
            ack_url=EXAMPLE_LINK,
            now=EXAMPLE_AT,
        )
        return context | reply_words(languages, EXAMPLE_REPLY_CODE)
