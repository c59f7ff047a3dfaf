"""The one page that shows what arrived at the sinks; everything on it came from outside and is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from reeve.devstack.mailbox import Received

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_SHOWN_CHARACTERS = 4_000
_LINK = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*)?")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem;
  color: #222; }
h1 { font-size: 1.3rem; } .none, .meta { color: #666; }
article { border: 1px solid #ddd; border-left: 4px solid #2a7ae2; border-radius: 4px; margin: 1rem 0;
  padding: .6rem 1rem; }
article.sms { border-left-color: #2e9e5b; } article.refused { border-left-color: #c0392b; opacity: .75; }
h2 { font-size: 1rem; margin: .2rem 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0; }
"""


def render_page(messages: Sequence[Received]) -> str:
    """A whole HTML document, newest message first; it reloads itself every 3 seconds."""
    shown = "\n".join(_article(message) for message in reversed(messages))
    nothing = '<p class="none">Nothing has arrived yet. Try <code>reeve demo</code>.</p>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3">'
        f"<title>Reeve: {len(messages)} messages arrived</title><style>{_STYLE}</style></head><body>"
        "<h1>What arrived: email and SMS that would have left this machine</h1>"
        f'<p class="meta">{len(messages)} kept, newest first; the same as JSON: '
        f'<a href="/messages">/messages</a></p>'
        f"{shown or nothing}</body></html>"
    )


def _article(message: Received) -> str:
    refused = " refused" if not message.accepted else ""
    heading = escape(message.subject) or "SMS"
    recipients = escape(", ".join(message.to)) or "nobody"
    text = message.text[:_SHOWN_CHARACTERS]
    more = "\n…" if len(message.text) > _SHOWN_CHARACTERS else ""
    return (
        f'<article class="{message.channel}{refused}"><h2>{heading}</h2>'
        f'<div class="meta">#{message.number} · {message.channel}{escape(refused)} · '
        f"{message.at:%Y-%m-%d %H:%M:%S} UTC · to {recipients}</div>"
        f"<pre>{_with_links(text)}{more}</pre></article>"
    )


def _with_links(text: str) -> str:
    """Escaped text in which http and https addresses can be clicked."""
    parts: list[str] = []
    end = 0
    for match in _LINK.finditer(text):
        address = match[0].rstrip(".,;:!?)")
        parts.append(escape(text[end : match.start()]))
        parts.append(f'<a href="{escape(address)}" rel="noreferrer noopener">{escape(address)}</a>')
        end = match.start() + len(address)
    return "".join([*parts, escape(text[end:])])
