"""Subject and body of one message to one person: the operator's template, or Reeve's own text where that fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reeve.domain.bundle import Bundle, Policy, SiteSettings
from reeve.domain.case import Case
from reeve.domain.facts import zone_of
from reeve.domain.more_time import MORE_TIME
from reeve.domain.recipients import UNREACHABLE
from reeve.rulelang.message_context import MessageNames, grade_title, message_context
from reeve.rulelang.messages import TEMPLATES, spoken_as
from reeve.rulelang.template_filters import day, hm, local_due
from reeve.rulelang.template_limits import RenderingFailed, TemplateRefused
from reeve.rulelang.titles import ROLE_TITLES, languages_for, title_in
from reeve.runtime.default_texts import default_text
from reeve.runtime.more_time_texts import more_time_text

_MOST_SUBJECT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is sent, and whether Reeve's own text had to stand in."""

    subject: str
    body: str
    fault: str | None = None
    """Why the operator's template could not be used; None: it was, or there is none. Never quotes data."""
    language: str = ""
    """The first of the reader's languages."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What the template could name: for providers that fill in templates of their own."""

    def __repr__(self) -> str:
        # A title that somebody typed must not get into a traceback.
        return f"Rendered(fault={self.fault!r})"


def policy_of(bundle: Bundle, case: Case) -> Policy | None:
    """The policy file the case runs on; the current one where nobody has that file any more."""
    return bundle.archive.get(case.digest) or bundle.policies.get(case.key.policy)


class MessageRenderer:
    """Renders messages of whatever bundle is handed in; templates are compiled once."""

    def __init__(self) -> None:
        self._version = ""
        self._names = MessageNames(())

    def render(
        self,
        bundle: Bundle,
        case: Case,
        message: str,
        channel: str,
        language: str,
        role: str,
        now: datetime,
        ack_url: str = "",
        more: Mapping[str, Any] | None = None,
    ) -> Rendered:
        """Never fails: a template that is missing or broken is replaced by the built-in text.

        `language` is the recipient's, or empty; `role` is the one the rule named; `more` has values that are not
        in the case itself (a report's table).
        """
        site = bundle.site(case.key.site)
        languages = languages_for(language, site)
        policy = policy_of(bundle, case)
        if bundle.version != self._version:
            self._version, self._names = bundle.version, MessageNames(bundle.policies.values())
        names = self._names.of(message, policy)
        context = message_context(
            case, policy, names, site, languages, message=message, role=role, ack_url=ack_url, now=now
        ) | dict(more or {})
        template = template_for(bundle.messages.get(message, {}), languages, channel)
        fault: str | None = None
        if template is not None:
            try:
                return self._rendered(template, context, languages[0])
            except (TemplateRefused, RenderingFailed) as error:
                fault = str(error)
        if message == MORE_TIME:
            subject, body = more_time_text(languages, context, case.key.subject, now)
            return Rendered(one_line(subject), body, fault, languages[0], context)
        subject, body = default_text(
            languages,
            site=context["site_title"],
            policy=context["policy_title"],
            case=case.key.subject,
            grade=grade_title(policy, case.grade, languages),
            due=earliest_due(case, site, now),
            unreached=title_in(ROLE_TITLES.get(role, {}), languages, role) if message == UNREACHABLE else "",
        )
        return Rendered(one_line(subject), body, fault, languages[0], context)

    def _rendered(self, template: Mapping[str, str], context: Mapping[str, Any], language: str) -> Rendered:
        body = TEMPLATES.render(template["body"], context)
        subject = TEMPLATES.render(template["subject"], context) if template.get("subject") else ""
        if not body.strip():
            raise RenderingFailed("the text is empty")
        return Rendered(one_line(subject), body, None, language, context)


def template_for(
    texts: Mapping[str, Mapping[str, Any]], languages: tuple[str, ...], channel: str
) -> Mapping[str, str] | None:
    """{subject, body} of the first language that speaks on this channel; None: no template says anything.

    A channel with no text of its own takes another's in the same language, as `spoken_as` says.
    """
    for language in (*languages, *sorted(texts)):
        for each in spoken_as(channel):
            found = texts.get(language, {}).get(each)
            if isinstance(found, str):
                return {"subject": "", "body": found}
            if isinstance(found, Mapping) and isinstance(found.get("body"), str):
                return {"subject": str(found.get("subject", "")), "body": found["body"]}
    return None


def one_line(text: str) -> str:
    """A subject: whatever line breaks a title brought become blanks."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:_MOST_SUBJECT_CHARACTERS]


def earliest_due(case: Case, site: SiteSettings, now: datetime) -> str:
    """The next due moment of a running clock, as text; empty when there is none."""
    dues = [clock.due for clock in case.clocks.values() if clock.due and clock.live and clock.breached_at is None]
    if not dues:
        return ""
    zone = zone_of(site.zone)
    due = local_due(min(dues, key=lambda each: each.at), zone)
    on = day(due)
    return str(hm(due)) if on == day(now.astimezone(zone)) else f"{on} {hm(due)}"
