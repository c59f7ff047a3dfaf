"""Provider files are read, and every fault in them named at its line; what they send is tried on sample values."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from typing import Literal as OneOf
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import Node

from reeve.rulelang.template_limits import RenderingFailed
from reeve.runtime.providers.apprise_file import AppriseFile
from reeve.runtime.providers.faults import Fault, Place, ProvidersRefused, fault_at, sentence_of
from reeve.runtime.providers.fields import RENDERER, WRITTEN_OUT, for_posts, named_texts
from reeve.runtime.providers.file import ProviderFile
from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.smtp_file import SmtpFile
from reeve.runtime.providers.webhook_file import WebhookFile

AnyFile = HttpFile | SmtpFile | WebhookFile | AppriseFile
KINDS: dict[str, type[AnyFile]] = {
    "http": HttpFile,
    "smtp": SmtpFile,
    "webhook": WebhookFile,
    "apprise": AppriseFile,
}
DEFAULT_FOLDER = Path("channels")

_CALLED_SECRET = re.compile(
    r"password|passwd|pwd|(?:.*[-_])?secret|(?:x[-_])?api[-_]?key|(?:.*[-_])?token|authorization", re.IGNORECASE
)
_LEFT_OUT = ("query", "headers", "form", "json")
"""Keys whose fields are left out of a request where they would ask for posts that can't come."""

_NO_SMPP = (
    "Reeve speaks no SMPP: no library for it is kept well enough (docs/adr/0010-no-smpp.md). Let Kannel or Jasmin "
    "speak it, and call that by HTTP: examples/channels/kannel.yaml"
)


@dataclass(frozen=True, slots=True)
class Configured:
    """One provider, ready to be opened."""

    file: AnyFile
    secrets: Mapping[str, SecretStr] = field(repr=False)
    """By their names in the file's templates."""
    source: str
    """The file it stands in, or the setting."""
    missing: tuple[str, ...] = ()
    """Environment variables that the file names, that are not set, and that it can be used without."""

    @property
    def name(self) -> str:
        """Its name in the file."""
        return self.file.name

    @property
    def channel(self) -> str:
        """The channel it serves."""
        return self.file.channel


Secrets = OneOf["all", "webhooks", "none"]
"""What the environment is looked through for: all, to send; webhooks, to take posts; none, to look at the files.

What sending needs must be set. Without what posts are verified with, a provider is used all the same, and as if its
file had no webhooks: nobody waits for receipts that can't come, and nobody is asked for an answer.
"""


def load_providers(
    folder: Path | None,
    sms_gateway: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    also: Iterable[Configured] = (),
    secrets: Secrets = "all",
) -> list[Configured]:
    """Every provider of the folder, of REEVE_SMS_GATEWAY and `also`, by channel, order and name.

    `folder` None is `channels` if there is one. Raises ProvidersRefused (permanent) with all faults at once.
    """
    found, faults = check_providers(folder, sms_gateway, environment=environment, also=also, secrets=secrets)
    if faults:
        raise ProvidersRefused(faults)
    return found


def check_providers(
    folder: Path | None,
    sms_gateway: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    also: Iterable[Configured] = (),
    secrets: Secrets = "all",
) -> tuple[list[Configured], list[Fault]]:
    """What can be used, and what is wrong with the rest."""
    known = os.environ if environment is None else environment
    found: list[Configured] = []
    faults: list[Fault] = []
    if folder is None and DEFAULT_FOLDER.is_dir():
        folder = DEFAULT_FOLDER
    sources: list[str] = []
    if folder is not None:
        try:
            sources = [str(path) for path in files_in(folder)]
        except (FileNotFoundError, NotADirectoryError):
            faults.append(Fault(str(folder), None, "", "there is no such folder; REEVE_CHANNELS names it"))
        except OSError as error:
            faults.append(Fault(str(folder), None, "", f"the folder can't be read: {error.strerror}"))
    if sms_gateway:
        sources.append(sms_gateway)
    for source in sources:
        try:
            found.append(load_provider(source, known, secrets=secrets))
        except ProvidersRefused as refused:
            faults += refused.faults
    places: dict[str, str] = {}
    for each in (found := [*found, *also]):
        first = places.setdefault(each.name, each.source)
        if first != each.source:
            faults.append(
                Fault(each.source, None, "name", f"{each.name} is the name of {first} too: give it another")
            )
    return sorted(found, key=lambda one: (one.channel, one.file.order, one.name)), faults


def files_in(folder: Path) -> list[Path]:
    """The provider files of a folder, in the order of their names. Raises OSError."""
    return sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.name[0] != ".")


def load_provider(
    setting: str, environment: Mapping[str, str] | None = None, *, secrets: Secrets = "all"
) -> Configured:
    """One provider. `setting` is its YAML file, or a URL that takes a JSON {to, text, id}.

    Raises ProvidersRefused (permanent) with all faults at once.
    """
    known = os.environ if environment is None else environment
    if setting.startswith(("http://", "https://")):
        body = {"to": "{{ to }}", "text": "{{ text }}", "id": "{{ id }}"}
        return Configured(
            HttpFile.model_validate({"name": "http", "url": setting, "json": body}), {}, "REEVE_SMS_GATEWAY"
        )
    description, root = _read(setting)
    model = _model_of(setting, root, description)
    try:
        file = model.model_validate(description)
    except ValidationError as error:
        others = {kind: other for kind, other in KINDS.items() if other is not model}
        told = [sentence_of(fault, model, others) for fault in error.errors(include_input=False, include_url=False)]
        raise _refused(setting, root, told) from None
    if faults := [*_written_out(file), *_faults_of_a_trial(file)]:
        raise _refused(setting, root, faults)
    unset = {name: variable for name, variable in file.secrets.items() if not known.get(variable)}
    needed = _used_to_send(file) if secrets == "all" else frozenset()
    if faults := [
        (("secrets", name), f"the environment variable {variable} is not set")
        for name, variable in unset.items()
        if name in needed
    ]:
        raise _refused(setting, root, faults)
    if secrets != "none" and _used_by_webhooks(file) & unset.keys():
        file = file.model_copy(update={"webhooks": None, "receipts": None, "inbound": None})
    held = {name: SecretStr(known[variable]) for name, variable in file.secrets.items() if name not in unset}
    return Configured(file, held, setting, tuple(unset.values()))


def _refused(source: str, root: Node | None, faults: Sequence[tuple[Place, str]]) -> ProvidersRefused:
    found = [fault_at(source, root, place, sentence) for place, sentence in faults]
    return ProvidersRefused(sorted(found, key=lambda fault: fault.line or 0))


def _read(source: str) -> tuple[Any, Node | None]:
    try:
        text = Path(source).read_text("utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise ProvidersRefused(
            [Fault(source, None, "", f"{type(error).__name__}: the file can't be read")]
        ) from None
    try:
        return YAML(typ="safe", pure=True).load(text), YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        twice = re.match(r'found duplicate key "([^"]{1,60})"', str(getattr(error, "problem", "")))
        sentence = f"the key {twice[1]} stands twice: keep one" if twice else "this is no YAML"
        raise ProvidersRefused([Fault(source, mark.line + 1 if mark else None, "", sentence)]) from None


def _model_of(source: str, root: Node | None, description: Any) -> type[AnyFile]:
    if not isinstance(description, dict):
        raise _refused(source, root, [((), "this should be keys with values: name, kind, …")])
    kind = description.get("kind", "http")
    if kind == "smpp":
        raise _refused(source, root, [(("kind",), _NO_SMPP)])
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise _refused(source, root, [(("kind",), f"there is no such kind: one of {', '.join(sorted(KINDS))}")])
    return model


def _used_by_webhooks(file: ProviderFile) -> frozenset[str]:
    return _secrets_in(text for _, text in _webhook_texts(file))


def _used_to_send(file: ProviderFile) -> frozenset[str]:
    """All but those that only posts need: what is verified, and where the provider is asked to post to."""
    sent = (text for place, text in file.texts() if place[0] not in _LEFT_OUT or not for_posts(text))
    only_posts = _used_by_webhooks(file) - _secrets_in(sent)
    return frozenset(file.secrets) - only_posts


def _secrets_in(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(name for text in texts for name in re.findall(r"\bsecrets\.(\w+)", text))


def _webhook_texts(file: ProviderFile) -> list[tuple[Place, str]]:
    if file.webhooks is None:
        return []
    values = file.webhooks.auth.model_dump(include={"token", "secret", "auth_token"})
    return [(("webhooks", "auth", name), text) for name, text in values.items()]


def _written_out(file: AnyFile) -> list[tuple[Place, str]]:
    """Fields that are called like a secret and hold a text of their own, in what is sent over HTTP."""
    parts = {name: getattr(file, name, None) for name in ("query", "headers", "form", "json_")}
    return [
        ((name.rstrip("_"), *place), WRITTEN_OUT)
        for name, fields in parts.items()
        for place, text in named_texts(fields)
        if _CALLED_SECRET.fullmatch(str(place[-1])) and text and "{{" not in text
    ]


def _faults_of_a_trial(file: AnyFile) -> Iterator[tuple[Place, str]]:
    """What sending would stumble on: a name that is not there, a URL that is none."""
    trials: list[dict[str, Any] | None] = [None]
    if isinstance(file, HttpFile) and file.templates is not None:
        trials = [{"code": each.code, "params": each.params} for each in file.templates.values()]
    seen: set[tuple[Place, str]] = set()
    for trial in trials:
        context = _sample(file, trial)
        for place, text in (*file.texts(), *_webhook_texts(file)):
            only = {"secrets": context["secrets"]} if isinstance(file, SmtpFile) or "webhooks" in place else context
            fault = _fault_of(file, place, text, only)
            if fault is not None and fault not in seen:
                seen.add(fault)
                yield fault


def _sample(file: AnyFile, trial: Mapping[str, Any] | None) -> dict[str, Any]:
    context: dict[str, Any] = dict.fromkeys(("text", "id", "message", "language"), "x")
    to = "https://a.example/" if file.channel == "webhook" else "+8613800000000"
    context |= {"to": to, "to_digits": "8613800000000", "unicode": True, "subject": "x"}
    context |= dict.fromkeys(("receipts_url", "inbound_url"), "https://a.example/")
    context |= {"secrets": dict.fromkeys(file.secrets, "x")}
    return context if trial is None else context | {"template": trial}


def _elsewhere(context: Mapping[str, Any]) -> dict[str, Any]:
    """The same for another recipient and another text."""
    return {**context, **dict.fromkeys(("to", "to_digits", "text", "subject"), "host.example")}


def _fault_of(file: AnyFile, place: Place, text: str, context: Mapping[str, Any]) -> tuple[Place, str] | None:
    try:
        rendered = RENDERER.render(text, context)
    except RenderingFailed as error:
        names = [*(each for each in context if each != "secrets"), *(f"secrets.{each}" for each in file.secrets)]
        why = re.sub(r"'dict object' has no attribute ('.*')", r"nothing is called \1 here", str(error))
        return place, f"template: {why}; there is {', '.join(names) or 'no secret; name it under secrets'}"
    if place != ("url",) or isinstance(file, AppriseFile):
        return None
    parts = urlsplit(rendered)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None if rendered == "x" else (place, "this is no http:// or https:// address")
    if isinstance(file, HttpFile) and parts.netloc != urlsplit(RENDERER.render(text, _elsewhere(context))).netloc:
        return (
            place,
            "a recipient's address must not choose the host; files of kind webhook may post to it",
        )
    if isinstance(file, WebhookFile) and parts.scheme == "http" and parts.hostname not in file.allow_hosts:
        return place, f"without https only hosts under allow_hosts are called; add {parts.hostname} there"
    return None
