"""What `reeve channels` says to people, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from services.notify.channels.base import Reason, Result

WORDS: Mapping[str, tuple[str, str]] = {
    "none": (
        "No provider: nobody can be reached. Put files into {folder} (docs/providers.md), or set REEVE_CHANNELS.",
        "没有服务商，无法通知任何人。请把配置文件放进 {folder}（见 docs/providers.md），或设置 REEVE_CHANNELS。",
    ),
    "some_bad": (
        "Files that can't be used: {count}; `reeve channels check` says why.",
        "无法使用的文件：{count} 个；原因见 `reeve channels check`。",
    ),
    "from_files": (
        (
            "This is what the files say. Notify goes by them a few seconds after a save; while one of them has a "
            "fault, by what it read before (docs/providers.md)."
        ),
        (
            "以上是配置文件的内容。保存几秒后 notify 即按此运行；"
            "只要有文件出错，就仍按之前读到的内容运行（见 docs/providers.md）。"
        ),
    ),
    "order": ("order {order}, share {share}", "顺序 {order}，份额 {share}"),
    "per_second": ("{rate}/s at most", "每秒最多 {rate} 条"),
    "burst": ("{burst} at once", "突发 {burst} 条"),
    "connections": ("{count} at a time", "并发 {count}"),
    "unlimited": ("no limit", "不限速"),
    "receipts": ("receipts", "回执"),
    "answers": ("answers", "回复"),
    "unset": ("not set: {names}", "未设置：{names}"),
    "good": ("{count} providers can be used.", "{count} 个服务商可以使用。"),
    "one_good": ("1 provider can be used.", "1 个服务商可以使用。"),
    "faults": ("{count} faults.", "{count} 处错误。"),
    "one_fault": ("1 fault.", "1 处错误。"),
    "posts_off": (
        "{names} not set: no receipts and no answers of {provider} are taken",
        "未设置 {names}：不接收 {provider} 的回执和回复",
    ),
    "address": (
        "REEVE_PUBLIC_URL is not set: {provider} can't be told where to post receipts",
        "未设置 REEVE_PUBLIC_URL：无法告知 {provider} 回执地址",
    ),
    "no_such": ("There is no provider {name}{hint} Known: {known}.", "没有服务商 {name}{hint}已有：{known}。"),
    "stop": (".", "。"),
    "mean": ("; did you mean {best}?", "；是不是想写 {best}？"),
    "bad_to": (
        "--to: {provider} takes addresses like {like}. Nothing was sent.",
        "--to：{provider} 需要形如 {like} 的地址。未发送。",
    ),
    "took": (
        "{provider}: {result} ({reason}), {seconds:.2f} s",
        "{provider}：{result}（{reason}），{seconds:.2f} 秒",
    ),
    "id": ("The provider's id of it: {reference}", "服务商的消息编号：{reference}"),
    "wait": ("It asks to be left alone for {seconds:.0f} s.", "服务商要求等待 {seconds:.0f} 秒。"),
    "next": ("What to do: {hint}", "建议：{hint}"),
    "nothing": ("nobody", "无"),
    "comma": (", ", "，"),
}

RESULTS: Mapping[Result, tuple[str, str]] = {
    Result.SENT: ("taken", "已接收"),
    Result.TRANSIENT: ("not taken now; the same later may be", "暂未接收，稍后可重试"),
    Result.PERMANENT: ("refused for good", "被拒绝"),
    Result.UNKNOWN: ("may have been taken: no answer came", "结果未知：没有得到答复"),
}

HINTS: Mapping[Reason, tuple[str, str]] = {
    Reason.BAD_ADDRESS: (
        "check the address: the provider does not know it, or it must not be called",
        "请检查地址：服务商不认识，或不允许访问",
    ),
    Reason.REFUSED: (
        "check the file's fields (signature, template, sender) against the provider's console",
        "请对照服务商控制台检查配置（签名、模板、发送号码）",
    ),
    Reason.CREDENTIALS: (
        "check the environment variables under `secrets`, the account's balance and its allowed addresses",
        "请检查 `secrets` 中的环境变量、账户余额和 IP 白名单",
    ),
    Reason.CERTIFICATE: (
        "nothing was sent; check `host` or `url`, the clock, and whom SSL_CERT_FILE trusts, then ask the provider",
        "未发送任何内容；请检查 `host` 或 `url`、系统时间和 SSL_CERT_FILE 信任的机构，再询问服务商",
    ),
    Reason.UNREACHABLE: ("check host, port and firewall", "请检查主机、端口和防火墙"),
    Reason.TIMEOUT: ("see whether it arrived; a longer `timeout` may help", "请确认是否收到；可适当加大 `timeout`"),
    Reason.NO_TEMPLATE: (
        "the file has no template for this message; name one with --message, or add `*` under templates",
        "配置中没有该消息的模板；请用 --message 指定，或在 templates 中加 `*`",
    ),
    Reason.BUSY: ("try again later, or lower `per_second`", "请稍后再试，或降低 `per_second`"),
}


def say(name: str, lang: str, /, **values: object) -> str:
    """The sentence of that name."""
    return WORDS[name][lang == "zh"].format(**values)
