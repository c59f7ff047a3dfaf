"""How policies fit together: events two of them take, children nobody opens, cases nothing closes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

from reeve.domain import expressions as x
from reeve.domain.bundle import Policy
from reeve.domain.duties import POLICY
from reeve.rulelang.compile import triggers_in
from reeve.rulelang.problems import Choice, Problem, problem
from reeve.rulelang.regions import Cases
from reeve.rulelang.value_cells import Facts


def check_policy(policy: Policy) -> Iterator[Problem]:
    """What can be said of one policy alone."""
    counted = {id(count.of) for count in policy.counts}
    for trigger in triggers_in(policy):
        for alternative in trigger.alternatives if id(trigger) not in counted else ():
            if isinstance(alternative, x.OnEvent) and alternative.type.partition(".")[0] != policy.family:
                yield problem(alternative.pos, "other_family", found=alternative.type, family=policy.family)
    if policy.close is None:
        yield problem(x.Position(policy.file, 1, 1), "never_closes")


def check_policies(policies: Mapping[str, Policy], names: Collection[str]) -> Iterator[Problem]:
    """What can be said of all together; `names` are those of all policy files, unreadable ones too."""
    yield from _overlaps(policies)
    yield from _openings(policies, names)


def _overlaps(policies: Mapping[str, Policy]) -> Iterator[Problem]:
    for (first, a), (second, b) in combinations(sorted(policies.items()), 2):
        if a.family != b.family or a.child_only or b.child_only:
            continue
        counts = frozenset(count.name for policy in (a, b) for count in policy.counts)
        cases = Cases(Facts(a.family, counts), (a.when, b.when))
        if cases.possible((a.when, True), (b.when, True)) is not False:
            pos = b.when.pos if b.when is not None else x.Position(b.file, 1, 1)
            yield problem(pos, "policies_overlap", first=first, second=second)


def _openings(policies: Mapping[str, Policy], names: Collection[str]) -> Iterator[Problem]:
    opens: dict[str, dict[str, x.Position]] = {}
    for policy in policies.values():
        for step in policy.steps:
            for level in step.levels:
                if level.open_policy is not None:
                    opens.setdefault(policy.name, {}).setdefault(level.open_policy, level.pos)
    for opened in opens.values():
        for child, pos in opened.items():
            if child not in names:
                yield problem(pos, "unknown_policy", found=child, choice=Choice(child, tuple(sorted(names))))
    for circle in _circles({name: tuple(children) for name, children in opens.items()}):
        pos = opens[circle[0]][circle[1]]
        yield problem(pos, "open_cycle", circle=" → ".join(circle))
    all_read = set(policies) == set(names)
    children = {child for opened in opens.values() for child in opened} | {POLICY}  # duties open theirs by time
    for policy in policies.values():
        if policy.child_only and policy.name not in children and all_read:
            yield problem(x.Position(policy.file, 1, 1), "child_never_opened", policy=policy.name)


def _circles(graph: Mapping[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """Each circle once, from its first name on."""
    seen: set[frozenset[str]] = set()
    for start in sorted(graph):
        path, stack = [start], [iter(graph[start])]
        while stack:
            following = next(stack[-1], None)
            if following is None:
                stack.pop()
                path.pop()
            elif following == start:
                if frozenset(path) not in seen:
                    seen.add(frozenset(path))
                    yield [*path, start]
            elif following in graph and following not in path:
                path.append(following)
                stack.append(iter(graph[following]))


def circles(graph: Mapping[str, str]) -> Iterator[list[str]]:
    """The circles of a graph in which each name leads to one other."""
    yield from _circles({name: (following,) for name, following in graph.items()})
