"""What is wrong with something posted, told without repeating what was posted (PRIVACY-01)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import Literal as OneOf

from pydantic import BaseModel, ConfigDict, Field

from reeve.domain.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where (a JSON path from `$`), what kind of thing was found, and what belongs there."""

    path: str
    found: str
    """The kind of value ("text", "a number with a fraction"), never the value of a field of free text."""
    expected: str

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}; found {self.found}"

    def as_json(self) -> dict[str, str]:
        """The fault as the row or problem document shows it."""
        return {"path": self.path, "found": self.found, "expected": self.expected}


class InvalidEvent(RefusedError):
    """What was posted is no event we can take; permanent. Holds every problem found."""

    def __init__(
        self,
        problems: tuple[Problem, ...],
        *,
        kind: OneOf["malformed", "invalid", "too_large"] = "invalid",
        id: str | None = None,
        site: str | None = None,
    ) -> None:
        super().__init__("; ".join(f"{p.path}: expected {p.expected}" for p in problems))
        self.problems = problems
        self.kind = kind
        """malformed: no JSON (400); invalid: JSON, but no event of ours (422); too_large (413)."""
        self.id = id
        """The `id` it gave itself, if that is a usable one."""
        self.site = site
        """The `site` it gave itself, if that is a usable one."""


class ProblemItem(BaseModel):
    """One fault in a posted body."""

    path: str = Field(description="JSON path, from `$`", examples=["$.data.due_on"])
    found: str = Field(description="The kind of thing found there", examples=["nothing"])
    expected: str = Field(description="What belongs there", examples=["a date like 2026-11-20"])


class ProblemDetails(BaseModel):
    """An error answer (RFC 9457, `application/problem+json`)."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    type: str = Field(default="about:blank", description="What kind of problem, as a URI")
    title: str = Field(description="The same for every problem of this kind")
    status: int = Field(description="The HTTP status")
    detail: str | None = Field(default=None, description="What to do about it, in a sentence")
    problems: list[ProblemItem] | None = Field(default=None, description="Every fault found in the body")


def problem_details(
    status: int, title: str, *, detail: str | None = None, problems: tuple[Problem, ...] = ()
) -> dict[str, Any]:
    """The body of an error answer (RFC 9457)."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if detail is not None:
        body["detail"] = detail
    if problems:
        body["problems"] = [p.as_json() for p in problems]
    return body
