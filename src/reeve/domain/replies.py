"""What a short reply says: I take it, escalate now, or I need more time. Anything else says nothing: never guess.

`1`, `2`, `3 45`, the same in full-width forms, or a few words in Chinese and English, perhaps with the code of the
message it answers (`1 K7`), perhaps with the quoted message after it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal as OneOf

Answer = OneOf["acknowledged", "escalated", "delayed"]
"""The verb of the event that it becomes."""

MOST_MINUTES = 120
"""That can be granted in all, for one step in one run of a case."""
USUAL_MINUTES = 30
"""What `3` without a number asks for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that was understood."""

    answer: Answer
    minutes: int | None = None
    """delayed: how many are asked for, at least 1; what is granted of them is for the case to say."""
    code: str | None = None
    """Which message it answers, as `K7`; None: the newest."""


_BY_NUMBER: dict[str, Answer] = {"1": "acknowledged", "2": "escalated", "3": "delayed"}

_WORDS: dict[str, Answer] = dict.fromkeys(
    (
        *("收到", "已收到", "确认", "已确认", "好的", "好", "明白", "知道了", "知悉", "已知悉", "了解"),
        *("我来处理", "马上处理", "我接手", "接手", "👍", "👌", "✅"),
        *("ok", "okay", "ack", "acknowledge", "acknowledged", "confirm", "confirmed", "got it", "received"),
        *("roger", "on it"),
    ),
    "acknowledged",
)
_WORDS |= dict.fromkeys(
    (
        *("升级", "请升级", "立即升级", "马上升级", "转上级", "请转上级", "转领导", "上报", "请上报", "报上级"),
        *("escalate", "escalate now"),
    ),
    "escalated",
)
_WORDS |= dict.fromkeys(
    (
        *(
            "稍等",
            "请稍等",
            "稍后",
            "等一下",
            "等等",
            "需要时间",
            "需要更多时间",
            "更多时间",
            "缓办",
            "延后",
            "推迟",
        ),
        *("more time", "need more time", "i need more time", "wait", "please wait", "later", "delay", "snooze"),
    ),
    "delayed",
)
_WITH_A_NUMBER = ("需要", "等", "再等", "再给我", "给我", "还要", "need", "i need", "give me")
"""These ask for time only where minutes follow."""
_COURTESY = (
    *("谢谢您", "谢谢你", "谢谢", "多谢", "您好", "你好", "请", "了", "啦", "哦", "哈", "🙏"),
    *("thanks", "thank you", "thx", "please", "hi", "hello"),
)
_AFTER_MINUTES = ("后", "左右", "more", "please")
_UNITS: dict[str, int] = dict.fromkeys(("分钟", "分", "minutes", "minute", "mins", "min", "m"), 1)
_UNITS |= dict.fromkeys(("个小时", "小时", "hours", "hour", "h"), 60)
_HALF_AN_HOUR = ("半小时", "半个小时", "half an hour")

_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFE0F, 0xFEFF))
_QUOTED = re.compile(r"[【>|「『《]|-{2,}|_{2,}|={2,}")
"""Here the quoted message begins, where something stands before it."""
_BETWEEN = re.compile(r"[\s,.;:!、。·~…()\[\]#+*'\"“”‘’-]*")
_NUMBER = re.compile(r"[0-9]{1,4}(?![0-9])")
_CODE = re.compile(r"[a-z][2-9]{1,3}(?![a-z0-9])")
_LATIN = re.compile(r"[a-z0-9]")
_BY_LENGTH = sorted({*_WORDS, *_WITH_A_NUMBER, *_COURTESY, *_AFTER_MINUTES, *_HALF_AN_HOUR}, key=len, reverse=True)
_UNITS_BY_LENGTH = sorted(_UNITS, key=len, reverse=True)
_MOST_CHARACTERS = 200
"""Of the line that speaks: nobody needs more to say so little."""


def parse_reply(text: str) -> Reply | None:
    """What the first line that says something says; None where that is none of the words, or more than them."""
    line = first_line(text)
    if quoted := _QUOTED.search(line, 1):
        line = line[: quoted.start()]
    return _Reading(line).reply() if 0 < len(line) <= _MOST_CHARACTERS else None


def first_line(text: str) -> str:
    """The first line that is not empty, in half-width lower-case forms; empty: there is none."""
    normal = unicodedata.normalize("NFKC", text[:4000]).casefold().translate(_INVISIBLE)
    return next((line.strip() for line in normal.splitlines() if line.strip()), "")


class _Reading:
    """One line, word by word."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        self._answer: Answer | None = None
        self._minutes: int | None = None
        self._code: str | None = None
        self._needs_minutes = False

    def reply(self) -> Reply | None:
        while self._skip() < len(self._line):
            if not (self._read_number() or self._read_code() or self._read_word()):
                return None
        if self._answer is None or (self._needs_minutes and self._minutes is None):
            return None
        code = self._code.upper() if self._code else None
        if self._answer != "delayed":
            return None if self._minutes is not None else Reply(self._answer, None, code)
        return Reply("delayed", self._minutes or USUAL_MINUTES, code)

    def _skip(self) -> int:
        found = _BETWEEN.match(self._line, self._at)
        self._at = found.end() if found else self._at
        return self._at

    def _read_number(self) -> bool:
        found = _NUMBER.match(self._line, self._at)
        if found is None:
            return False
        self._at = found.end()
        unit = self._unit()
        number = found[0]
        if self._answer is None and unit is None and number in _BY_NUMBER:
            return self._take(_BY_NUMBER[number])
        if self._answer != "delayed" or self._minutes is not None or int(number) == 0:
            return False
        self._minutes = int(number) * (unit or 1)
        return True

    def _unit(self) -> int | None:
        before = self._at
        self._skip()
        for word in _UNITS_BY_LENGTH:
            if self._stands_here(word):
                self._at += len(word)
                return _UNITS[word]
        self._at = before
        return None

    def _read_code(self) -> bool:
        found = _CODE.match(self._line, self._at)
        if found is None or self._code not in (None, found[0]):
            return False
        self._code = found[0]
        self._at = found.end()
        return True

    def _read_word(self) -> bool:
        word = next((each for each in _BY_LENGTH if self._stands_here(each)), None)
        if word is None:
            return False
        self._at += len(word)
        if word in _WORDS:
            return self._take(_WORDS[word])
        if word in _WITH_A_NUMBER:
            self._needs_minutes = True
            return self._take("delayed")
        if word in _HALF_AN_HOUR:
            if self._answer != "delayed" or self._minutes is not None:
                return False
            self._minutes = 30
            return True
        return word in _COURTESY or self._minutes is not None

    def _take(self, answer: Answer) -> bool:
        if self._answer not in (None, answer):
            return False
        self._answer = answer
        return True

    def _stands_here(self, word: str) -> bool:
        if not self._line.startswith(word, self._at):
            return False
        end = self._at + len(word)
        return not (_LATIN.match(word[-1]) and _LATIN.match(self._line, end))
