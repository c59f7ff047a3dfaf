"""A provider called by HTTP: any that takes a request per message takes a file and no code.

See docs/providers.md. Values in `{{ }}` are templates (reeve/rulelang/templates.py) over `to`, `to_digits`, `text`,
`subject`, `unicode`, `id`, `message`, `language`, `receipts_url`, `inbound_url`, `secrets.<name>`, and where the
file has `templates` over `template.code` and `template.params`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from typing import Literal as OneOf

from pydantic import Field, model_validator

from reeve.runtime.providers.auth import SIGNED, Auth, TencentAuth
from reeve.runtime.providers.fields import RENDERER, TemplateText, check_tree, for_posts, texts_in
from reeve.runtime.providers.file import ProviderChannel, ProviderFile
from reeve.runtime.providers.judging import ErrorRule, MessageId, Test
from reeve.runtime.providers.templates import Templates

_ALL_PARAMS = re.compile(r"\{\{\s*template\.params\s*\}\}")


class HttpFile(ProviderFile):
    """One provider's HTTP call."""

    kind: OneOf["http"] = "http"
    channel: ProviderChannel = "sms"
    method: OneOf["GET", "POST", "PUT"] = "POST"
    url: TemplateText
    query: dict[str, TemplateText] = Field(default_factory=dict)
    headers: dict[str, TemplateText] = Field(default_factory=dict)
    form: dict[str, TemplateText] | None = None
    json_: Annotated[Any, Field(alias="json")] = None
    body: TemplateText | None = None
    auth: Auth | None = None
    templates: Templates | None = None
    """For a provider that sends approved templates only; `text` goes nowhere then but into a parameter."""
    success: Test = Test(status=(200, 201, 202, 204))
    message_id: MessageId | None = None
    errors: tuple[ErrorRule, ...] = ()

    @model_validator(mode="after")
    def _one_body(self) -> HttpFile:
        given = [self.form is not None, self.json_ is not None, self.body is not None]
        if sum(given) > 1:
            raise ValueError("give one of form, json and body")
        if any(given) and self.method == "GET":
            raise ValueError("a GET has no body; put the fields into query")
        check_tree(self.json_)
        return self

    @model_validator(mode="after")
    def _can_be_signed(self) -> HttpFile:
        if isinstance(self.auth, SIGNED) and "?" in self.url:
            raise ValueError("this auth signs the query too: put the fields of the url into query")
        if isinstance(self.auth, TencentAuth) and (self.json_ is None or self.query or self.method != "POST"):
            raise ValueError("auth of kind tencent signs a POST with json, and without query")
        return self

    @model_validator(mode="after")
    def _templates_go_somewhere(self) -> HttpFile:
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


def without_posts(tree: Any) -> Any:
    """The JSON value without the members and entries that name where the provider is to post to."""
    if isinstance(tree, Mapping):
        return {name: without_posts(value) for name, value in tree.items() if not _for_posts(value)}
    if isinstance(tree, list):
        return [without_posts(value) for value in tree if not _for_posts(value)]
    return tree


def _for_posts(value: Any) -> bool:
    return isinstance(value, str) and for_posts(value)


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
