"""The address that mail comes from."""

from __future__ import annotations

from email.utils import parseaddr


def sender_address(sender: str) -> tuple[str, str]:
    """(name, address) of `Reeve <reeve@example.org>`. Raises ValueError when that is no address."""
    name, address = parseaddr(sender)
    broken = any(character in sender for character in "\r\n\0")
    if not address.partition("@")[2] or not address.isascii() or broken:
        raise ValueError("the sender must be an address like Reeve <reeve@example.org>")
    return name, address
