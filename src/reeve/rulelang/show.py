"""Conditions and values as text, one way of writing each: for messages, and to tell two conditions apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from reeve.domain import expressions as x
from reeve.domain.durations import Duration, Elapsed, Months, SameDay, WorkingDays, WorkingHours

_NO_WORDS: Mapping[str, str] = {}


def show(node: x.Node, words: Mapping[str, str] = _NO_WORDS) -> str:
    """The node as an operator could write it; equal text means equal meaning, whatever the positions.

    `words` says what a fact is called instead of its English name.
    """
    match node:
        case x.And(items):
            return " and ".join(f"({show(i, words)})" if isinstance(i, x.Or) else show(i, words) for i in items)
        case x.Or(items):
            return " or ".join(show(item, words) for item in items)
        case x.Not(item):
            return f"not ({show(item, words)})"
        case x.Compare(op, left, right):
            return f"{show(left, words)} {op} {show(right, words)}"
        case x.In(item, options):
            return f"{show(item, words)} in [{', '.join(map(show, options))}]"
        case x.Contains(whole, part):
            return f"{show(whole, words)} contains {show(part, words)}"
        case x.Matches(text, pattern):
            return f"{show(text, words)} matches {_quoted(pattern)}"
        case x.Known(item):
            return f"known({show(item, words)})"
        case x.IsTrue(item):
            return show(item, words)
    return show_value(node, words)


def show_value(value: x.Value, words: Mapping[str, str] = _NO_WORDS) -> str:
    """A value as written in a rule."""
    match value:
        case x.Fact(name):
            return words.get(name, name)
        case x.EventField(name):
            return f"event.{words.get(name, name)}"
        case x.EventType():
            return "event"
        case x.Shifted(base, sign, by):
            return f"{show_value(base, words)} {'+' if sign > 0 else '-'} {show_length(by)}"
        case x.Literal(constant):
            return show_constant(constant)


def spoken(node: x.Node | str, vocabulary: Mapping[str, str]) -> str:
    """A condition, value or name (`loss_cny`, `event.loss_cny`) in the words of the site's vocabulary.

    `vocabulary` is `SiteSettings.vocabulary`: the operator's word → the English name. A name with two words is
    called by the one that stands first; a name without a word keeps its own.
    """
    words = words_for(vocabulary)
    if isinstance(node, str):
        head, dot, name = node.rpartition(".")
        return f"{head}{dot}{words.get(name, name)}" if head in ("", "event") else node
    return show(node, words)


def words_for(vocabulary: Mapping[str, str]) -> dict[str, str]:
    """What each English name is called: the vocabulary turned round, the first word of a name first."""
    words: dict[str, str] = {}
    for word, name in vocabulary.items():
        words.setdefault(name, word)
    return words


def show_constant(value: x.Constant) -> str:
    """A constant as written in a rule."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return show_length(value)


def show_length(length: Duration) -> str:
    """A length of time as written in a rule."""
    match length:
        case Elapsed(seconds):
            for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
                if seconds % size == 0:
                    return f"{seconds // size}{unit}"
            return f"{seconds}s"
        case WorkingDays(days):
            return f"{days} working day{'s' * (days != 1)}"
        case WorkingHours(seconds):
            return f"{seconds // 3600} working hour{'s' * (seconds != 3600)}"
        case Months(months):
            return f"{months} month{'s' * (months != 1)}"
        case SameDay():
            return "same day"


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'
