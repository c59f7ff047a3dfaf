"""What the bench measures rules with: a big bundle that nothing is wrong with, a change that open cases follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from reeve.cli.stack.bench import SECTION_NAMES
from reeve.contracts.events import canonical
from reeve.devstack.bench.activation_section import changed_rules
from reeve.devstack.bench.many_rules import many_rules
from reeve.devstack.bench.programs import BenchFailed
from reeve.devstack.bench.rig import complaints
from reeve.devstack.bench.rules_section import simulated_rate
from reeve.devstack.bench.sections import SECTIONS
from reeve.rulelang.load import load_bundle, read_folder
from reeve.runtime.bundles import following
from tests.support.simulation import moment

RULES = Path(__file__).parents[3] / "rules"


def test_the_command_names_every_section() -> None:
    assert tuple(SECTIONS) == SECTION_NAMES


def test_the_big_bundle_has_so_many_rules_and_no_problem() -> None:
    first, second = (load_bundle(many_rules(10, 97, seed)) for seed in (1, 2))
    assert first.problems == ()
    policies = first.require().policies.values()
    assert len(policies) == 10
    assert sum(len(each.grades) + len(each.clocks) + len(each.steps) for each in policies) == 97
    assert not set(first.require().policies) & set(second.require().policies)


def test_the_changed_rules_are_followed_by_open_complaints_only() -> None:
    first, second = (load_bundle(files).require() for files in changed_rules(read_folder(RULES)))
    changed = {name for name, policy in second.policies.items() if policy.digest != first.policies[name].digest}
    assert changed == {"complaint"}
    assert "complaint" in following(first)
    assert following(second)["complaint"] == second.policies["complaint"].digest


def test_rules_without_complaints_can_not_be_measured_so() -> None:
    with pytest.raises(BenchFailed, match=r"no complaint\.yaml"):
        changed_rules({"site.yaml": b""})


async def test_a_simulation_of_what_came_in_has_a_rate(tmp_path: Path) -> None:
    file, at = tmp_path / "events.ndjson", moment("2026-03-02 09:00")
    file.write_bytes(b"\n".join(canonical(event) for event in complaints(20, at)))
    assert await simulated_rate(RULES, file, 20, at) > 0
