"""Mails that answer: a person's first own line counts, a machine's mail never does."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.notify.answers.mail import MailReply, read_mail, said_in

REPLY_TO = "reeve+{code}@example.org"
CODE = "abcdefghijklmnopqrstuvw2"
ADDRESS = REPLY_TO.replace("{code}", CODE)


def mail(body: str = "1\n", to: str = ADDRESS, **headers: str) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "王经理 <manager@example.org>"
    made["To"] = to
    made["Subject"] = headers.pop("Subject", "Re: 投诉 T-1")
    made["Message-ID"] = "<m-1@example.org>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(body)
    return made


def read(made: EmailMessage) -> MailReply | str:
    return read_mail(made.as_bytes(), REPLY_TO)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("1\n", "1"),
        ("\n\n  收到，谢谢  \n\n> 1\n", "收到，谢谢"),
        ("3 45\n\nOn Fri, 20 Nov 2026 at 17:51, Reeve <reeve@example.org> wrote:\n> complaint T-1\n", "3 45"),
        ("> complaint T-1\n> please attend\n\n2\n", "2"),
        ("On Fri, Reeve wrote:\n> complaint\n1", "1"),
        ("在 2026年11月20日，Reeve 写道：\n> 投诉\n\n确认\n", "确认"),
        ("-----Original Message-----\nFrom: Reeve\n1\n", ""),
        ("发件人: Reeve\n1\n", ""),
        ("> 1\n", ""),
        ("", ""),
    ],
)
def test_the_first_line_of_its_own_speaks(body: str, line: str) -> None:
    reply = read(mail(body))
    assert isinstance(reply, MailReply)
    assert (reply.code, reply.line) == (CODE, line)
    assert "收到" not in repr(reply)


def test_html_and_chinese_charsets_are_read() -> None:
    made = mail()
    made.set_content("<html><head><title>2</title></head><body><div>收到</div><blockquote>2</blockquote></body>")
    made.replace_header("Content-Type", 'text/html; charset="utf-8"')
    reply = read(made)
    assert isinstance(reply, MailReply)
    assert reply.line == "收到"
    raw = f"To: {ADDRESS}\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n".encode() + "确认".encode("gbk")
    spoken = read_mail(raw, REPLY_TO)
    assert isinstance(spoken, MailReply)
    assert spoken.line == "确认"


@pytest.mark.parametrize("header", ["Cc", "Delivered-To", "X-Original-To"])
def test_the_code_may_stand_where_the_mail_server_puts_it(header: str) -> None:
    made = mail(to="reeve@example.org")
    made[header] = ADDRESS.upper()
    reply = read(made)
    assert isinstance(reply, MailReply)
    assert reply.code == CODE


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner=x"},
        {"List_Id": "<staff.example.org>"},
        {"List_Unsubscribe": "<mailto:x@example.org>"},
        {"Precedence": "bulk"},
        {"Return_Path": "<>"},
        {"X_Failed_Recipients": "a@example.org"},
        {"Subject": "Automatic reply: complaint T-1"},
        {"Subject": "自动回复：投诉 T-1"},
        {"Subject": "Out of office"},
        {"Subject": "Undelivered Mail Returned to Sender"},
        {"Sender": "MAILER-DAEMON@example.org"},
    ],
)
def test_machines_never_answer(headers: dict[str, str]) -> None:
    assert read(mail(**headers)) == "automatic"


def test_a_delivery_report_never_answers() -> None:
    made = mail()
    made.replace_header("Content-Type", 'multipart/report; report-type="delivery-status"; boundary="b"')
    assert read(made) == "automatic"


@pytest.mark.parametrize("to", ["reeve@example.org", "reeve+short@example.org", "other+" + CODE + "@example.org"])
def test_without_a_code_of_ours_nothing_is_answered(to: str) -> None:
    assert read(mail(to=to)) == "no_code"


def test_auto_submitted_no_is_a_person() -> None:
    assert isinstance(read(mail(Auto_Submitted="no")), MailReply)


def test_the_same_mail_is_known_by_its_id() -> None:
    first, second = read(mail("1")), read(mail("1\n-- \nsent from a phone"))
    assert isinstance(first, MailReply)
    assert isinstance(second, MailReply)
    assert first.reference == second.reference


@given(some.binary(max_size=2000))
def test_any_bytes_are_read_without_fault(raw: bytes) -> None:
    for data in (raw, b"To: " + ADDRESS.encode() + b"\r\n" + raw, b"Subject: =?x?Q?" + raw):
        reply = read_mail(data, REPLY_TO)
        assert isinstance(reply, MailReply) or reply in ("automatic", "no_code", "unreadable")


@given(some.text(max_size=300))
def test_any_text_has_a_line_or_none(text: str) -> None:
    line = said_in(text)
    assert line == line.strip()
    assert not line.startswith(">")


def test_a_mail_nested_beyond_reason_is_unreadable_and_no_more() -> None:
    parts = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (depth, depth) for depth in range(3000)
    )
    assert isinstance(read_mail(b"To: " + ADDRESS.encode() + b"\r\n" + parts, REPLY_TO), MailReply | str)
