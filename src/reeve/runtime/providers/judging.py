"""What a provider's answer is held against: its status, a pattern in its body, a value in its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from typing import Literal as OneOf

from pydantic import Field, model_validator

from reeve.runtime.providers.fields import JsonPath, Pattern, Strict, compile_pattern

ABSENT = object()
"""What stands at a path that leads nowhere; equals nothing."""


class JsonTest(Strict):
    """A value inside a JSON answer, by its path (`result.0.code`), and what it must be or look like."""

    path: JsonPath
    is_: Annotated[list[str | int | bool | None] | None, Field(alias="is", min_length=1)] = None
    matches: Pattern | None = None
    """A pattern found anywhere in it; `^` binds it to the beginning."""

    @model_validator(mode="after")
    def _one_test(self) -> JsonTest:
        if (self.is_ is None) == (self.matches is None):
            raise ValueError("give one of is and matches")
        return self

    def holds(self, answer: Any) -> bool:
        """Whether the value is as wanted; text and numbers of the same spelling are the same."""
        found = json_at(answer, self.path)
        if found is ABSENT:
            return False
        if self.matches is None:
            return any(_same(found, wanted) for wanted in self.is_ or ())
        scalar = isinstance(found, str | int | float) and not isinstance(found, bool)
        return scalar and compile_pattern(self.matches).search(str(found).encode(errors="replace")) is not None


class Test(Strict):
    """What an answer is like; everything named must hold."""

    __test__ = False  # pytest is not meant

    status: tuple[int, ...] = ()
    body: Pattern | None = None
    json_: Annotated[JsonTest | None, Field(alias="json")] = None

    @model_validator(mode="after")
    def _tests_something(self) -> Test:
        if not self.status and self.body is None and self.json_ is None:
            raise ValueError("give status, body or json: nothing holds of every answer")
        return self

    def holds(self, status: int, body: bytes, answer: Any) -> bool:
        """`answer` is the body read as JSON, or None."""
        if self.status and status not in self.status:
            return False
        if self.body is not None and compile_pattern(self.body).search(body) is None:
            return False
        return self.json_ is None or self.json_.holds(answer)


SaidReason = OneOf[
    "bad_address",
    "busy",
    "credentials",
    "disconnected",
    "no_template",
    "provider_error",
    "refused",
    "timeout",
    "unreachable",
]
"""Of all reasons those that an answer can give; the others are Reeve's own."""


class ErrorRule(Strict):
    """How an answer that is no success is to be taken."""

    when: Test
    then: OneOf["transient", "throttled", "permanent", "unknown"]
    """throttled: transient, because there were too many; permanent: another way is looked for at once."""
    reason: SaidReason | None = None


class MessageId(Strict):
    """Where the provider's own id of the message stands: one of the three."""

    body: Pattern | None = None
    json_: Annotated[JsonPath | None, Field(alias="json")] = None
    header: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> MessageId:
        if sum(each is not None for each in (self.body, self.json_, self.header)) != 1:
            raise ValueError("give one of json, header and body")
        return self


def json_at(answer: Any, path: str) -> Any:
    """The value at a dotted path (list places are numbers), or a marker that equals nothing."""
    for part in path.split("."):
        if isinstance(answer, dict) and part in answer:
            answer = answer[part]
        elif isinstance(answer, list) and part.isdigit() and int(part) < len(answer):
            answer = answer[int(part)]
        else:
            return ABSENT
    return answer


def found_id(where: MessageId | None, body: bytes, answer: Any, headers: Mapping[str, str]) -> str | None:
    """The provider's id of the message, at most 200 characters."""
    if where is None:
        return None
    found: Any = None
    if where.header is not None:
        found = headers.get(where.header)
    elif where.json_ is not None:
        found = json_at(answer, where.json_)
    elif where.body is not None and (match := compile_pattern(where.body).search(body)) is not None:
        found = (match.group(1) if compile_pattern(where.body).groups else match.group(0)).decode(errors="replace")
    return str(found)[:200] if isinstance(found, str | int) else None


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool) or found is None or wanted is None:
        return found is wanted
    return not isinstance(found, dict | list) and str(found) == str(wanted)
