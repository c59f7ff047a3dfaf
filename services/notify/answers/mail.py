"""A mail that may be an answer: whose code it carries, and the line in which a person says something. Pure.

What machines send never answers: automatic replies, lists, bounces, delivery reports, absences (RFC 3834).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from typing import Literal as OneOf

CODE = "{code}"
NotRead = OneOf["automatic", "no_code", "unreadable"]
"""automatic: a machine sent it; no_code: it was not sent to an address of ours; unreadable: it is no mail."""

_TO_HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "Resent-To")
_LIST_HEADERS = ("List-Id", "List-Unsubscribe", "List-Post", "List-Help", "Mailing-List")
_AUTO_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Failed-Recipients", "Feedback-ID")
_MACHINES = re.compile(r"(?i)<?(mailer-daemon|postmaster|no-?reply|do-?not-?reply)@")
_ABSENCES = re.compile(
    r"(?i)\s*(auto(matic)?[ -]?(reply|response)|out of (the )?office|自动(回复|答复)|不在办公室|外出|undeliver|"
    r"delivery status|mail delivery|returned mail|退信|系统退信)"
)
_ATTRIBUTION = re.compile(r"(?i)(on\b.{0,200}\bwrote:|在.{0,200}写道[:：]|.{0,200}于.{0,100}写道[:：])\s*$")
_ORIGINAL = re.compile(
    r"(?i)\s*(-{2,}.*(original|原始|forwarded|转发).*-{2,}|_{5,}|(from|发件人|寄件者)\s*[:：]|--\s*$)"
)
_MOST_LINES = 400
_BOUNDARY = re.compile(rb"(?i)boundary\s*[*0-9]*=")
_MOST_PARTS = 20
"""Parts within parts: each one more costs the parser more than the one before."""
_MOST_READ = 128 * 1024
"""What a person answers stands at the beginning; what comes after it is attachments."""


@dataclass(frozen=True, slots=True)
class MailReply:
    """A mail of a person, to one of our addresses."""

    code: str
    line: str = field(repr=False)
    """The first line that is not quoted; empty: there is none."""
    reference: str
    """The same for the same mail, however it came."""


def read_mail(raw: bytes, reply_to: str) -> MailReply | NotRead:
    """The reply in a raw mail. `reply_to` is the address with {code} that answers go to."""
    head = raw[:_MOST_READ]
    if len(_BOUNDARY.findall(head)) > _MOST_PARTS:
        return "unreadable"
    try:
        return _read(message_from_bytes(head, policy=SMTP), raw, reply_to)
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
        # All of these come out of the standard library for mails that break its rules.
        return "unreadable"


def _read(mail: EmailMessage, raw: bytes, reply_to: str) -> MailReply | NotRead:
    if not mail.keys():
        return "unreadable"
    if _automatic(mail):
        return "automatic"
    code = _code(_headers(mail, _TO_HEADERS), reply_to)
    if code is None:
        return "no_code"
    own_id = next(_headers(mail, ("Message-ID",)), "").strip()
    reference = hashlib.sha256(own_id.encode("utf-8", "replace") if own_id else raw).hexdigest()
    return MailReply(code, said_in(_text(mail)), f"mail:{reference}")


def said_in(text: str) -> str:
    """The first line that is neither empty nor quoted nor says who wrote what follows."""
    for line in text.splitlines()[:_MOST_LINES]:
        stripped = line.strip().strip("\ufeff").strip()
        if not stripped or stripped[0] in ">＞|" or _ATTRIBUTION.match(stripped):
            continue
        return "" if _ORIGINAL.match(stripped) else stripped
    return ""


def _automatic(mail: EmailMessage) -> bool:
    submitted = next(_headers(mail, ("Auto-Submitted",)), "no").partition(";")[0].strip().lower()
    if submitted not in ("", "no") or any(name in mail for name in (*_LIST_HEADERS, *_AUTO_HEADERS)):
        return True
    if next(_headers(mail, ("Precedence",)), "").strip().lower() in ("bulk", "junk", "list", "auto_reply"):
        return True
    if any(value.strip() in ("<>", "") for value in _headers(mail, ("Return-Path",))):
        return True
    if mail.get_content_type() in ("multipart/report", "message/delivery-status"):
        return True
    if any(_MACHINES.search(value) for value in _headers(mail, ("From", "Sender"))):
        return True
    return any(_ABSENCES.match(value) for value in _headers(mail, ("Subject",)))


def _headers(mail: EmailMessage, names: Iterable[str]) -> Iterator[str]:
    """Values of these headers, whatever is wrong with them."""
    for name in names:
        try:
            values = mail.get_all(name, [])
        except (MessageError, ValueError, IndexError, AttributeError, KeyError):
            continue  # the library stumbles over some broken headers
        yield from (str(value) for value in values)


def _code(addresses: Iterable[str], reply_to: str) -> str | None:
    before, _, after = reply_to.partition(CODE)
    pattern = re.compile(re.escape(before) + "([a-z2-7]{24})" + re.escape(after), re.IGNORECASE)
    for value in addresses:
        if found := pattern.search(value):
            return found[1].lower()
    return None


def _text(mail: EmailMessage) -> str:
    """What is written in it: the plain part, else the HTML one without its tags and quotations."""
    for kind in ("plain", "html"):
        for part in mail.walk():
            if part.get_content_type() == f"text/{kind}" and part.get_content_disposition() != "attachment":
                text = _decoded(part)
                return text if kind == "plain" else _without_tags(text)
    return ""


def _decoded(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    charset = (part.get_content_charset() or "utf-8").lower()
    charset = "gb18030" if charset in ("gb2312", "gbk") else charset
    try:
        return data.decode(charset, "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("blockquote", "style", "script", "head", "title"):
            self._hidden += 1
        if tag in ("br", "p", "div", "tr", "li"):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("blockquote", "style", "script", "head", "title"):
            self._hidden = max(0, self._hidden - 1)
        if tag in ("p", "div", "tr", "li"):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data.replace("\n", " "))


def _without_tags(html: str) -> str:
    reader = _Text()
    reader.feed(html)
    reader.close()
    return "".join(reader.parts)
