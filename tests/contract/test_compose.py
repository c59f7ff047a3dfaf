"""docker-compose.yml and Dockerfile against the Compose schema and against the code they start."""

from __future__ import annotations

import json
import re
import shlex
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from reeve.cli.main import COMMANDS
from reeve.runtime.settings import PREFIX, ReeveSettings
from services.escalation.settings import EscalationSettings
from services.intake.settings import IntakeSettings
from services.notify.settings import NotifySettings

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, type[ReeveSettings]] = {
    "intake": IntakeSettings,
    "escalation": EscalationSettings,
    "notify": NotifySettings,
}


def compose() -> dict[str, Any]:
    file: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return file


def dockerfile() -> list[tuple[str, str]]:
    """(instruction, rest), continuation lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def known_names(settings: type[ReeveSettings]) -> set[str]:
    return {f"{PREFIX}{name.upper()}" for name in settings.model_fields}


def plain(value: str) -> str:
    """A value as Compose gives it when the shell has no such variable: `${NAME:-default}` is its default."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", value)


def test_the_compose_file_is_valid_by_the_specification() -> None:
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(vendored.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(compose())


@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_each_service_is_started_by_a_command_that_exists(service: str) -> None:
    command = compose()["services"][service]["command"]
    assert command == ["run", service]
    assert command[0] in COMMANDS
    assert (ROOT / "services" / service / "app.py").exists()
    assert ("ENTRYPOINT", '["reeve"]') in dockerfile()


@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_every_setting_of_a_service_is_one_it_reads_and_has_a_value_it_takes(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {name: plain(str(value)) for name, value in compose()["services"][service]["environment"].items()}
    assert set(environment) <= known_names(SETTINGS[service])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = SETTINGS[service].load()
    assert settings.nats_url == "nats://nats:4222"
    assert settings.mongo_url == "mongodb://mongo:27017/?replicaSet=rs0"
    assert getattr(settings, f"{service}_host") == "0.0.0.0"


@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_health_checks_and_ports_are_those_the_service_listens_on(service: str) -> None:
    spec = compose()["services"][service]
    port = SETTINGS[service].model_fields[f"{service}_port"].default
    assert spec["environment"][f"REEVE_{service.upper()}_PORT"] == str(port)
    assert spec["ports"] == [f"127.0.0.1:{port}:{port}"]
    kind, program, flag, code = spec["healthcheck"]["test"]
    assert (kind, program, flag) == ("CMD", "python", "-c")
    assert f"http://127.0.0.1:{port}/readyz" in code
    compile(code, "healthcheck", "exec")


def test_servers_keep_their_data_and_services_wait_for_them() -> None:
    services = compose()["services"]
    assert services["nats"]["volumes"] == ["nats:/data"]
    assert services["mongo"]["volumes"] == ["mongo:/data/db"]
    assert set(compose()["volumes"]) == {"nats", "mongo", "notify"}
    for service in SETTINGS:
        waits = services[service]["depends_on"]
        assert waits == {name: {"condition": "service_healthy"} for name in ("nats", "mongo")}


def test_what_notify_is_sending_outlives_its_container_and_it_may_write_there() -> None:
    notify = compose()["services"]["notify"]
    kept = {target: name for name, _, target in (volume.partition(":") for volume in notify["volumes"])}
    journal = Path(notify["environment"]["REEVE_NOTIFY_JOURNAL"])
    assert kept[str(journal.parent)] in compose()["volumes"]
    assert notify["read_only"] is True
    made = [shlex.split(rest) for word, rest in dockerfile() if word == "RUN" and rest.startswith("install ")]
    assert any("--owner=10001" in step and step[-1] == str(journal.parent) for step in made)
    rules = set(compose()["services"]["escalation"]["volumes"])
    assert rules <= set(notify["volumes"])


def test_whoever_sends_and_whoever_takes_receipts_know_the_same_providers() -> None:
    services = compose()["services"]
    for name in ("REEVE_CHANNELS", "REEVE_SMS_GATEWAY"):
        assert services["intake"]["environment"][name] == services["notify"]["environment"][name]


def test_the_servers_are_new_enough_and_mongodb_is_a_replica_set() -> None:
    services = compose()["services"]
    name, _, tag = services["nats"]["image"].partition(":")
    assert name == "nats"
    assert tuple(int(part) for part in tag.split("-")[0].split(".")) >= (2, 14)
    assert services["mongo"]["image"].startswith("mongo:8")
    member = services["mongo"]["healthcheck"]["test"][-1]
    assert "rs.initiate" in member
    assert "--replSet" in services["mongo"]["command"]
    # The member's address is the one that clients are told to use.
    assert "mongo:27017" in member


def test_nothing_is_published_to_other_machines() -> None:
    for service in compose()["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_image_runs_as_nobody_in_particular_and_without_a_compiler() -> None:
    steps = dockerfile()
    stages = [number for number, (word, _) in enumerate(steps) if word == "FROM"]
    assert len(stages) == 2
    last = steps[stages[-1] :]
    assert ("USER", "10001") in last
    assert not any("apt-get" in rest for word, rest in last if word == "RUN")


def test_the_image_listens_on_every_address_with_settings_that_exist() -> None:
    environment = dict(
        part.split("=", 1) for word, rest in dockerfile() if word == "ENV" for part in shlex.split(rest)
    )
    ours = {name for name in environment if name.startswith(PREFIX)}
    assert ours <= set().union(*(known_names(settings) for settings in SETTINGS.values()))
    assert {name for name in ours if name.endswith("_HOST")} == {f"REEVE_{name.upper()}_HOST" for name in SETTINGS}


def test_everything_that_is_copied_exists_and_is_let_through() -> None:
    kept = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    for word, rest in dockerfile():
        if word == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                name = source.removeprefix("./")
                assert (ROOT / name).exists(), name
                assert name in kept, name
