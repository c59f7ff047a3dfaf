"""Providers that send nothing but templates they approved: which of theirs stands for which message of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from reeve.rulelang.message_context import FIXED
from reeve.rulelang.messages import TEMPLATES
from reeve.rulelang.template_limits import RenderingFailed
from reeve.runtime.providers.fields import Strict, checked

ANY = "*"
"""Stands for every message that has no entry of its own."""


def _params(value: Any) -> Any:
    texts = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("give names with texts ({case: '{{ case }}'}), or a list of texts where they go by number")
    for text in texts:
        checked(text, TEMPLATES)
    return dict(value) if isinstance(value, Mapping) else texts


class ProviderTemplate(Strict):
    """One approved template: its code, and what fills its variables."""

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    params: Annotated[dict[str, str] | list[str], BeforeValidator(_params)] = Field(default_factory=dict)
    """By name, or in order. Templates over what the message itself may name, with the filters of messages."""

    @property
    def sources(self) -> list[str]:
        """The texts of the parameters."""
        return list(self.params.values()) if isinstance(self.params, dict) else self.params


def _fit_for_all(templates: dict[str, ProviderTemplate]) -> dict[str, ProviderTemplate]:
    for key, template in templates.items():
        if key.partition(".")[0] != ANY:
            continue
        unknown = {use.name for text in template.sources for use in TEMPLATES.names(text)} - FIXED - {"text"}
        if unknown:
            raise ValueError(
                f"`{key}` stands for every message, and not every message has {', '.join(sorted(unknown))}; "
                f"it can use {', '.join(sorted(FIXED | {'text'}))}"
            )
    return templates


Templates = Annotated[
    dict[
        Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9_-]+)(\.[A-Za-z0-9-]+)?$")],
        ProviderTemplate,
    ],
    Field(min_length=1),
    AfterValidator(_fit_for_all),
]
"""`message`, `message.language`, `*` or `*.language` → the provider's template."""


def template_for(templates: Mapping[str, ProviderTemplate], message: str, language: str) -> ProviderTemplate | None:
    """The entry that says most about the message; `zh` does for `zh-CN`. None where not even `*` is there."""
    speech = dict.fromkeys((language, language.replace("_", "-").partition("-")[0]))
    keys = [key for each in (message, ANY) for key in (*(f"{each}.{word}" for word in speech), each)]
    return next((templates[key] for key in keys if key in templates), None)


def fill(template: ProviderTemplate, values: Mapping[str, Any], text: str) -> dict[str, Any]:
    """What the gateway's own texts see as `template`: `code` and `params`, each parameter on one line.

    Raises RenderingFailed, naming the parameter, never its value.
    """
    context = {**values, "text": text}

    def filled(name: str | int, source: str) -> str:
        try:
            return " ".join(TEMPLATES.render(source, context).split())
        except RenderingFailed as error:
            raise RenderingFailed(f"params.{name}: {error}") from None

    params: dict[str, str] | list[str]
    if isinstance(template.params, dict):
        params = {name: filled(name, source) for name, source in template.params.items()}
    else:
        params = [filled(place, source) for place, source in enumerate(template.params)]
    return {"code": template.code, "params": params}
