"""The services that the library Apprise speaks to; it blocks, so each message has a thread and a time limit."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import quote

from apprise import Apprise, AppriseAsset, NotifyBase
from apprise.common import OverflowMode, PersistentStoreMode
from apprise.manager_plugins import NotificationManager
from pydantic import SecretStr

from reeve.rulelang.template_limits import RenderingFailed
from reeve.runtime.providers.apprise_file import AppriseFile
from reeve.runtime.providers.faults import Fault, ProvidersRefused
from reeve.runtime.providers.fields import RENDERER
from reeve.runtime.providers.posts import public_id
from services.notify.channels.apprise_words import hush, listening, outcome_of
from services.notify.channels.base import Outcome, Reason, Result, Text
from services.notify.channels.certificates import Connecting

_ADDRESSED = frozenset({"to", "to_digits"})
_TRY_TO = "8613800000000"
_TRY_HOST = "host.example"


class AppriseProvider:
    """Sends through one Apprise address, `connections` at a time at most."""

    def __init__(self, file: AppriseFile, secrets: Mapping[str, SecretStr]) -> None:
        """Raises ProvidersRefused (permanent) when Apprise does not know the address."""
        hush()
        self.name: str = file.name
        self.channel: str = file.channel
        self._file = file
        self._secrets = {name: each.get_secret_value() for name, each in secrets.items()}
        self._addressed = any(use.name in _ADDRESSED for use in RENDERER.names(file.url))
        self._asset = AppriseAsset(
            app_id="Reeve",
            app_desc="Reeve",
            async_mode=False,
            secure_logging=True,
            http_redirects=False,
            # Texts hold what people typed: nothing in them is a template, an escape or an emoji's name.
            allow_templates=False,
            interpret_escapes=False,
            interpret_emojis=False,
            pem_autogen=False,
            pgp_autogen=False,
            storage_mode=PersistentStoreMode.MEMORY,
        )
        self._check()
        self._connecting = Connecting(file.name)
        self._places = asyncio.Semaphore(file.connections)
        self._threads = ThreadPoolExecutor(file.connections, thread_name_prefix=f"apprise-{file.name}")

    async def send(self, text: Text) -> Outcome:
        """One attempt. Apprise hands back no ids, so there is no reference."""
        async with self._places:
            return replace(await self._attempt(text), provider=self.name)

    async def close(self) -> None:
        """No message is begun any more; what a thread has in hand ends by its own time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _attempt(self, text: Text) -> Outcome:
        try:
            url = self._url(text.to, text)
        except RenderingFailed:
            return Outcome(Result.PERMANENT, Reason.REFUSED)
        await text.on_wire()  # Apprise does not say when it connects and when it writes
        sending = self._threads.submit(self._send, url, text.subject, text.body)
        # Between them the limits of Apprise's own sockets may add up to more.
        limit = self._file.timeout.total_seconds() * 2
        try:
            async with asyncio.timeout(limit):
                outcome = await asyncio.wrap_future(sending)
        except TimeoutError:
            # One that has not begun is not sent any more; one that has may go out yet.
            begun = not sending.cancel()
            return Outcome(Result.UNKNOWN, Reason.TIMEOUT) if begun else Outcome(Result.TRANSIENT, Reason.BUSY)
        if outcome.reason is Reason.CERTIFICATE:
            self._connecting.not_trusted("it can't be verified")
        elif outcome.result is Result.SENT:
            self._connecting.worked()
        return outcome

    def _send(self, url: str, subject: str, body: str) -> Outcome:
        """In a thread of its own. Whatever a plugin raises is an outcome: its words may hold keys and texts."""
        with listening() as words:
            service = self._service(url)
            if service is None:
                reason = Reason.BAD_ADDRESS if self._addressed else Reason.REFUSED
                return Outcome(Result.PERMANENT, reason)
            sender = Apprise(asset=self._asset)
            sender.add(service)
            sent = bool(sender.notify(body=body, title=subject, body_format=self._file.format))
            return outcome_of(sent, words, addressed=self._addressed)

    def _service(self, url: str) -> NotifyBase | None:
        found = Apprise.instantiate(url, asset=self._asset, suppress_exceptions=True)
        if found is None:
            return None
        seconds = self._file.timeout.total_seconds()
        if not re.search(r"[?&](cto|rto)=", url):
            found.socket_connect_timeout = min(4.0, seconds)
            found.socket_read_timeout = seconds
        if "overflow=" not in url:
            found.overflow_mode = OverflowMode.SPLIT
        return found

    def _url(self, to: str, text: Text | None) -> str:
        # An address is a part of a URL, never more of it: no signs of its own get into it.
        context = {
            "to": quote(to, safe=""),
            "to_digits": quote(to.lstrip("+"), safe=""),
            "id": public_id(text.id) if text else "x",
            "message": quote(text.message, safe="") if text else "x",
            "language": quote(text.language, safe="") if text else "x",
            "secrets": self._secrets,
        }
        return RENDERER.render(self._file.url, context)

    def _check(self) -> None:
        with listening():
            try:
                url = self._url(_TRY_TO, None)
            except RenderingFailed as error:
                raise self._refused(f"template: {error}") from None
            scheme = url.partition("://")[0].lower()
            known = _services()
            if "://" not in url or scheme not in known:
                raise self._refused("Apprise knows no such service; https://appriseit.com/services/ lists them")
            if not known[scheme].enabled:
                raise self._refused(f"Apprise needs a library for {scheme}:// that is not installed")
            # What recipients' addresses are like, only the service knows.
            if not self._addressed and self._service(url) is None:
                raise self._refused(f"no {scheme}:// address is written so; appriseit.com/services/ says how")
            elsewhere = self._service(self._url(_TRY_HOST, None)) if self._addressed else None
            if elsewhere is not None and "host" in elsewhere.template_tokens and elsewhere.host == _TRY_HOST:
                # Whoever enters an address would choose which server of our own network is called.
                raise self._refused("a recipient's address must not choose the host: put {{ to }} behind it")

    def _refused(self, sentence: str) -> ProvidersRefused:
        return ProvidersRefused([Fault(self.name, None, "url", sentence)])


def _services() -> NotificationManager:
    """Every service of Apprise, by scheme; the first to ask waits for them to be loaded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its modules import is its own affair
        known = NotificationManager()  # type: ignore[no-untyped-call]
        known.load_modules()  # type: ignore[no-untyped-call]
    return known
