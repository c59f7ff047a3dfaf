"""Providers that hand in receipts and replies, each in its own documented form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from reeve.runtime.providers.posts import twilio_signature

TOKEN = "hook-token-1"
AUTH_TOKEN = "twilio-auth-1"
SECRET = "shared-secret-1"

ENVIRONMENT = {"HOOK_TOKEN": TOKEN, "TWILIO_AUTH_TOKEN": AUTH_TOKEN, "HOOK_SECRET": SECRET}

ALIYUN = """
name: aliyun
kind: http
channel: sms
url: "{url}"
json: {{to: "{{{{ to }}}}", text: "{{{{ text }}}}", id: "{{{{ id }}}}"}}
timeout: 2m
secrets: {{hook: HOOK_TOKEN}}
webhooks: {{auth: {{kind: token, token: "{{{{ secrets.hook }}}}"}}}}
receipts:
  reference: biz_id
  status: success
  delivered: [true]
  failed: [false]
  reason: err_code
  segments: sms_size
  answer: {{body: '{{"code": 0, "msg": "ok"}}'}}
inbound:
  from: phone_number
  text: content
  reference: sequence_id
  at: send_time
  answer: {{body: '{{"code": 0, "msg": "ok"}}'}}
"""
"""SmsReport and SmsUp of Alibaba Cloud: JSON lists, answered with a code."""

TENCENT = """
name: tencent
kind: http
channel: sms
url: "{url}"
json: {{to: "{{{{ to }}}}", text: "{{{{ text }}}}", id: "{{{{ id }}}}"}}
timeout: 2m
secrets: {{hook: HOOK_TOKEN}}
webhooks: {{auth: {{kind: token, token: "{{{{ secrets.hook }}}}"}}}}
receipts:
  reference: sid
  status: report_status
  delivered: [SUCCESS]
  failed: [FAIL]
  reason: errmsg
  answer: {{body: '{{"result": 0, "errmsg": "OK"}}'}}
inbound:
  from: ["+", nationcode, mobile]
  text: text
  at: time
  answer: {{body: '{{"result": 0, "errmsg": "OK"}}'}}
"""
"""Status callback (a list) and SMS reply (one object) of Tencent Cloud."""

TWILIO = """
name: twilio
kind: http
channel: sms
url: "{url}"
json: {{to: "{{{{ to }}}}", text: "{{{{ text }}}}", id: "{{{{ id }}}}"}}
timeout: 2m
secrets: {{auth: TWILIO_AUTH_TOKEN}}
webhooks: {{auth: {{kind: twilio, auth_token: "{{{{ secrets.auth }}}}"}}}}
receipts:
  reference: MessageSid
  status: MessageStatus
  delivered: [delivered]
  failed: [failed, undelivered]
  reason: ErrorCode
inbound:
  from: From
  text: Body
  reference: MessageSid
  answer: {{content_type: text/xml, body: "<Response/>"}}
"""
"""Messaging webhooks of Twilio: forms, signed over the address that is called."""

PLAIN = """
name: plain
kind: http
channel: sms
url: "{url}"
json: {{to: "{{{{ to }}}}", text: "{{{{ text }}}}", id: "{{{{ id }}}}"}}
timeout: 2m
secrets: {{hook: HOOK_TOKEN}}
webhooks: {{auth: {{kind: token, token: "{{{{ secrets.hook }}}}"}}, methods: [GET]}}
inbound: {{from: mo, text: msg, answer: {{content_type: text/plain, body: "OK"}}}}
"""
"""A small gateway that only calls an address, and gives its messages no id."""

MAILBOX = """
name: mailbox
kind: smtp
host: mail.example
secrets: {{hook: HOOK_TOKEN}}
webhooks: {{auth: {{kind: token, token: "{{{{ secrets.hook }}}}"}}}}
inbound: {{raw: true}}
"""
"""A mail server that takes our mails, and whose hook hands in what people answer, as it came."""


def write_providers(folder: Path, *files: str, url: str = "https://sms.example/send") -> Path:
    """A folder with these providers' files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(files):
        (folder / f"{number}.yaml").write_text(text.format(url=url), "utf-8")
    return folder


def aliyun_up(number: str, text: str, sequence: int) -> bytes:
    """An SmsUp post with one message."""
    entry = {"phone_number": number, "content": text, "send_time": "2026-11-20 17:51:00"}
    entry |= {"sign_name": "阳光", "dest_code": "9001"}
    return json.dumps([entry | {"sequence_id": sequence}], ensure_ascii=False).encode()


def tencent_reply(nationcode: str, mobile: str, text: str, at: int) -> bytes:
    """An SMS reply."""
    reply = {"extend": "", "mobile": mobile, "nationcode": nationcode, "sign": "阳光", "text": text, "time": at}
    return json.dumps(reply, ensure_ascii=False).encode()


def twilio_reply(url: str, number: str, text: str, sid: str) -> tuple[bytes, dict[str, str]]:
    """The form and headers of an incoming message; `url` is what Twilio calls."""
    fields: dict[str, Any] = {
        "MessageSid": sid,
        "AccountSid": "AC0",
        "From": number,
        "To": "+15005550006",
        "Body": text,
        "NumMedia": "0",
    }
    signature = twilio_signature(url, fields.items(), AUTH_TOKEN)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return urlencode(fields).encode(), headers
