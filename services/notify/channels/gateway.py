"""An SMS gateway described in a YAML file: any provider with an HTTP call takes a file and no code.

See docs/gateways/ for examples. Values in `{{ }}` are templates (reeve/rulelang/templates.py) over `to`,
`to_digits`, `text`, `unicode`, `id` and `secrets.<name>`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from typing import Literal as OneOf

import re2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from reeve.domain.errors import ReeveError
from reeve.rulelang.templates import Renderer, TemplateRefused
from services.notify.channels.base import Reason

RENDERER = Renderer({})

_ABSENT = object()


class GatewayRefused(ReeveError):
    """The gateway's description can't be used; the message names what is wrong, never a secret."""


def _template(value: str) -> str:
    try:
        RENDERER.check(value)
    except TemplateRefused as error:
        raise ValueError(f"template: {error}") from None
    return value


def _pattern(value: str) -> str:
    try:
        compile_pattern(value)
    except re2.error:
        raise ValueError("this pattern can't be read (RE2 syntax: no look-around, no back-references)") from None
    return value


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    """RE2, whose time grows with the text alone: an answer from outside can't make it hang."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern.encode(), options)


TemplateText = Annotated[str, AfterValidator(_template)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Path1 = Annotated[str, Field(pattern=r"^[^.]+(\.[^.]+)*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class JsonTest(_Strict):
    """A value inside a JSON answer, by its path (`result.0.code`), and what it must be."""

    path: Path1
    is_: Annotated[list[str | int | bool | None], Field(alias="is", min_length=1)]

    def holds(self, answer: Any) -> bool:
        """Whether the value is one of these; text and numbers of the same spelling are the same."""
        found = json_at(answer, self.path)
        return found is not _ABSENT and any(_same(found, wanted) for wanted in self.is_)


class Test(_Strict):
    """What an answer is like; everything named must hold."""

    __test__ = False  # pytest is not meant

    status: tuple[int, ...] = ()
    body: Pattern | None = None
    json_: Annotated[JsonTest | None, Field(alias="json")] = None

    def holds(self, status: int, body: bytes, answer: Any) -> bool:
        """`answer` is the body read as JSON, or None."""
        if self.status and status not in self.status:
            return False
        if self.body is not None and compile_pattern(self.body).search(body) is None:
            return False
        return self.json_ is None or self.json_.holds(answer)


class ErrorRule(_Strict):
    """How an answer that is no success is to be taken."""

    when: Test
    then: OneOf["transient", "permanent", "unknown"]
    reason: Reason | None = None


class MessageId(_Strict):
    """Where the provider's own id of the message stands: one of the three."""

    body: Pattern | None = None
    json_: Annotated[Path1 | None, Field(alias="json")] = None
    header: str | None = None


class Auth(_Strict):
    """How we prove who we are: basic (username, password) or bearer (token); values are templates."""

    kind: OneOf["basic", "bearer"]
    username: TemplateText = ""
    password: TemplateText = ""
    token: TemplateText = ""


class Gateway(_Strict):
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
        _check_tree(self.json_)
        return self


def load_gateway(
    setting: str, environment: Mapping[str, str] | None = None
) -> tuple[Gateway, dict[str, SecretStr]]:
    """The gateway and its secrets. `setting` is a YAML file, or a URL that takes a JSON {to, text, id}.

    Raises GatewayRefused (permanent) with all faults at once.
    """
    known = os.environ if environment is None else environment
    if setting.startswith(("http://", "https://")):
        description: Any = {
            "name": "http",
            "url": setting,
            "json": {"to": "{{ to }}", "text": "{{ text }}", "id": "{{ id }}"},
        }
    else:
        try:
            description = YAML(typ="safe", pure=True).load(Path(setting).read_text("utf-8"))
        except (OSError, UnicodeError) as error:
            raise GatewayRefused(f"{setting}: {type(error).__name__}: the gateway's file can't be read") from None
        except YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark is not None else ""
            raise GatewayRefused(f"{setting}{line}: this is no YAML") from None
    try:
        gateway = Gateway.model_validate(description)
    except ValidationError as error:
        faults = [
            f"{setting}: {'.'.join(str(part) for part in fault['loc']) or 'the file'}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise GatewayRefused("\n".join(faults)) from None
    missing = [variable for variable in gateway.secrets.values() if not known.get(variable)]
    if missing:
        raise GatewayRefused(f"{setting}: these environment variables are not set: {', '.join(sorted(missing))}")
    return gateway, {name: SecretStr(known[variable]) for name, variable in gateway.secrets.items()}


def render_tree(tree: Any, context: Mapping[str, Any]) -> Any:
    """The JSON value with every text in it rendered."""
    if isinstance(tree, str):
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


def _check_tree(tree: Any) -> None:
    if isinstance(tree, str):
        _template(tree)
    elif isinstance(tree, Mapping):
        for value in tree.values():
            _check_tree(value)
    elif isinstance(tree, list):
        for value in tree:
            _check_tree(value)
