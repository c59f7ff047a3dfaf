"""GET and POST /ack/{token}: a recipient acknowledges from the message itself.

The page shows a button and nothing about anybody: link previews fetch it, and must not acknowledge.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from reeve.domain.events import Event, event_key
from reeve.ports import StoreAway, TimeSource
from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore
from reeve.runtime.telemetry import get_log
from services.intake.collector import EventCollector, Overloaded

SOURCE = "/reeve/ack"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>Reeve</title>
<style>body{{font:1.1rem/1.6 system-ui,sans-serif;max-width:28rem;margin:20vh auto;padding:0 1rem}}
body{{text-align:center}}
button{{font:inherit;padding:.8rem 2rem;border:0;border-radius:.4rem;background:#1b5e8c;color:#fff}}</style></head>
<body>{body}</body></html>
"""
_ASK = (
    '<p lang="zh">确认已收到并由您处理？</p><p>Confirm that you take care of this?</p>'
    '<form method="post"><button type="submit">确认 · Confirm</button></form>'
)
_DONE = '<p lang="zh">已确认，谢谢。</p><p>Confirmed, thank you.</p>'
_BEFORE = '<p lang="zh">此前已确认。</p><p>This was confirmed before.</p>'
_EXPIRED = '<p lang="zh">链接已过期。</p><p>This link has expired.</p>'
_UNKNOWN = '<p lang="zh">链接无效。</p><p>This link is not valid.</p>'
_AWAY = (
    '<p lang="zh">暂时无法确认，请稍后再试。</p><p>This can\'t be confirmed right now; please try again soon.</p>'
)

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class AckPages:
    """Serves the confirm button and takes the confirmation, once per token."""

    tokens: AckTokenStore
    collector: EventCollector
    time: TimeSource

    async def show(self, token: str) -> Response:
        """The button, whatever is asked how often; changes nothing."""
        try:
            found = await self.tokens.find(token)
        except StoreAway:
            return _page(503, _AWAY)
        return self._unusable(found) or _page(200, _ASK)

    async def confirm(self, token: str) -> Response:
        """The acknowledgement is in the record as an event of the case's family; a second time changes nothing."""
        try:
            found = await self.tokens.find(token)
            if (unusable := self._unusable(found)) is not None or found is None:
                return unusable or _page(404, _UNKNOWN)
            now = self.time.now()
            await self.collector.add([_acknowledgement(found, self.time)])
            await self.tokens.mark_used(found.hash, now)
        except (StoreAway, Overloaded):
            return _page(503, _AWAY)
        log.info(
            "A recipient acknowledged by link.", action="acknowledged_by_link", site=found.site, step=found.step
        )
        return _page(200, _DONE)

    def _unusable(self, found: AckToken | None) -> Response | None:
        if found is None:
            return _page(404, _UNKNOWN)
        if found.used_at is not None:
            return _page(200, _BEFORE)
        if found.expires_at <= self.time.now():
            return _page(410, _EXPIRED)
        return None


def _acknowledgement(token: AckToken, time: TimeSource) -> Event:
    return Event(
        site=token.site,
        source=SOURCE,
        id=token.hash,
        type=f"{token.family}.acknowledged",
        subject=token.subject,
        at=time.now(),
        data={"acknowledged_by": token.recipient, "acknowledged_step": token.step},
        key=event_key(token.site, SOURCE, token.hash),
    )


def _page(status: int, body: str) -> Response:
    headers = dict(_HEADERS)
    if status == 503:
        headers["Retry-After"] = "5"
    return Response(_PAGE.format(body=body), status, media_type="text/html", headers=headers)
