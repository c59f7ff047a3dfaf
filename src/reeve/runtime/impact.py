"""What an activation means for the cases that are open now, by policy and its `on_change`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from typing import Literal as OneOf

from reeve.rulelang.layout import lay_out
from reeve.rulelang.problems import language
from reeve.runtime.candidates import Candidate
from reeve.runtime.store.bundles import StoredBundle
from reeve.runtime.store.running_cases import RunningCases

Change = OneOf["pin", "adopt", "recompute", "removed"]

_SENTENCES: dict[str, dict[Change, str]] = {
    "en": {
        "pin": "{policy} (pin): {cases} stay on the file they have",
        "adopt": "{policy} (adopt): {cases} go on with the new file",
        "recompute": "{policy} (recompute): {cases} are graded and timed anew",
        "removed": "{policy} (gone): {cases} stay on the file they have; no new ones open",
    },
    "zh": {
        "pin": "{policy}（pin）：{cases}继续用各自原来的文件",
        "adopt": "{policy}（adopt）：{cases}改用新文件",
        "recompute": "{policy}（recompute）：{cases}按新文件重新定级、重算时限",
        "removed": "{policy}（已删除）：{cases}继续用原来的文件；不再开新工单",
    },
}
_KEPT = {"en": "; {kept} stay where a person put them", "zh": "；{kept} 张由人指定了文件，不变"}


@dataclass(frozen=True, slots=True)
class Impact:
    """What becomes of the open cases of one policy whose file changes."""

    policy: str
    change: Change
    cases: int
    """Open cases that run on another file than the new one and go by `change`."""
    kept: int
    """Open cases that a person has put on a file, and which stay there."""
    digest: str
    """Of the new file; empty where the policy is gone."""

    @property
    def follows(self) -> bool:
        """Whether escalation's sweep takes these cases along."""
        return self.change in ("adopt", "recompute")

    def say(self, lang: str = "en") -> str:
        """`complaint (adopt): 12 open cases go on with the new file`."""
        lang = language(lang)
        cases = f"{self.cases} 张未结工单" if lang == "zh" else f"{self.cases:,} open case{'s' * (self.cases != 1)}"
        sentence = _SENTENCES[lang][self.change].format(policy=self.policy, cases=cases)
        return sentence + (_KEPT[lang].format(kept=self.kept) if self.kept else "")

    def as_json(self) -> dict[str, Any]:
        """The same for `--json`."""
        return {"policy": self.policy, "on_change": self.change, "cases": self.cases, "kept": self.kept}


async def impact_of(candidate: Candidate, active: StoredBundle | None, cases: RunningCases) -> tuple[Impact, ...]:
    """One for each policy whose file is other than in the active bundle, or gone. Raises StoreAway."""
    if active is None:
        return ()
    found: list[Impact] = []
    for name, policy in sorted(candidate.bundle.policies.items()):
        if policy.digest not in active.policies:
            following, kept = await cases.count_on_other_files(name, policy.digest)
            found.append(Impact(name, policy.on_change, following, kept, policy.digest))
    for name in sorted(_policies(active) - candidate.bundle.policies.keys()):
        following, kept = await cases.count_on_other_files(name, "")
        found.append(Impact(name, "removed", following + kept, 0, ""))
    return tuple(found)


def _policies(bundle: StoredBundle) -> set[str]:
    return {PurePosixPath(path).stem for path in lay_out(bundle.files).policies}
