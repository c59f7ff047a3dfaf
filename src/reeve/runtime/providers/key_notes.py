"""The keys that provider files of every kind have, as editors and docs/providers.md explain them."""

from __future__ import annotations

from pydantic import BaseModel

from reeve.rulelang.key_notes import Note, Notes
from reeve.runtime.providers.file import ProviderFile
from reeve.runtime.providers.webhooks import (
    HmacCheck,
    Inbound,
    PostAnswer,
    Receipts,
    TokenCheck,
    TwilioCheck,
    Webhooks,
)

_ITEMS = Note(
    "List",
    "Path of the list inside the post; none: the post is the list, or the one entry.",
    "回调中列表所在的路径；不写：整个回调就是列表或单个条目。",
    ("data.items",),
)
_ANSWER = Note("Answer", "What the provider wants to hear.", "服务商要求的应答内容。", ("{body: OK}",))

COMMON_NOTES: dict[type[BaseModel], Notes] = {
    ProviderFile: {
        "name": Note(
            "Name",
            "Unique; label of metrics, part of the addresses that the provider posts to. Lower case.",
            "唯一名称；用作指标标签和回调地址的一部分。小写。",
            ("aliyun",),
        ),
        "channel": Note("Channel", "The channel it serves.", "所服务的渠道。"),
        "order": Note(
            "Order",
            "The lowest that works is used; the next stands in when it fails.",
            "使用可用的最小值；失败时由下一个接替。",
            ("1", "2"),
        ),
        "share": Note(
            "Share",
            "Providers of one order share the messages as these numbers say; 0: only if no other can.",
            "同一顺序的服务商按此比例分担；0：仅在其他都不可用时使用。",
            ("1", "3"),
        ),
        "per_second": Note(
            "Rate", "Messages a second at most, over time; 0: no limit.", "每秒最多条数（长期）；0：不限。", ("20",)
        ),
        "burst": Note(
            "Burst",
            "So many at once before the rate holds; none: what a second allows.",
            "限速生效前可一次发出的条数；不写：一秒的量。",
            ("40",),
        ),
        "connections": Note("Connections", "Messages under way at a time.", "同时发送的条数。", ("8",)),
        "timeout": Note(
            "Time limit",
            "How long an answer is waited for; after that nobody knows whether the message went out.",
            "等待应答的时间；超过后无法确定是否已发出。",
            ("10s",),
        ),
        "unknown": Note(
            "When nobody knows",
            "resend: once more after a pause of seconds; wait: a receipt is awaited first, then once more; "
            "give_up: it has failed, another way is looked for.",
            "resend：稍后再发一次；wait：先等回执，再发一次；give_up：视为失败，改走其他途径。",
        ),
        "receipt_within": Note(
            "Receipts within", "How long a receipt may take; none: 5m.", "回执最长等待时间；不写：5m。", ("2m",)
        ),
        "price_per_segment": Note(
            "Price",
            "Yuan for one SMS segment, for the forecast.",
            "每条短信分段的价格（元），用于预测。",
            ("0.045",),
        ),
        "secrets": Note(
            "Secrets",
            "Name in templates → environment variable that holds it. No secret stands in the file.",
            "模板中的名称 → 存放密钥的环境变量。文件中不写密钥。",
            ("{key: REEVE_SMS_KEY}",),
        ),
        "webhooks": Note(
            "Posts",
            "How posts of the provider (…/v1/providers/<name>/receipts and …/inbound) are known to be its own.",
            "如何确认服务商的回调（…/v1/providers/<名称>/receipts 和 …/inbound）确实来自它。",
        ),
        "receipts": Note(
            "Receipts", "Where in a post stands what became of which message.", "回执中各字段的位置。"
        ),
        "inbound": Note("Answers", "Where in a post stands who writes what.", "上行消息中各字段的位置。"),
        "kind": Note("Kind", "How the provider is spoken to.", "与服务商的通信方式。"),
    },
    Webhooks: {
        "auth": Note("Proof", "What proves that a post is the provider's.", "回调的身份证明。"),
        "format": Note(
            "Format",
            "auto: by the post's content-type; a GET is its query.",
            "auto：按 content-type 判断；GET 取查询参数。",
        ),
        "methods": Note("Methods", "How it calls.", "调用方法。", ("[GET]",)),
    },
    TokenCheck: {
        "kind": Note("Kind", "token, hmac or twilio.", "token、hmac 或 twilio。"),
        "token": Note(
            "Token",
            "Made up by you, at least 20 random characters.",
            "自拟的令牌，至少 20 个随机字符。",
            ('"{{ secrets.hook }}"',),
        ),
        "parameter": Note(
            "Parameter", "Of the address: …/receipts?token=….", "地址中的参数名：…/receipts?token=…。"
        ),
        "header": Note("Header", "That may hold it instead.", "也可以放在此请求头中。", ("X-Token",)),
    },
    HmacCheck: {
        "kind": Note("Kind", "token, hmac or twilio.", "token、hmac 或 twilio。"),
        "secret": Note("Secret", "Shared with the provider.", "与服务商共享的密钥。", ('"{{ secrets.hook }}"',)),
        "header": Note("Header", "Holds the signature of the body.", "存放正文签名的请求头。", ("X-Signature",)),
        "algorithm": Note("Algorithm", "Of the HMAC.", "HMAC 算法。"),
        "encoding": Note("Encoding", "Of the signature.", "签名的编码。"),
        "prefix": Note("Prefix", "Stands before the signature.", "签名之前的前缀。", ("sha256=",)),
    },
    TwilioCheck: {
        "kind": Note("Kind", "token, hmac or twilio.", "token、hmac 或 twilio。"),
        "auth_token": Note(
            "Auth token",
            "The account's, with which Twilio signs; REEVE_PUBLIC_URL must be how Twilio reaches intake.",
            "账号的 auth token，Twilio 用它签名；REEVE_PUBLIC_URL 必须是 Twilio 访问 intake 的地址。",
            ('"{{ secrets.auth_token }}"',),
        ),
    },
    Receipts: {
        "items": _ITEMS,
        "reference": Note(
            "Reference",
            "The provider's id, the one that `message_id` finds.",
            "服务商的消息编号。",
        ),
        "id": Note("Our id", "What the file sends as `{{ id }}`.", "配置中以 `{{ id }}` 发出的编号。"),
        "status": Note("Status", "What became of it.", "状态字段。"),
        "delivered": Note("Delivered", "Values that mean: it arrived.", "表示已送达的值。", ("[DELIVRD]",)),
        "failed": Note(
            "Failed",
            "Values that mean: it never will. Others: still under way.",
            "表示失败的值；其余表示仍在途中。",
            ("[UNDELIV]",),
        ),
        "reason": Note("Reason", "Why, in the provider's words; for the record only.", "失败原因，仅存档。"),
        "bad_address": Note(
            "Bad address",
            "A pattern of the reason: the address itself is at fault.",
            "原因符合此正则时，视为号码或地址无效。",
        ),
        "segments": Note("Segments", "How many parts it was sent in.", "计费条数。"),
        "answer": _ANSWER,
    },
    Inbound: {
        "items": _ITEMS,
        "from": Note(
            "From",
            "Who writes; several are joined.",
            "发送者；多个字段会拼接。",
            ("phone_number", '["+", nationcode, mobile]'),
        ),
        "to": Note("To", "The number it was sent to.", "接收号码。"),
        "text": Note("Text", "What was written.", "内容。"),
        "reference": Note("Reference", "By which a repeat is known.", "用于识别重复的编号。"),
        "at": Note("At", "When it was written.", "发送时间。"),
        "raw": Note("Raw", "The body is a whole mail (MIME).", "正文是完整邮件（MIME）。"),
        "answer": _ANSWER,
    },
    PostAnswer: {
        "status": Note("Status", "200 to 299.", "200 到 299。", ("200",)),
        "content_type": Note("Content type", "Of the answer.", "应答的类型。", ("text/plain",)),
        "body": Note("Body", "Of the answer.", "应答的正文。"),
    },
}
