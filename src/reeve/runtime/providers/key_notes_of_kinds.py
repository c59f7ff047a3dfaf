"""The keys of each kind of provider file, as editors and docs/providers.md explain them."""

from __future__ import annotations

from pydantic import BaseModel

from reeve.rulelang.key_notes import Note, Notes
from reeve.runtime.providers.apprise_file import AppriseFile
from reeve.runtime.providers.auth import AliyunAuth, BasicAuth, BearerAuth, TencentAuth
from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.judging import ErrorRule, JsonTest, MessageId, Test
from reeve.runtime.providers.smtp_file import SmtpFile
from reeve.runtime.providers.templates import ProviderTemplate
from reeve.runtime.providers.webhook_file import WebhookFile

_SECRET = ('"{{ secrets.key }}"',)
_AUTH_KIND = Note("Kind", "basic, bearer, aliyun or tencent.", "basic、bearer、aliyun 或 tencent。")
_ACTION = Note("Action", "Of the provider's API.", "接口名称。", ("SendSms",))
_VERSION = Note("Version", "Of the provider's API.", "接口版本。")
_PATTERN = Note("Body", "A pattern (RE2) found in the body.", "在正文中匹配的正则（RE2）。")
_STATUS = Note("Status", "HTTP status codes.", "HTTP 状态码。", ("[200]",))

KIND_NOTES: dict[type[BaseModel], Notes] = {
    HttpFile: {
        "": Note(
            "HTTP provider",
            "One HTTP request per message. Templates over to, to_digits, text, subject, unicode, id, message, "
            "language, receipts_url, inbound_url, secrets.<name>, template.code, template.params.",
            "每条消息一个 HTTP 请求。模板可用 to、to_digits、text、subject、unicode、id、message、language、"
            "receipts_url、inbound_url、secrets.<名称>、template.code、template.params。",
        ),
        "method": Note("Method", "Of the request.", "请求方法。"),
        "url": Note("URL", "A template.", "模板。", ("https://sms.example.org/send",)),
        "query": Note("Query", "Fields after the `?`; templates.", "查询参数，模板。"),
        "headers": Note("Headers", "Templates.", "请求头，模板。"),
        "form": Note("Form", "Fields of a form in the body; templates.", "表单字段，模板。"),
        "json": Note("JSON", "The body; every text in it is a template.", "JSON 正文，其中每个文本都是模板。"),
        "body": Note("Body", "The body as text; a template.", "文本正文，模板。"),
        "auth": Note("Proof", "How the provider knows us.", "身份验证。"),
        "templates": Note(
            "Templates",
            "For providers that send approved templates only: message, message.language or `*` → theirs.",
            "仅限审核模板的服务商：消息、消息.语言或 `*` → 对方模板。",
        ),
        "success": Note("Success", "What an answer is like when the message was taken.", "表示已接收的应答。"),
        "message_id": Note("Message id", "Where the provider's id of the message stands.", "消息编号的位置。"),
        "errors": Note("Errors", "The first that fits says what an answer means.", "按顺序，第一条符合的生效。"),
    },
    BasicAuth: {
        "kind": _AUTH_KIND,
        "username": Note("User name", "A template.", "用户名，模板。"),
        "password": Note("Password", "A template with a secret.", "密码，模板。", _SECRET),
    },
    BearerAuth: {"kind": _AUTH_KIND, "token": Note("Token", "A template with a secret.", "令牌，模板。", _SECRET)},
    AliyunAuth: {
        "kind": _AUTH_KIND,
        "access_key_id": Note("AccessKey ID", "A template with a secret.", "AccessKey ID，模板。", _SECRET),
        "access_key_secret": Note(
            "AccessKey secret", "A template with a secret.", "AccessKey Secret，模板。", _SECRET
        ),
        "action": _ACTION,
        "version": _VERSION,
    },
    TencentAuth: {
        "kind": _AUTH_KIND,
        "secret_id": Note("SecretId", "A template with a secret.", "SecretId，模板。", _SECRET),
        "secret_key": Note("SecretKey", "A template with a secret.", "SecretKey，模板。", _SECRET),
        "service": Note("Service", "Of the provider's API.", "服务名。", ("sms",)),
        "action": _ACTION,
        "version": _VERSION,
        "region": Note("Region", "Of the provider.", "地域。", ("ap-guangzhou",)),
    },
    ProviderTemplate: {
        "code": Note("Code", "Of the provider's template.", "模板编号。", ("SMS_000000001",)),
        "params": Note(
            "Parameters",
            "By name, or a list by number; templates over what the message may name.",
            "按名称，或按顺序的列表；写法与通知模板相同。",
        ),
    },
    Test: {
        "status": _STATUS,
        "body": _PATTERN,
        "json": Note("JSON", "A value in the JSON body.", "JSON 正文中的值。", ("{path: code, is: [0]}",)),
    },
    JsonTest: {
        "path": Note("Path", "Dotted; list places are numbers.", "点分路径；列表用数字。", ("result.0.code",)),
        "is": Note("Is", "It is one of these.", "等于其中之一。", ("[OK]",)),
        "matches": Note("Matches", "A pattern (RE2) found in it.", "匹配的正则（RE2）。"),
    },
    MessageId: {
        "body": _PATTERN,
        "json": Note("JSON", "Path of the id.", "编号的路径。", ("data.id",)),
        "header": Note("Header", "That holds it.", "所在请求头。"),
    },
    ErrorRule: {
        "when": Note("When", "What the answer is like.", "应答的特征。"),
        "then": Note(
            "Then",
            "transient: later again; throttled: too many; permanent: another way at once; unknown: it may be out.",
            "transient：稍后重试；throttled：过多；permanent：立即改走其他途径；unknown：可能已发出。",
        ),
        "reason": Note("Reason", "For metrics and the record; see Reasons.", "用于指标和存档，见“原因”。"),
    },
    SmtpFile: {
        "": Note("Mail server", "A server that takes our mail.", "接收邮件的服务器。"),
        "host": Note("Host", "Name or address.", "主机名或地址。", ("smtp.example.org",)),
        "port": Note("Port", "25, 587 or 465.", "25、587 或 465。", ("587",)),
        "tls": Note(
            "TLS",
            "auto: STARTTLS where offered; starttls: it must be; tls: from the first byte; none.",
            "auto：支持则用 STARTTLS；starttls：必须；tls：直接加密；none：不加密。",
        ),
        "username": Note("User name", "A template.", "用户名，模板。", ('"{{ secrets.user }}"',)),
        "password": Note("Password", "A template with a secret.", "密码，模板。", ('"{{ secrets.password }}"',)),
        "from": Note("From", "The sender.", "发件人。", ("Reeve <reeve@example.org>",)),
        "messages_per_connection": Note(
            "Mails per connection", "After so many a new one is opened.", "每个连接发送的邮件数。", ("500",)
        ),
    },
    WebhookFile: {
        "": Note(
            "Webhook",
            "A CloudEvent, posted and signed (webhook-id, webhook-timestamp, webhook-signature).",
            "以 POST 发送的 CloudEvent，带签名（webhook-id、webhook-timestamp、webhook-signature）。",
        ),
        "url": Note(
            "URL", "The recipient's address, unless another is given.", "默认为接收人的地址。", ('"{{ to }}"',)
        ),
        "secret": Note(
            "Secret", "Signs; whsec_… is base64.", "签名密钥；whsec_… 为 base64。", ('"{{ secrets.signing }}"',)
        ),
        "headers": Note("Headers", "Templates.", "请求头，模板。"),
        "allow_hosts": Note(
            "Allowed hosts",
            "May be inside your network and without https; all others are public and https.",
            "允许在内网且不用 https 的主机；其余必须是公网 https。",
            ("[erp.internal]",),
        ),
    },
    AppriseFile: {
        "": Note(
            "Apprise",
            "A service that the library Apprise speaks to: WeCom, DingTalk, Feishu, Slack, ntfy, Telegram ….",
            "Apprise 支持的服务：企业微信、钉钉、飞书、Slack、ntfy、Telegram 等。",
        ),
        "url": Note(
            "URL",
            "Apprise's address; `{{ to }}` is the recipient's. Put it behind the host, not in its place.",
            "Apprise 地址；`{{ to }}` 为接收人地址，应写在主机之后。",
            ('"wecombot://{{ to }}"', '"tgram://{{ secrets.bot }}/{{ to }}"'),
        ),
        "format": Note("Format", "What the texts are written in.", "文本格式。"),
    },
}
