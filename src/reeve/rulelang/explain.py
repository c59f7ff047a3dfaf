"""What an expression that is none should have been: lark says where it stopped, and this what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable

from lark import Token, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from reeve.domain.expressions import Position
from reeve.rulelang.branches import Branch, Start
from reeve.rulelang.build import Names, Place
from reeve.rulelang.grammar import as_branch, grammar
from reeve.rulelang.known_names import CLOCK_MOMENTS, KEYWORDS
from reeve.rulelang.normalise import Normal
from reeve.rulelang.problems import BadRule, Choice, Problem, closest, problem


def read_or_explain(start: Start, normal: Normal, place: Place, names: Names) -> Branch:
    """The branch that lark reads a text into. Raises BadRule where it reads none."""
    try:
        return as_branch(grammar().parse(normal.text, start=start))
    except UnexpectedInput as error:
        raise BadRule(_explain(error, start, normal, place, names)) from error


_SIGNS = {"&": "and", "|": "or", "!": "not", "^": "and"}
_UNITS = {
    "秒": "90s", "秒钟": "90s", "分": "10m", "分钟": "10m", "小时": "48h", "个小时": "48h", "天": "5d", "日": "5d",
    "周": "2 weeks", "星期": "2 weeks", "个月": "2 months", "月": "2 months", "年": "1 year",
    "sec": "90s", "secs": "90s", "min": "10m", "mins": "10m", "hr": "48h", "hrs": "48h", "mo": "2 months",
    "y": "2 years", "yr": "2 years", "yrs": "2 years", "个工作日": "2 working days", "工作日": "2 working days",
}  # fmt: skip
_CHINESE_WORDS = {
    "且": "and",
    "并且": "and",
    "和": "and",
    "或": "or",
    "或者": "or",
    "非": "not",
    "不": "not",
    "包含": "contains",
}
_DONE = {"$END"}


def _explain(error: UnexpectedInput, start: Start, normal: Normal, place: Place, names: Names) -> Problem:
    text = normal.text
    if isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type in _DONE):
        return _unfinished(text, normal, place, start)
    index: int = getattr(error, "pos_in_stream", None) or 0
    if isinstance(error, UnexpectedToken) and isinstance(error.token, Token):
        index = error.token.start_pos or 0
    here = place.position(normal.offset(index))
    rest = text[index:]
    before = text[:index].rstrip()
    if clock := re.search(r"\d{1,2}:\d{2}(:\d{2})?", text[max(0, index - 2) : index + 6]):
        start_of = max(0, index - 2) + clock.start()
        if start_of <= index <= start_of + len(clock[0]):
            return problem(place.position(normal.offset(start_of)), "time_of_day", found=clock[0])
    if found := _by_number(text, index, lambda at: place.position(normal.offset(at))):
        return found
    if rest[0] in "\"'“‘「”’":
        if isinstance(error, UnexpectedCharacters):
            return problem(here, "quote_not_closed", found=rest[:30])
        return problem(here, "missing_operator", before=_last_word(before), found=_word(rest))
    if rest[0] in _SIGNS:
        return problem(
            here, "wrong_operator", found=rest[:2] if rest[1:2] == rest[0] else rest[0], right=_SIGNS[rest[0]]
        )
    word = _word(rest)
    if word in _CHINESE_WORDS:
        return problem(here, "wrong_operator", found=word, right=_CHINESE_WORDS[word])
    if rest[0] == ")" or (rest[0] == "]"):
        return problem(here, "bracket_not_opened", found=rest[0])
    if isinstance(error, UnexpectedCharacters) and not (rest[0].isalnum() or rest[0] in "_()[]<>=!+-,.%"):
        return problem(here, "unknown_sign", found=rest[0])
    return _by_words(start, here, before, word, names)


def _by_words(start: Start, here: Position, before: str, word: str, names: Names) -> Problem:
    last = _last_word(before)
    if word.lower() in KEYWORDS and word != word.lower():
        return problem(here, "keyword_case", found=word, right=word.lower())
    if word == "if" and start != "trigger":
        return problem(here, "if_not_here")
    if start == "limit":
        return problem(here, "limit_syntax", found=word)
    if word == "(" and last:
        return problem(here, "no_such_function", found=last)
    if not before or last in KEYWORDS or before[-1] in "<>=(,+-":
        return problem(here, "value_expected", found=word, after=last or before[-1:] or "…")
    if start == "trigger" and last in names.clocks:
        moments = (*CLOCK_MOMENTS, "undated")
        return problem(here, "unknown_moment", found=word, choice=Choice(word, moments))
    if word[0].isalpha() and (guess := closest(word, ("and", "or", "not", "in", "contains", "matches"))):
        return problem(here, "unknown_operator", found=word, right=guess)
    return problem(here, "missing_operator", before=last or before[-1:], found=word)


def _by_number(text: str, index: int, at: Callable[[int], Position]) -> Problem | None:
    start = index
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] in "_.,"):
        start -= 1
    match = re.compile(r"(\d[\d_,.]*)\s*(\w*)").match(text, start)
    if match is None:
        start = index - len(text[:index]) + len(re.sub(r"\d+(\.\d+)?\s*$", "", text[:index]))
        match = re.compile(r"(\d[\d_,.]*)\s*(\w*)").match(text, start)
    if match is None:
        return None
    number, unit = match[1], match[2]
    here = at(start)
    if re.search(r"[_,]\d", number) or re.match(r"_\d", unit):
        return problem(here, "number_grouped", found=number + unit, right=re.sub(r"[^\d.]", "", number + unit))
    if unit in ("万", "亿", "千", "百"):
        factor = {"万": 10_000, "亿": 100_000_000, "千": 1_000, "百": 100}[unit]
        right = f"{int(float(number[:15]) * factor)}" if re.fullmatch(r"\d+(\.\d+)?", number[:15]) else "100000"
        return problem(here, "number_grouped", found=number + unit, right=right)
    if unit in _UNITS:
        return problem(here, "unknown_unit", found=number + unit, right=re.sub(r"^\d+", number, _UNITS[unit]))
    if chinese := next((word for word in ("并且", "或者", "且", "或") if unit.startswith(word)), None):
        return problem(at(match.start(2)), "wrong_operator", found=chinese, right=_CHINESE_WORDS[chinese])
    if unit and unit not in _CHINESE_WORDS and not any(closest(unit, (word,)) or unit == word for word in KEYWORDS):
        if unit == "M":
            return problem(here, "unknown_unit", found=f"{number}M", right=f"{number}m / {number} months")
        units = ("working days", "working hours", "months", "years", "minutes", "hours", "days", "weeks", "seconds")
        meant = closest(unit, units)
        right = f"{number} {meant}" if meant is not None else f"{number}m / {number}h / {number}d"
        return problem(here, "unknown_unit", found=match[0], right=right)
    return None


def _unfinished(text: str, normal: Normal, place: Place, start: Start) -> Problem:
    if text.count("(") > text.count(")"):
        index = text.rindex("(")
        return problem(place.position(normal.offset(index)), "bracket_not_closed", found="(")
    if text.count("[") > text.count("]"):
        index = text.rindex("[")
        return problem(place.position(normal.offset(index)), "bracket_not_closed", found="[")
    end = max(len(text.rstrip()) - 1, 0)
    return problem(
        place.position(normal.offset(end)),
        f"{start}_unfinished",
        after=_last_word(text.rstrip()) or text.rstrip()[-2:],
    )


def _word(text: str) -> str:
    match = re.match(r"\w+|.", text)
    return match[0] if match else text[:1]


def _last_word(text: str) -> str:
    match = re.search(r"\w+$", text)
    return match[0] if match else ""
