"""What push and rollback say, in English and Chinese."""

from __future__ import annotations

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "checked": "{files} files, no errors; {tests} scenarios hold.",
        "first": "No rules are active yet; version {version} would be the first.",
        "changes": "What changes from version {was} to {version}:",
        "no_differences": "nothing in the rules: only files that are not read",
        "cases": "Open cases:",
        "no_cases": "no policy file changes, so every case goes on as it is",
        "sample": "a sample of {n} of them, decided now: ",
        "sample_all": "all {n} of them, decided now: ",
        "sample_quiet": "no grade changes, nothing runs out and nobody is told at once",
        "sample_grade": "{n} would go from {was} to {grade}",
        "sample_breached": "{n} clocks would have run out",
        "sample_notifications": "{n} notifications would be sent at once",
        "sample_closed": "{n} would be closed",
        "sample_failed": "{n} could not be decided",
        "comma": ", ",
        "ask": "Activate version {version} on all replicas?",
        "dry_run": "Only looked (--dry-run): nothing was activated.",
        "declined": "Nothing was activated.",
        "unchanged": "Version {version} is active already; nothing to do.",
        "activated": "Version {version} is active now.",
        "following": "{n:,} open cases follow in the background; `reeve rules history` says how many are left.",
        "way_back": "To go back: reeve rules rollback {other}",
        "rejected": "Not activated; the active rules stay as they are.",
        "lost": "Not activated: meanwhile {by} activated version {other}{note}. Look at what it changed "
        "(reeve rules diff {other} {source}), take that into your files, then push again.",
        "bus_away": "NATS can't be reached: the record alone decides, and replicas that reach it follow within "
        "10 seconds; the announcement goes out when NATS is back.",
    },
    "zh": {
        "checked": "{files} 个文件，没有错误；{tests} 个测试全部成立。",
        "first": "目前没有生效的规则；{version} 将是第一个版本。",
        "changes": "从版本 {was} 到 {version} 的变化：",
        "no_differences": "规则没有变化：只有不读取的文件不同",
        "cases": "未结单：",
        "no_cases": "没有策略文件变化，所有单照常进行",
        "sample": "抽查其中 {n} 件，按现在试算：",
        "sample_all": "全部 {n} 件，按现在试算：",
        "sample_quiet": "等级不变，没有立即超时，也不会立即通知任何人",
        "sample_grade": "{n} 件由 {was} 变为 {grade}",
        "sample_breached": "{n} 个时限将已超时",
        "sample_notifications": "将立即发出 {n} 条通知",
        "sample_closed": "{n} 件将结单",
        "sample_failed": "{n} 件无法试算",
        "comma": "，",
        "ask": "在所有副本上启用版本 {version}？",
        "dry_run": "只是查看（--dry-run）：没有启用任何规则。",
        "declined": "没有启用。",
        "unchanged": "版本 {version} 已经生效，无需操作。",
        "activated": "版本 {version} 现已生效。",
        "following": "{n:,} 件未结单在后台跟进；`reeve rules history` 显示还剩多少。",
        "way_back": "如需恢复：reeve rules rollback {other}",
        "rejected": "没有启用；现行规则保持不变。",
        "lost": "没有启用：此间 {by} 启用了版本 {other}{note}。请先查看其变化"
        "（reeve rules diff {other} {source}），合并到您的文件后再次推送。",
        "bus_away": "NATS 无法连接：以数据库记录为准，能连上数据库的副本 10 秒内跟进；NATS 恢复后再发布通告。",
    },
}
"""Language → name → text. `n`: a number, `version`, `was`, `other`: versions."""
