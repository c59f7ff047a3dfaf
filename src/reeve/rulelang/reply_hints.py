"""What a message says about answering it: `reply_code`, which names it exactly, and `reply_hint`, a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from reeve.rulelang.titles import DEFAULT_LANGUAGE, title_in

REPLY_NAMES = frozenset({"reply_code", "reply_hint"})
"""The names a template may use; both print as nothing where no answer is awaited, or none can come back."""

_HINT: Mapping[str, str] = {
    "zh": "回复1收到，2升级，3加分钟数缓办",
    "en": "Reply 1 to take it, 2 to escalate, 3 and minutes for more time",
}
_CODE: Mapping[str, str] = {"zh": "（编号{code}）", "en": " (code {code})"}


def reply_words(languages: tuple[str, ...], code: str, replies: bool = True) -> dict[str, str]:
    """Name → text in the first of the reader's languages that Reeve speaks.

    `code` is empty where the address that is answered to names the message already; `replies` says whether an
    answer can come back at all.
    """
    if not replies:
        return dict.fromkeys(REPLY_NAMES, "")
    hint = title_in(_HINT, languages, _HINT[DEFAULT_LANGUAGE])
    named = title_in(_CODE, languages, _CODE[DEFAULT_LANGUAGE]).format(code=code) if code else ""
    return {"reply_code": code, "reply_hint": hint + named}
