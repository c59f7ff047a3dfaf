"""Words of problems with facts.yaml and with what cites it."""

from __future__ import annotations

from reeve.rulelang.texts import Texts, error, warning

FACT_TEXTS: dict[str, Texts] = {
    "bad_fact_id": error(
        "`{found}` is no id of a fact", "write capital letters, a hyphen and a number: `COMPLAINT-08`",
        "`{found}` 不是依据编号", "请写大写字母、连字符和数字：`COMPLAINT-08`",
    ),
    "fact_without_reason": error(
        "`{fact}` is a manner, and nothing says why no rule can keep it", "write `reason: …`, or another `kind`",
        "`{fact}` 属于 manner（行为要求），却没有说明为何没有规则", "请写 `reason: …`，或改用别的 `kind`",
    ),
    "fact_needs_no_reason": error(
        "`{fact}` is a {kind}: a rule keeps it, so it needs no reason", "delete `reason`, or write `kind: manner`",
        "`{fact}` 的 kind 是 {kind}，应由规则实现，不需要 reason", "请删除 `reason`，或写 `kind: manner`",
    ),
    "uncatalogued_fact": warning(
        "facts.yaml has no `{found}`", "{choice}", "facts.yaml 中没有 `{found}`", "{choice}",
    ),
}  # fmt: skip
