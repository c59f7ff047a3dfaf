"""A gateway's file is read, and every fault in it named at its line; a request is tried on sample values."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from reeve.domain.errors import ReeveError
from reeve.rulelang.templates import RenderingFailed
from services.notify.channels.gateway import ErrorRule, Gateway, JsonTest, MessageId, Test
from services.notify.channels.gateway_auth import AliyunAuth, BasicAuth, BearerAuth, TencentAuth
from services.notify.channels.gateway_fields import RENDERER, Strict
from services.notify.channels.provider_templates import ProviderTemplate

_MODELS: tuple[type[Strict], ...] = (
    *(Gateway, Test, JsonTest, ErrorRule, MessageId, ProviderTemplate),
    *(BasicAuth, BearerAuth, AliyunAuth, TencentAuth),
)
_KEYS = sorted({field.alias or name for model in _MODELS for name, field in model.model_fields.items()})
_TAGS = {"basic", "bearer", "aliyun", "tencent"}

_Place = tuple[str | int, ...]


class GatewayRefused(ReeveError):
    """The gateway's description can't be used; the message names what is wrong, never a secret."""


def load_gateway(
    setting: str, environment: Mapping[str, str] | None = None
) -> tuple[Gateway, dict[str, SecretStr]]:
    """The gateway and its secrets. `setting` is a YAML file, or a URL that takes a JSON {to, text, id}.

    Raises GatewayRefused (permanent) with all faults at once, a line each.
    """
    known = os.environ if environment is None else environment
    if setting.startswith(("http://", "https://")):
        description: Any = {
            "name": "http",
            "url": setting,
            "json": {"to": "{{ to }}", "text": "{{ text }}", "id": "{{ id }}"},
        }
        return Gateway.model_validate(description), {}
    description, root = _read(setting)

    def refused(faults: Sequence[tuple[_Place, str]]) -> GatewayRefused:
        lines = [f"{setting}{_line(root, place)}: {_path(place)}{sentence}" for place, sentence in faults]
        return GatewayRefused("\n".join(lines))

    try:
        gateway = Gateway.model_validate(description)
    except ValidationError as error:
        raise refused([_plain(fault) for fault in error.errors(include_input=False, include_url=False)]) from None
    if faults := list(_faults_of_a_trial(gateway)):
        raise refused(faults)
    missing = [(name, variable) for name, variable in gateway.secrets.items() if not known.get(variable)]
    if missing:
        raise refused(
            [(("secrets", name), f"the environment variable {variable} is not set") for name, variable in missing]
        )
    return gateway, {name: SecretStr(known[variable]) for name, variable in gateway.secrets.items()}


def _read(setting: str) -> tuple[Any, Node | None]:
    try:
        source = Path(setting).read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise GatewayRefused(f"{setting}: {type(error).__name__}: the gateway's file can't be read") from None
    try:
        return YAML(typ="safe", pure=True).load(source), YAML(typ="safe", pure=True).compose(source)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise GatewayRefused(f"{setting}{line}: this is no YAML") from None


def _plain(fault: Mapping[str, Any]) -> tuple[_Place, str]:
    """Where the fault is, and a sentence for somebody who knows YAML and not pydantic."""
    place: _Place = tuple(part for part in fault["loc"] if part not in ("[key]", "dict[str,str]", "list[str]"))
    if len(place) > 1 and place[0] == "auth" and place[1] in _TAGS:
        place = place[:1] + place[2:]
    match fault["type"]:
        case "extra_forbidden":
            close = difflib.get_close_matches(str(place[-1]), _KEYS, 1)
            return place, "there is no such key here" + (f"; did you mean {close[0]}?" if close else "")
        case "missing":
            return place, "this is missing"
        case "union_tag_not_found":
            return place, f"kind is missing: one of {', '.join(sorted(_TAGS))}"
        case "union_tag_invalid":
            return (*place, "kind"), f"there is no such kind: one of {', '.join(sorted(_TAGS))}"
        case "model_type" | "model_attributes_type":
            return place, "this should be keys with values"
        case _:
            return place, str(fault["msg"]).removeprefix("Value error, ")


def _faults_of_a_trial(gateway: Gateway) -> Iterator[tuple[_Place, str]]:
    """What sending would stumble on, for every template once: a name that is not there, a URL that is none."""
    trials: list[dict[str, Any] | None] = [None]
    if gateway.templates is not None:
        trials = [{"code": each.code, "params": each.params} for each in gateway.templates.values()]
    found: set[tuple[_Place, str]] = set()
    for trial in trials:
        context: dict[str, Any] = dict.fromkeys(("text", "id", "message", "language"), "x")
        context |= {"to": "+8613800000000", "to_digits": "8613800000000", "unicode": True}
        context |= {"secrets": dict.fromkeys(gateway.secrets, "x")}
        if trial is not None:
            context["template"] = trial
        for place, text in gateway.texts():
            try:
                rendered = RENDERER.render(text, context)
            except RenderingFailed as error:
                known = ", ".join(each for each in context if each != "secrets")
                secrets = ", ".join(f"secrets.{name}" for name in gateway.secrets)
                why = re.sub(r"'dict object' has no attribute ('.*')", r"nothing is called \1 here", str(error))
                fault = (place, f"template: {why}; there is {known}" + (f", {secrets}" if secrets else ""))
            else:
                parts = urlsplit(rendered)
                if place != ("url",) or (parts.scheme in ("http", "https") and parts.netloc):
                    continue
                fault = (place, "this is no http:// or https:// address")
            if fault not in found:
                found.add(fault)
                yield fault


def _path(place: _Place) -> str:
    return ".".join(str(part) for part in place) + ": " if place else "the file: "


def _line(root: Node | None, place: _Place) -> str:
    """`:12`, the line of the innermost part of the place that is in the file; empty where there is none."""
    node, line = root, 1 if root is not None else 0
    for part in place:
        if isinstance(node, MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return f":{line}" if line else ""
