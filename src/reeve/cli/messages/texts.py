"""How `reeve messages` reads on a terminal, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reeve.cli.output import print_line
from reeve.cli.speaking import say

TEXTS: Mapping[str, tuple[str, str]] = {
    "no_text": ("no text of its own: Reeve's built-in text is sent", "没有模板：发送内置文本"),
    "sent_by": ("sent by {steps}", "发送步骤：{steps}"),
    "to": ("to {roles}", "发给：{roles}"),
    "by_nobody": ("sent by no step by name", "没有步骤指名发送"),
    "reader": ("{language}, {channel}, to {role}", "{language}，{channel}，发给 {role}"),
    "built_in": ("Reeve's built-in text", "内置文本"),
    "fault": ("the template fails, so the built-in text is sent: {fault}", "模板出错，将发送内置文本：{fault}"),
    "subject": ("subject", "主题"),
    "size": (
        "{encoding}, {characters} characters: {segments} SMS ({characters_per_segment} each at most)",
        "{encoding}，{characters} 字符：{segments} 条短信（每条最多 {characters_per_segment}）",
    ),
    "size_one": ("{encoding}, {characters} characters: 1 SMS", "{encoding}，{characters} 字符：1 条短信"),
    "by_text": ("{provider} sends this text", "{provider} 发送此文本"),
    "by_template": ("{provider} fills in its template {template}", "{provider} 使用其模板 {template}"),
    "not_by": (
        "{provider} can't send it: its file has no template for this message",
        "{provider} 无法发送：其文件没有此消息的模板",
    ),
    "would": (
        "Would send to {to} by {channel} through {provider}:",
        "将发给 {to}（{channel}，服务商 {provider}）：",
    ),
    "taken": ("{provider} has taken it{reference}.", "{provider} 已接收{reference}。"),
    "not_taken": ("{provider} has not taken it: {result}, {reason}.", "{provider} 未接收：{result}，{reason}。"),
    "unmarked": (
        "{provider} fills in its own template {template}, which can't be marked as a test.",
        "{provider} 使用其模板 {template}，无法注明是测试。",
    ),
    "sinks": ("It shows at {url}.", "可在 {url} 查看。"),
    "no_message": ("There is no message {message!r}; {hint}", "没有消息 {message!r}；{hint}"),
    "no_own_template": (
        "{provider} sends templates it has approved, and {source} names none for {message} in {language}.",
        "{provider} 只发送其审核过的模板，而 {source} 没有 {message} 的模板（{language}）。",
    ),
    "this_language": ("this language", "该语言"),
    "no_provider": (
        (
            "No provider for {channel} is configured here (there is: {known}). Set REEVE_CHANNELS, REEVE_SMTP_HOST "
            "or REEVE_SMS_GATEWAY as notify has them; `reeve channels list` shows what is read."
        ),
        (
            "这里没有配置 {channel} 的服务商（已有：{known}）。请按 notify 的设置填写 REEVE_CHANNELS、"
            "REEVE_SMTP_HOST 或 REEVE_SMS_GATEWAY；读到的内容见 `reeve channels list`。"
        ),
    ),
    "none": ("none at all", "无"),
    "nobody": (
        "{to!r} is no number, no mail address and no recipient at {site}; {hint}",
        "{to!r} 不是号码、邮箱，也不是 {site} 的接收人；{hint}",
    ),
    "no_address": (
        "{person} has no address for {channel}; there is: {known}.",
        "{person} 没有 {channel} 的联系方式；已有：{known}。",
    ),
    "any_channel": ("any channel", "任何渠道"),
    "case_or_example": (
        "--case shows a real case, --example an invented one: choose one of them.",
        "--case 用真实工单，--example 用虚构工单：请二选一。",
    ),
}


class MessagePage:
    """Prints rows of the messages commands in one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def say(self, name: str, **words: Any) -> str:
        """The text of that name."""
        return say(TEXTS, name, self.lang, **words)

    def listed(self, row: Mapping[str, Any]) -> None:
        """A message of the list."""
        texts = ", ".join(f"{language} {'+'.join(channels)}" for language, channels in row["texts"].items())
        print_line((f"{row['message']:<24}", "bold"), texts or self.say("no_text"))
        if row["sent_by"]:
            steps = self.say("sent_by", steps=", ".join(row["sent_by"]))
            print_line((f"    {steps}; {self.say('to', roles=', '.join(row['to']))}", "dim"))
        else:
            print_line((f"    {self.say('by_nobody')}", "dim"))

    def preview(self, row: Mapping[str, Any]) -> None:
        """One text as one reader gets it."""
        head = self.say("reader", language=row["language"], channel=row["channel"], role=row["role"])
        print_line((row["message"], "bold"), f"  {head}")
        if row["fault"]:
            print_line((f"  {self.say('fault', fault=row['fault'])}", "bold red"))
        elif row["built_in"]:
            print_line((f"  {self.say('built_in')}", "yellow"))
        self.text(row)
        if row["channel"] == "sms":
            print_line((f"  {self.say('size_one' if row['segments'] == 1 else 'size', **row)}", "dim"))
        for each in row["providers"]:
            name = "not_by" if not each["sends"] else "by_template" if each["template"] else "by_text"
            print_line((f"  {self.say(name, **each)}", "dim" if each["sends"] else "yellow"))
        print_line("")

    def text(self, row: Mapping[str, Any]) -> None:
        """Subject and body."""
        if row["subject"]:
            print_line((f"  {self.say('subject')}: ", "dim"), row["subject"])
        for line in row["body"].splitlines():
            print_line(f"    {line}")

    def sent(self, row: Mapping[str, Any], sink_url: str | None) -> None:
        """What became of a test message."""
        if row["result"] != "sent":
            print_line((self.say("not_taken", **row), "bold red"))
            return
        reference = f" ({row['reference']})" if row["reference"] else ""
        print_line((self.say("taken", provider=row["provider"], reference=reference), "green"))
        if row["template"]:
            print_line((self.say("unmarked", **row), "yellow"))
        if sink_url:
            print_line((self.say("sinks", url=sink_url), "dim"))
