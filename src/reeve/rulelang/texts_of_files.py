"""Words of problems with files, keys and values."""
# ruff: noqa: E501 -- one problem a line reads best

from __future__ import annotations

from reeve.rulelang.texts import Texts, error, warning

FILE_TEXTS: dict[str, Texts] = {
    "file_too_large": error(
        "the file is larger than 1 MB, which no rule file may be", "split it, or check that it is the right file",
        "文件超过 1 MB；规则文件最大 1 MB", "请拆分，或检查是否放错了文件",
    ),
    "too_many_files": error(
        "the folder holds more than {most} rule files or {size} MB", "check that it is the right folder",
        "文件夹中的规则文件超过 {most} 个或 {size} MB", "请检查文件夹是否正确",
    ),
    "encoding_mended": warning(
        "the file was saved as {encoding}; it was read all the same", "save it as UTF-8",
        "文件保存为 {encoding} 编码；已照常读取", "请另存为 UTF-8",
    ),
    "encoding_unknown": error(
        "the file is not readable text", "save it as UTF-8", "文件不是可读的文本", "请另存为 UTF-8",
    ),
    "control_character": error(
        "an invisible character ({char}) stands here", "delete it and type the place again",
        "此处有一个看不见的字符（{char}）", "请删除后重新输入",
    ),
    "tab": error(
        "the line begins with a tab", "indent with spaces, two for each level",
        "行首使用了制表符（Tab）", "请用空格缩进，每级两个",
    ),
    "several_documents": error(
        "a second document begins here (`---`)", "one file holds one document: delete the `---` or make two files",
        "此处（`---`）开始了第二个文档", "一个文件只放一个文档：删除 `---` 或拆成两个文件",
    ),
    "alias": error(
        "`*{name}` points to another place in the file; rule files say everything where it applies",
        "write it out, or put the text in quotes if it begins with a star",
        "`*{name}` 指向文件中的另一处；规则文件要求就地写全", "请写出完整内容；若文本以星号开头，请加引号",
    ),
    "anchor": error(
        "`&{name}` names a place in the file; rule files say everything where it applies",
        "delete it, or put the text in quotes if it begins with &",
        "`&{name}` 给文件中的位置起了名字；规则文件要求就地写全", "请删除；若文本以 & 开头，请加引号",
    ),
    "tag": error("`{tag}` is a YAML tag", "delete it, or put the text in quotes", "`{tag}` 是 YAML 标签", "请删除，或给文本加引号"),
    "too_deep": error(
        "this is nested deeper than anything in the rule language", "check the brackets and the indentation",
        "嵌套层数超过规则语言的任何结构", "请检查括号和缩进",
    ),
    "too_many_parts": error(
        "the file holds more than {most} keys and values up to here", "split it, or check that it is the right file",
        "到此处文件中的键和值已超过 {most} 个", "请拆分，或检查是否放错了文件",
    ),
    "key_not_text": error(
        "a list or a map stands where a key belongs", "write `key: value`", "键的位置上是列表或映射", "请写成 `键: 值`",
    ),
    "repeated_key": error(
        "`{key}` is written twice here; the first is on line {line}", "keep one of the two",
        "`{key}` 在这里重复；第一次出现在第 {line} 行", "请只保留一个",
    ),
    "wide_sign": error(
        "`{found}` is a full-width sign, which YAML takes for a letter", "write `{right}`",
        "`{found}` 是全角符号，会被当作文字", "请写半角 `{right}`",
    ),
    "wide_colon": error(
        "the key ends with a full-width colon `：`", "write a plain colon and a space: `key: value`",
        "键后面用了全角冒号 `：`", "请用半角冒号加空格：`键: 值`",
    ),
    "never_closed": error(
        "what `{found}` opens here is never closed", "add the closing sign",
        "此处的 `{found}` 没有配对的结束符", "请补上结束符",
    ),
    "flow_broken": error(
        "inside the `{found}` of line {line} this can't be read",
        "close the bracket, or put a text with brackets, commas or colons in quotes",
        "第 {line} 行 `{found}` 中的内容从这里开始无法识别", "请补上右括号；含括号、逗号或冒号的文本请加引号",
    ),
    "wide_blank": error(
        "the line is indented with a blank of another kind ({char}), which YAML takes for a letter",
        "indent with spaces, two for each level",
        "行首有全角空格或其他特殊空格（{char}），会被当作文字", "请用半角空格缩进，每级两个",
    ),
    "tab_inside": error(
        "a tab stands here", "write a space",
        "此处有一个制表符（Tab）", "请改为空格",
    ),
    "needs_quotes": error(
        "a text can't begin with `{found}`", "put the whole text in quotes",
        "文本不能以 `{found}` 开头", "请给整个文本加引号",
    ),
    "stray_colon": error(
        "there is a second `: ` on this line, or the line is indented too far",
        "put the text in quotes, or line the key up with the one above",
        "这一行有第二个 `: `，或缩进过多", "请给文本加引号，或与上一行的键对齐",
    ),
    "bad_escape": error(
        "`\\{found}` means nothing inside double quotes", "write single quotes around the text",
        "双引号中的 `\\{found}` 没有意义", "请改用单引号",
    ),
    "yaml_indent": error(
        "this line does not fit what stands above it: `{line}`",
        "line it up with its neighbours; text with quotes or signs in it goes in quotes as a whole",
        "这一行与上文的结构不符：`{line}`", "请与相邻的行对齐；含引号或符号的文本请整体加引号",
    ),
    "yaml_unreadable": error("the file is not YAML", "compare it with an example", "文件不是 YAML", "请与示例对照"),
    "empty_file": error("the file is empty", "write the rules, or delete the file", "文件是空的", "请写入规则，或删除文件"),
    "wrong_name": error(
        "`{found}` is not a usable file name for this", "use small letters, digits, `_` and `-`: `{right}`",
        "`{found}` 不能用作此处的文件名", "请用小写字母、数字、`_` 和 `-`：`{right}`",
    ),
    "not_read": warning(
        "this file is not read: rule files end in .yaml and stand as the language page shows",
        "rename or move it, or delete it", "此文件不会被读取：规则文件以 .yaml 结尾，并按语言说明放置", "请改名、移动或删除",
    ),
    "nothing_there": error(
        "there is no policy file here", "write one, such as complaint.yaml", "这里没有策略文件", "请写一个，例如 complaint.yaml",
    ),
    "no_site_file": warning(
        "there is no site.yaml: zone UTC, language en, Monday to Friday and email are used", "write a site.yaml",
        "没有 site.yaml：将使用 UTC 时区、英文、周一至周五工作日和邮件", "请编写 site.yaml",
    ),
    "no_messages_file": warning(
        "there is no messages.yaml and nothing in messages/: built-in texts are sent", "write a messages.yaml",
        "没有 messages.yaml，messages/ 中也没有文件：将发送内置文本", "请编写 messages.yaml",
    ),
    "message_twice": error(
        "message `{message}` has its texts in {first} already", "keep it in one file: delete it here or there",
        "消息 `{message}` 的文本已写在 {first}", "只保留一处：请删除其中一处",
    ),
}  # fmt: skip

SHAPE_TEXTS: dict[str, Texts] = {
    "unknown_key": error("`{key}` is not known here", "{choice}", "这里没有 `{key}` 这个键", "{choice}"),
    "missing_key": error("`{key}` is missing", "write `{key}: …` here", "缺少 `{key}`", "请在这里写 `{key}: …`"),
    "empty_value": error(
        "nothing stands after `{key}:`", "write a value, or delete the key", "`{key}:` 后面没有内容", "请写上值，或删除该键",
    ),
    "expected_text": error(
        "`{key}` needs a text, and here stands {found}", "write `{key}: …` on one line",
        "`{key}` 应为文本，这里却是 {found}", "请写成一行 `{key}: …`",
    ),
    "expected_list": error(
        "`{key}` needs a list, and here stands {found}", "write `- …` lines, or [a, b]",
        "`{key}` 应为列表，这里却是 {found}", "请用 `- …` 逐行写，或写成 [a, b]",
    ),
    "expected_map": error(
        "`{key}` needs keys with values, and here stands {found}", "write `key: value` lines under it",
        "`{key}` 应为键值对，这里却是 {found}", "请在其下逐行写 `键: 值`",
    ),
    "expected_choice": error("`{key}` can't be `{found}`", "{choice}", "`{key}` 不能是 `{found}`", "{choice}"),
    "expected_number": error(
        "`{key}` needs a whole number from {least} to {most}, and here stands `{found}`", "write a number such as {right}",
        "`{key}` 应为 {least} 到 {most} 的整数，这里却是 `{found}`", "请写数字，例如 {right}",
    ),
    "expected_truth": error(
        "`{key}` needs true or false, and here stands `{found}`", "write `{key}: true`, or delete the key",
        "`{key}` 应为 true 或 false，这里却是 `{found}`", "请写 `{key}: true`，或删除该键",
    ),
    "expected_percent": error(
        "`{key}` needs a share, and here stands `{found}`", "write it as `20%`, above 0% and at most 100%",
        "`{key}` 应为百分比，这里却是 `{found}`", "请写成 `20%`，大于 0% 且不超过 100%",
    ),
    "expected_date": error(
        "`{found}` is not a date", "write year-month-day: 2026-01-31", "`{found}` 不是日期", "请写成 年-月-日：2026-01-31",
    ),
    "expected_moment": error(
        "`{found}` is not a moment", "write it as `2026-02-13 17:50`, in the site's time",
        "`{found}` 不是时刻", "请写成 `2026-02-13 17:50`（站点当地时间）",
    ),
    "expected_time": error(
        "`{found}` is not a time of day", "write \"08:30\", from 00:00 to 24:00",
        "`{found}` 不是一天中的时间", "请写成 \"08:30\"，从 00:00 到 24:00",
    ),
    "bad_name": error(
        "`{found}` can't be a name", "use letters, digits and `_`, beginning with a letter",
        "`{found}` 不能用作名称", "请用字母、数字和 `_`，并以字母开头",
    ),
    "bad_shape": error("`{key}` is not as it should be: {why}", "compare it with an example", "`{key}` 的写法不对：{why}", "请与示例对照"),
    "wrong_language": error(
        "this is rule language {found}; this release reads language 1", "write `language: 1`, or use a newer release",
        "这是规则语言 {found}；本版本只支持 1", "请写 `language: 1`，或使用更新的版本",
    ),
    "no_language": warning(
        "the file does not say which rule language it is written in", "write `language: 1` at the top",
        "文件没有注明规则语言版本", "请在开头写 `language: 1`",
    ),
    "unknown_zone": error("there is no time zone `{found}`", "{choice}", "没有名为 `{found}` 的时区", "{choice}"),
    "no_calendar_file": error(
        "calendar `{name}` has no file calendars/{name}.yaml",
        "write it, or let `reeve rules calendar update` write it; without `calendar:` Monday to Friday are worked",
        "日历 `{name}` 没有文件 calendars/{name}.yaml", "请编写，或用 `reeve rules calendar update` 生成；不写 `calendar:` 则按周一至周五",
    ),
    "calendar_stands_in": warning(
        "calendar `{name}` has no file calendars/{name}.yaml: the published one is used, until this program is updated",
        "let `reeve rules calendar update` write the file",
        "日历 `{name}` 没有文件 calendars/{name}.yaml：使用本程序自带的官方日历", "请用 `reeve rules calendar update` 生成文件",
    ),
    "bad_span": error(
        "`{found}` is not a span of opening hours", "write `08:30-12:00, 13:30-18:00`, in order, ending after it begins",
        "`{found}` 不是营业时段", "请写成 `08:30-12:00, 13:30-18:00`，按先后顺序，结束晚于开始",
    ),
    "unknown_day": error("`{found}` is no day of the week", "{choice}", "`{found}` 不是星期几", "{choice}"),
    "name_differs": error(
        "the file is called {file} and says `{key}: {found}`", "write `{key}: {right}`, or rename the file",
        "文件名是 {file}，却写着 `{key}: {found}`", "请写 `{key}: {right}`，或给文件改名",
    ),
    "merge_length": error(
        "`{found}` can't be a window", "write a length from 1m to 24h, such as `10m`, or `none`",
        "`{found}` 不能用作合并时间窗", "请写 1m 到 24h 之间的时长，例如 `10m`，或写 `none`",
    ),
    "digest_moments": error(
        "a digest needs its grades and either times of day or an interval", "write `digest: {{grades: [ordinary], at: [\"09:00\", \"17:00\"]}}`, or `every: 2h` in place of `at`",
        "汇总需要写明等级，以及钟点或间隔之一", "请写 `digest: {{grades: [ordinary], at: [\"09:00\", \"17:00\"]}}`，或用 `every: 2h` 代替 `at`",
    ),
    "digest_every": error(
        "a digest can't come every `{found}`", "write a length from 15m to 24h, such as `2h`",
        "汇总间隔不能是 `{found}`", "请写 15m 到 24h 之间的时长，例如 `2h`",
    ),
    "digest_worst_grade": warning(
        "`{found}` is one of the two worst grades everywhere: it never waits for a digest", "delete it here. {choice}",
        "`{found}` 属于最严重的两级，从不等待汇总", "请在此删除。{choice}",
    ),
    "vocabulary_differs": error(
        "`{word}` means `{first}` elsewhere and `{second}` here", "give a word one meaning for all sites",
        "`{word}` 在别处表示 `{first}`，这里却表示 `{second}`", "同一个词在所有站点只能有一个含义",
    ),
    "vocabulary_word": error(
        "`{found}` can't be a word of the vocabulary", "use a single word that is no sign and no word of the rule language",
        "`{found}` 不能用作词汇", "请用单个词，不能是符号或规则语言的关键字",
    ),
}  # fmt: skip
