"""Where webhooks may go: an address that a recipient names must not reach into our own network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(Exception):
    """The address must not be called; the sentence never quotes it."""


class Unresolved(Exception):
    """The name leads nowhere just now."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a post goes."""

    host: str = field(repr=False)
    """As the URL names it: for the Host header and the certificate."""
    host_header: str = field(repr=False)
    url: str = field(repr=False)
    """With the address in place of the name: what was checked is called, wherever the name leads a moment later."""


async def checked_target(url: str, allowed: Collection[str]) -> Target:
    """Where to connect for the URL. Hosts in `allowed` may be inside our network and without https.

    Raises Forbidden (permanent), Unresolved (transient).
    """
    parts = _parts(url)
    host = (parts.hostname or "").lower()
    free = host in allowed
    if not free and parts.scheme != "https":
        raise Forbidden("webhooks go by https, or to a host under allow_hosts")
    addresses = await _resolved(host, parts.port or (443 if parts.scheme == "https" else 80))
    if not free and not all(is_public(each) for each in addresses):
        # One inside is enough to refuse: whoever controls the name would choose among them.
        raise Forbidden("the address is inside a private network, and its host is not under allow_hosts")
    address = addresses[0]
    place = f"[{address}]" if address.version == 6 else str(address)
    port = f":{parts.port}" if parts.port is not None else ""
    path = parts.path or "/"
    query = f"?{parts.query}" if parts.query else ""
    name = f"[{host}]" if ":" in host else host
    return Target(host, f"{name}{port}", f"{parts.scheme}://{place}{port}{path}{query}")


def is_public(address: Address) -> bool:
    """Whether it is an address of the public internet, also where it stands inside an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_public(inner)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Forbidden("this is no address") from None
    printable = all(" " < each < "\x7f" for each in url)
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not printable:
        raise Forbidden("this is no http:// or https:// address")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("an address with a user name in it is not called")
    return parts


async def _resolved(host: str, port: int) -> list[Address]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unresolved("the name leads nowhere") from None
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses:
        raise Unresolved("the name leads nowhere")
    return list(dict.fromkeys(addresses))
