"""Collection `reply_codes`: which message a reply means, by the address it was sent to and a short code in it.

Addresses are here only as keyed digests. A code is unique among the messages of its address for two days; a mail's
is part of the address that it is answered to, unguessable, and good for as long as the message can be answered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import IndexModel

from reeve.runtime.store.ack_tokens import VALID_FOR
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, insert_missing, store_errors

COLLECTION = "reply_codes"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (
        IndexModel([("address", 1), ("at", -1)], name="by_address"),
        IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),
    )
}

NEWEST_WITHIN = timedelta(hours=24)
"""A reply without a code means the newest message of so long."""
_CODE_FOR = timedelta(hours=48)
"""How long a short code means the same message."""

_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ"
_DIGITS = "23456789"
_CHINESE_MOBILE = re.compile(r"1[3-9][0-9]{9}")


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery about to be sent, whose reader may reply."""

    delivery: str
    """Id of the delivery."""
    notification: str
    recipient: str
    token: str
    """Hash of the acknowledgement token."""
    address: str
    """The number or mail address it goes to."""

    def __repr__(self) -> str:
        # The address is personal data.
        return f"Sending(delivery={self.delivery!r})"


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A message that may be meant by a reply."""

    code: str
    token: str
    delivery: str
    at: datetime
    """When it was about to be sent."""


def number_of(address: str) -> str:
    """The digits of a phone number with its country: `+86 138…`, `0086138…` and `138…` are the same.

    Without a country, eleven digits that look like a Chinese mobile are one.
    """
    text = unicodedata.normalize("NFKC", address).strip()
    digits = re.sub(r"[^0-9]", "", text)
    if text.startswith("+"):
        return digits
    if digits.startswith("00"):
        return digits[2:]
    return f"86{digits}" if _CHINESE_MOBILE.fullmatch(digits) else digits


class ReplyCodes:
    """Every method raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._codes: MongoCollection = database[COLLECTION]
        self._secret = secret

    def digest(self, number: str) -> str:
        """What stands for a phone number in the record: 32 hex digits, meaningless without the secret."""
        return hmac.new(self._secret, f"address\0{number_of(number)}".encode(), hashlib.sha256).hexdigest()[:32]

    async def issue_short(self, sendings: Sequence[Sending], now: datetime) -> list[str]:
        """A code for each in order, unlike every other that its number has now. Issued again it is the same."""
        ids: dict[str, str] = {}
        numbers = {each.delivery: self.digest(each.address) for each in sendings}
        candidates = {each.delivery: self._candidates(each.delivery) for each in sendings}
        while left := [each for each in sendings if each.delivery not in ids]:
            tried = {one.delivery: f"{numbers[one.delivery]}/{next(candidates[one.delivery])}" for one in left}
            documents: dict[str, Document] = {}
            for each in left:
                document = _document(tried[each.delivery], each, now, _CODE_FOR)
                documents.setdefault(document["_id"], document | {"address": numbers[each.delivery]})
            with store_errors():
                await insert_missing(self._codes, list(documents.values()))
                found = await self._codes.find({"_id": {"$in": list(documents)}}, {"delivery": 1}).to_list()
            holders = {each["_id"]: each["delivery"] for each in found}
            ids |= {delivery: key for delivery, key in tried.items() if holders.get(key) == delivery}
        return [ids[each.delivery].rpartition("/")[2] for each in sendings]

    async def issue_mail(self, sendings: Sequence[Sending], now: datetime) -> list[str]:
        """A code for each in order, opaque and of lower-case letters and digits: for the address to answer to."""
        codes = [self._mail_code(each) for each in sendings]
        documents = [
            _document(_mail_id(code), each, now, VALID_FOR) for code, each in zip(codes, sendings, strict=True)
        ]
        with store_errors():
            await insert_missing(self._codes, documents)
        return codes

    async def of_number(self, number: str, code: str | None, now: datetime) -> list[Awaiting]:
        """The messages of the last 24 hours to that number, newest first; with a code, the one it names."""
        digest = self.digest(number)
        query: Document = {"address": digest, "at": {"$gt": now - NEWEST_WITHIN}}
        if code is not None:
            query = {"_id": f"{digest}/{code}"}
        with store_errors():
            found = await self._codes.find(query).sort("at", -1).limit(200).to_list()
        return [_awaiting(each) for each in found]

    async def of_mail(self, code: str) -> Awaiting | None:
        """The message whose answers go to an address with that code."""
        with store_errors():
            found = await self._codes.find_one({"_id": _mail_id(code.lower())})
        return None if found is None else _awaiting(found)

    def _candidates(self, delivery: str) -> Iterator[str]:
        """Codes to try for a delivery, always the same ones: a letter and digits, more of them with every try."""
        for attempt in itertools.count():
            digits = 1 if attempt < 12 else 2 if attempt < 40 else 3
            mac = hmac.new(self._secret, f"code\0{delivery}\0{attempt}".encode(), hashlib.sha256).digest()
            tail = "".join(_DIGITS[byte % len(_DIGITS)] for byte in mac[1 : 1 + digits])
            yield _LETTERS[mac[0] % len(_LETTERS)] + tail

    def _mail_code(self, each: Sending) -> str:
        said = f"mail\0{each.notification}\0{each.recipient}\0{each.delivery}".encode()
        mac = hmac.new(self._secret, said, hashlib.sha256).digest()
        return base64.b32encode(mac[:15]).decode().lower()


def _document(id: str, each: Sending, now: datetime, kept: timedelta) -> Document:
    return {"_id": id, "token": each.token, "delivery": each.delivery, "at": now, "forget_at": now + kept}


def _mail_id(code: str) -> str:
    return "mail/" + hashlib.sha256(code.encode()).hexdigest()


def _awaiting(document: Document) -> Awaiting:
    return Awaiting(document["_id"].rpartition("/")[2], document["token"], document["delivery"], document["at"])
