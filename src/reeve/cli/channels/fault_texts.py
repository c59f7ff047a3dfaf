"""What is wrong with a provider's file, in Chinese; the English stands where it arises."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reeve.runtime.providers.faults import Fault

FAULTS: Mapping[str, str] = {
    # the file, its keys and its kinds
    "there is no such folder; REEVE_CHANNELS names it": "没有这个文件夹；它由 REEVE_CHANNELS 指定",
    "the folder can't be read: {}": "文件夹无法读取：{}",
    "{} is the name of {} too: give it another": "{} 与 {} 重名：请换一个名字",
    "{}: the file can't be read": "文件无法读取（{}）",
    "the key {} stands twice: keep one": "键 {} 写了两次：请保留一个",
    "this is no YAML": "不是 YAML",
    "this should be keys with values: name, kind, …": "应为若干键和值：name、kind……",
    "this should be keys with values": "应为若干键和值",
    "this should be a list": "应为列表",
    "there is no such kind: one of {}": "没有这种 kind：可写 {}",
    "kind is missing: one of {}": "缺少 kind：可写 {}",
    "there is no such key here; files of kind {} have one": "这里没有这个键；kind 为 {} 的文件才有",
    "there is no such key here; did you mean {}?": "这里没有这个键；是不是想写 {}？",
    "there is no such key here": "这里没有这个键",
    "this is missing": "缺少这一项",
    "Reeve speaks no SMPP: {} (docs/adr/0010-no-smpp.md). {}": (
        "Reeve 不支持 SMPP：没有维护得足够好的库（docs/adr/0010-no-smpp.md）。请由 Kannel 或 Jasmin 转接，"
        "Reeve 用 HTTP 调用它：examples/channels/kannel.yaml"
    ),
    # secrets and addresses
    "the environment variable {} is not set": "没有设置环境变量 {}",
    "a secret must not stand here: {}": (
        "密钥不能写在这里：请在 `secrets` 下指定环境变量，这里写 {{ secrets.<名称> }}"
    ),
    "what follows whsec_ is no base64": "whsec_ 之后的内容不是 base64",
    "this is no http:// or https:// address": "不是 http:// 或 https:// 地址",
    "a recipient's address must not choose the host; files of kind webhook may post to it": (
        "不能由接收人的地址决定主机；需要时请用 kind: webhook 的文件"
    ),
    "a recipient's address must not choose the host: put {{ to }} behind it": (
        "不能由接收人的地址决定主机：请把 {{ to }} 写在主机之后"
    ),
    "without https only hosts under allow_hosts are called; add {} there": (
        "不用 https 时只能访问 allow_hosts 中的主机；请把 {} 加进去"
    ),
    "the sender must be an address like Reeve <reeve@example.org>": "发件人应为地址，如 Reeve <reeve@example.org>",
    "give username and password together, or neither": "username 和 password 要么都写，要么都不写",
    "Apprise knows no such service; {} lists them": "Apprise 没有这种服务；可用的见 {}",
    "Apprise needs a library for {} that is not installed": "Apprise 用于 {} 的库没有安装",
    "no {} address is written so; {} says how": "{} 地址不是这样写的；写法见 {}",
    # requests and answers
    "give one of form, json and body": "form、json、body 只能写一个",
    "a GET has no body; put the fields into query": "GET 没有正文；请把字段写进 query",
    "this auth signs the query too: put the fields of the url into query": (
        "这种 auth 也对 query 签名：请把 url 中的字段写进 query"
    ),
    "auth of kind tencent signs a POST with json, and without query": (
        "kind 为 tencent 的 auth 只签名带 json、不带 query 的 POST"
    ),
    "templates are given, but neither query nor body says {{ template.code }}": (
        "写了 templates，但 query 和正文里都没有 {{ template.code }}"
    ),
    "give names with texts ({case: '{{ case }}'}), or a list of texts where they go by number": (
        "请写名称和文本（{case: '{{ case }}'}）；按序号填写的写文本列表"
    ),
    "`{}` stands for every message, and not every message has {}; it can use {}": (
        "`{}` 用于所有消息，而不是每条消息都有 {}；可以用 {}"
    ),
    "give one of is and matches": "is 和 matches 请写一个",
    "give status, body or json: nothing holds of every answer": "请写 status、body 或 json：都不写就没有条件",
    "give one of json, header and body": "json、header、body 请写一个",
    "this pattern can't be read (RE2 syntax: no look-around, no back-references)": (
        "这个模式无法读取（RE2 语法：没有环视和反向引用）"
    ),
    "this is a length of time: 10s, 5m, 2h": "应为时长：10s、5m、2h",
    "this is more than 0 and at most 2m": "应大于 0，最多 2m",
    "this is at most 3d": "最多 3d",
    # receipts and replies
    "{} is given, but not by what a post is known to be the provider's: webhooks": (
        "写了 {}，但没有写怎样认出是服务商的请求：webhooks"
    ),
    "webhooks is given, but neither receipts nor inbound: what is in the posts?": (
        "写了 webhooks，但 receipts 和 inbound 都没有写：请求里是什么？"
    ),
    "unknown: wait waits for a receipt, and receipts is not given": "unknown: wait 要等待回执，但没有写 receipts",
    "give the name of a field (biz_id, a.b.0), a list of names to join, or a {{ template }}": (
        "请写字段名（biz_id、a.b.0）、要拼接的字段名列表，或 {{ 模板 }}"
    ),
    "give the values that mean it: [DELIVRD, '0', true]": "请写表示此意的值：[DELIVRD, '0', true]",
    "reference or id is missing: how else is it known which message is meant": (
        "缺少 reference 或 id：否则不知道是哪一条消息"
    ),
    "from and text are missing: who writes, and what; or raw: true for a whole mail": (
        "缺少 from 和 text：谁写的、写了什么；整封邮件请写 raw: true"
    ),
    # templates
    "template: nothing is called {} here; there is no secret; name it under secrets": (
        "模板：这里没有 {}；没有密钥，请在 secrets 下写明"
    ),
    "template: {} is undefined; there is no secret; name it under secrets": (
        "模板：没有 {}；没有密钥，请在 secrets 下写明"
    ),
    "template: {} is undefined; there is {}": "模板：没有 {}；可用的有 {}",
    "template: nothing is called {} here; there is {}": "模板：这里没有 {}；可用的有 {}",
    "template: line {}: `{}` is not allowed in a message": "模板第 {} 行：消息中不能用 `{}`",
    "template: line {}: there is no filter `{}`": "模板第 {} 行：没有过滤器 `{}`",
    "template: line {}: there is no test `{}`": "模板第 {} 行：没有判断 `{}`",
    "template: line {}: nested too deeply": "模板第 {} 行：嵌套过深",
    "template: line {}: longer than {} characters": "模板第 {} 行：超过 {} 个字符",
    "template: line {}: {}": "模板第 {} 行：{}",
    "template: {}": "模板：{}",
    # kinds of values
    "Input should be a valid integer{}": "应为整数",
    "Input should be a valid integer": "应为整数",
    "Input should be a valid number{}": "应为数字",
    "Input should be a valid number": "应为数字",
    "Input should be a valid decimal{}": "应为数字",
    "Input should be a valid decimal": "应为数字",
    "Input should be a finite number": "应为数字",
    "Decimal input should be {}": "应为数字",
    "Input should be a valid boolean{}": "应为 true 或 false",
    "Input should be a valid boolean": "应为 true 或 false",
    "Input should be a valid string": "应为文本",
    "Input should be greater than or equal to {}": "不能小于 {}",
    "Input should be less than or equal to {}": "不能大于 {}",
    "String should match pattern '{}'": "格式应符合 {}",
    "String should have at most {} characters": "最多 {} 个字符",
    "Dictionary should have at least 1 item{}": "至少要写一项",
    "List should have at least 1 item{}": "至少要写一项",
    "Input should be {}": "应为 {}",
}
"""English → Chinese, the first that fits; `{}` stands for what differs, in the same order."""

_HOLE = "\0"
_PATTERNS = [
    (
        re.compile("(.+?)".join(re.escape(part) for part in english.split("{}")), re.DOTALL),
        chinese.replace("{}", _HOLE),
    )
    for english, chinese in FAULTS.items()
]
_BETWEEN = re.compile(r"(?<=['\w}>]) (?:or|and) (?=['\w{<])|, (?=['\w{<])")
"""What stands between the things of an English list."""


def fault_text(fault: Fault, lang: str) -> str:
    """The fault with its place, in `en` or `zh`."""
    if lang != "zh":
        return str(fault)
    line = f":{fault.line}" if fault.line else ""
    return f"{fault.source}{line}: {fault.place or '整个文件'}：{fault_in_chinese(fault.sentence)}"


def fault_in_chinese(sentence: str) -> str:
    """The sentence in Chinese; one that is not known stays as it is."""
    for pattern, chinese in _PATTERNS:
        if (found := pattern.fullmatch(sentence)) is not None:
            parts = chinese.split(_HOLE)
            # A hole may hold more than the Chinese says.
            filled = list(found.groups()[: len(parts) - 1])
            if not sentence.startswith("template: line"):  # else they are the template engine's own words
                filled = [_BETWEEN.sub("、", each) for each in filled]
            return "".join(part + hole for part, hole in zip(parts, [*filled, ""], strict=True))
    return sentence
