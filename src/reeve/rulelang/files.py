"""What stands in each file of a bundle, before names and expressions mean anything.

Aliases are the keys as operators write them; values are text until `compile` reads them.
"""

from __future__ import annotations

from typing import Annotated, Any
from typing import Literal as OneOf

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from reeve.rulelang.flood_shapes import OptionalBudget, OptionalDigest
from reeve.rulelang.shapes import (
    Day,
    Expression,
    Label,
    Name,
    Points,
    Raise,
    Shape,
    Share,
    Some,
    Times,
    Truth,
    Whole,
    Words,
)


class CountShape(Shape):
    """`times_on_incident: {of: ticket.opened, same: incident, within: 90d}`."""

    of: Expression
    same: Some = Field(default=[])
    distinct: str | None = None
    within: str | None = None


class GradeShape(Shape):
    """One item of `grades`."""

    grade: Label
    title: Words = Field(default={})
    if_: Expression | None = Field(default=None, alias="if")


class PauseShape(Shape):
    """`pause: {from: ticket.waiting, to: ticket.resumed}`."""

    from_: Expression = Field(alias="from")
    to: Expression


def _by_grade(value: Any) -> Any:
    return {"": value} if isinstance(value, str) else value


class ClockShape(Shape):
    """One item of `clocks`."""

    title: Words = Field(default={})
    start: Expression
    stop: Expression
    pause: PauseShape | None = None
    restart: Truth = False
    limit: Annotated[dict[str, str], BeforeValidator(_by_grade, json_schema_input_type=dict[str, str] | str)]


class RepeatShape(Shape):
    """`repeat: {every: 5m, times: 3}`."""

    every: str
    times: Times | None = None


class OpenShape(Shape):
    """`open: {policy: follow_up}`."""

    policy: str


def _opening(value: Any) -> Any:
    return {"policy": value} if isinstance(value, str) else value


class RungShape(Shape):
    """What a step and each `then` have in common."""

    notify: Some = Field(default=[])
    via: Some = Field(default=[])
    message: Label | None = None
    repeat: RepeatShape | None = None
    after: str | None = None
    raise_grade: Raise = 0
    reopen: Truth = False
    open: Annotated[OpenShape | None, BeforeValidator(_opening, json_schema_input_type=OpenShape | str | None)] = (
        None
    )
    then: ThenShape | None = None


class ThenShape(RungShape):
    """A rung of a step after the first."""


class StepShape(RungShape):
    """One item of `steps`."""

    name: Label
    on: Expression
    if_: Expression | None = Field(default=None, alias="if")
    grades: Some = Field(default=[])
    once_per: Name | None = None
    until: Expression | None = None
    ack: OneOf["ignore"] | None = None
    sample: Share | None = None


def _grades(value: Any) -> Any:
    if not isinstance(value, str):
        return {"list": value}
    words = value.split()
    if len(words) != 2 or words[0] != "from":
        raise PydanticCustomError("grades_from", "{found}", {"code": "grades_from", "found": value[:40]})
    return {"fact": words[1]}


GradesFrom = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^\s*from\s+\S+\s*$"})]


class GradesShape(Shape):
    """A list of grades, worst first, or `from <fact>`."""

    list: Annotated[tuple[GradeShape, ...], Field(strict=False)] = ()
    fact: str | None = None


class PolicyShape(Shape):
    """`<policy>.yaml`."""

    policy: str | None = None
    title: Words = Field(default={})
    takes: str
    if_: Expression | None = Field(default=None, alias="if")
    on_change: OneOf["pin", "adopt", "recompute"] = "pin"
    on_reopen: OneOf["raise_grade", "keep_grade"] = "raise_grade"
    opens: OneOf["child"] | None = None
    counts: dict[Name, CountShape] = Field(default={})
    grades: Annotated[
        GradesShape, BeforeValidator(_grades, json_schema_input_type=list[GradeShape] | GradesFrom)
    ] = GradesShape()
    clocks: dict[Name, ClockShape] = Field(default={})
    steps: list[StepShape] = Field(default=[])
    close: Expression | None = None


def _quiet(value: Any) -> Any:
    return {"from": "00:00", "to": "00:00"} if value in ("none", "off") else value


class QuietShape(Shape):
    """`quiet: {from: "21:00", to: "08:00", except: [major]}`."""

    from_: str = Field(alias="from")
    to: str
    except_: Some = Field(default=[], alias="except")


class SiteShape(Shape):
    """`site.yaml` and `sites/<site>.yaml`; the second overrides the first key by key."""

    language: str | None = None
    title: Words = Field(default={})
    zone: str | None = None
    locale: str | None = None
    calendar: str | None = None
    parent: str | None = None
    opening: dict[str, str] = Field(default={})
    channels: dict[str, Some] = Field(default={})
    quiet: Annotated[
        QuietShape | None,
        BeforeValidator(_quiet, json_schema_input_type=QuietShape | OneOf["none", "off"] | None),
    ] = None
    """`none` at a site switches off what site.yaml says: hours that begin where they end."""
    owner_messages: OneOf["any time", "opening hours"] | None = None
    merge: str | None = None
    """A length; `none` at a site switches off what site.yaml says."""
    digest: OptionalDigest = None
    payment_reminders: OneOf["one a day", "all"] | None = None
    sms_budget: OptionalBudget = None
    subjects: OneOf["plain", "digest"] | None = None
    ladder: dict[str, str] = Field(default={})
    vocabulary: dict[str, str] = Field(default={})


def _channel_text(value: Any) -> Any:
    return {"": value} if isinstance(value, str) else value


ChannelText = Annotated[dict[str, str], BeforeValidator(_channel_text, json_schema_input_type=dict[str, str] | str)]
"""{subject, body}; a single text is under the empty key."""


class MessagesShape(Whole[dict[Label, dict[str, dict[str, ChannelText]]]]):
    """`messages.yaml`, `messages/*.yaml`: message → language → channel → text, or {subject, body}."""


class CalendarShape(Shape):
    """`calendars/<name>.yaml`."""

    name: str | None = None
    known_until: Day | None = None
    holidays: list[Day] = Field(default=[])
    workdays: list[Day] = Field(default=[])


class LateShape(RungShape):
    """`late: {notify: property_manager}`."""


class ReportShape(Shape):
    """`report: {cases: complaint, period: month, by: [grade], having: count >= 1}`."""

    cases: Some
    period: OneOf["day", "week", "month", "quarter", "half year", "year"]
    by: Some = Field(default=[])
    if_: Expression | None = Field(default=None, alias="if")
    having: Expression | None = None
    sum: Some = Field(default=[])
    sample: Share | None = None


class DutyShape(Shape):
    """One item of `duties.yaml`."""

    duty: Label
    title: Words = Field(default={})
    every: str
    who: Some
    sites: Some = Field(default=[])
    unless: OneOf["rota"] | None = None
    sample: Share | None = None
    limit: Expression | None = None
    message: Label | None = None
    via: Some = Field(default=[])
    quiet: OneOf["ignore"] | None = None
    late: LateShape | None = None
    report: ReportShape | None = None


class DutiesShape(Whole[list[DutyShape]]):
    """`duties.yaml`."""


class ScoreShape(Shape):
    """One item of `score.yaml`."""

    points: Points
    on: Expression
    if_: Expression | None = Field(default=None, alias="if")
    to: str
    fact: str | None = None
    title: Words = Field(default={})


class ScoresShape(Whole[list[ScoreShape]]):
    """`score.yaml`."""


FileShape = PolicyShape | SiteShape | MessagesShape | CalendarShape | DutiesShape | ScoresShape
