"""An SMS gateway described in a YAML file: any provider with an HTTP call takes a file and no code.

See docs/gateways/ for examples. Values in `{{ }}` are templates (reeve/rulelang/templates.py) over `to`,
`to_digits`, `text`, `unicode`, `id`, `message`, `language`, `secrets.<name>`, and where the file has `templates`
over `template.code` and `template.params`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from typing import Literal as OneOf

from pydantic import Field, model_validator

from services.notify.channels.base import Reason
from services.notify.channels.gateway_auth import SIGNED, Auth, TencentAuth
from services.notify.channels.gateway_fields import (
    RENDERER,
    JsonPath,
    Pattern,
    Strict,
    TemplateText,
    check_tree,
    compile_pattern,
    texts_in,
)
from services.notify.channels.provider_templates import Templates

_ABSENT = object()
_ALL_PARAMS = re.compile(r"\{\{\s*template\.params\s*\}\}")


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
        if found is _ABSENT:
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


class ErrorRule(Strict):
    """How an answer that is no success is to be taken."""

    when: Test
    then: OneOf["transient", "throttled", "permanent", "unknown"]
    """throttled: transient, because there were too many; permanent: another way is looked for at once."""
    reason: Reason | None = None


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


class Gateway(Strict):
    """One provider's HTTP call."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
    method: OneOf["GET", "POST", "PUT"] = "POST"
    url: TemplateText
    query: dict[str, TemplateText] = Field(default_factory=dict)
    headers: dict[str, TemplateText] = Field(default_factory=dict)
    form: dict[str, TemplateText] | None = None
    json_: Annotated[Any, Field(alias="json")] = None
    body: TemplateText | None = None
    auth: Auth | None = None
    secrets: dict[str, str] = Field(default_factory=dict)
    """Name in templates → environment variable that holds it."""
    templates: Templates | None = None
    """For a provider that sends approved templates only; `text` goes nowhere then but into a parameter."""
    success: Test = Test(status=(200, 201, 202, 204))
    message_id: MessageId | None = None
    errors: tuple[ErrorRule, ...] = ()
    timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 10.0

    @model_validator(mode="after")
    def _one_body(self) -> Gateway:
        given = [self.form is not None, self.json_ is not None, self.body is not None]
        if sum(given) > 1:
            raise ValueError("give one of form, json and body")
        if any(given) and self.method == "GET":
            raise ValueError("a GET has no body; put the fields into query")
        check_tree(self.json_)
        return self

    @model_validator(mode="after")
    def _can_be_signed(self) -> Gateway:
        if isinstance(self.auth, SIGNED) and "?" in self.url:
            raise ValueError("this auth signs the query too: put the fields of the url into query")
        if isinstance(self.auth, TencentAuth) and (self.json_ is None or self.query or self.method != "POST"):
            raise ValueError("auth of kind tencent signs a POST with json, and without query")
        return self

    @model_validator(mode="after")
    def _templates_go_somewhere(self) -> Gateway:
        texts = [text for _, text in self.texts()]
        if self.templates and not any(use.name == "template" for each in texts for use in RENDERER.names(each)):
            raise ValueError("templates are given, but neither query nor body says {{ template.code }}")
        return self

    def texts(self) -> list[tuple[tuple[str, ...], str]]:
        """Every template that goes into a request, with its place in the file; those of `templates` left out."""
        found: list[tuple[tuple[str, ...], str]] = [(("url",), self.url)]
        named = {"query": self.query, "headers": self.headers, "form": self.form or {}}
        found += [((part, name), text) for part, fields in named.items() for name, text in fields.items()]
        found += [(("json",), text) for text in texts_in(self.json_) if not _ALL_PARAMS.fullmatch(text)]
        if any(_ALL_PARAMS.fullmatch(text) for text in texts_in(self.json_)):
            found.append((("json",), "{{ template.params | tojson }}"))
        if self.body is not None:
            found.append((("body",), self.body))
        if self.auth is not None:
            values = self.auth.model_dump(exclude={"kind"})
            found += [(("auth", name), text) for name, text in values.items()]
        return found


def render_tree(tree: Any, context: Mapping[str, Any]) -> Any:
    """The JSON value with every text in it rendered; `{{ template.params }}` alone stays a list or an object."""
    if isinstance(tree, str):
        if _ALL_PARAMS.fullmatch(tree) and "template" in context:
            return context["template"]["params"]
        return RENDERER.render(tree, context)
    if isinstance(tree, Mapping):
        return {str(key): render_tree(value, context) for key, value in tree.items()}
    if isinstance(tree, list):
        return [render_tree(value, context) for value in tree]
    return tree


def json_at(answer: Any, path: str) -> Any:
    """The value at a dotted path (list places are numbers), or a marker that equals nothing."""
    for part in path.split("."):
        if isinstance(answer, dict) and part in answer:
            answer = answer[part]
        elif isinstance(answer, list) and part.isdigit() and int(part) < len(answer):
            answer = answer[int(part)]
        else:
            return _ABSENT
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
