"""A folder of providers: every kind, every fault at once, and what is used without its webhooks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from reeve.runtime.providers.faults import ProvidersRefused
from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.load import check_providers, load_provider, load_providers
from services.notify.channels.configured import check_configured, configured
from services.notify.channels.http import HttpProvider
from services.notify.channels.opening import open_providers
from services.notify.channels.smtp import SmtpProvider
from services.notify.channels.webhook import WebhookProvider
from services.notify.settings import NotifySettings

EXAMPLES = Path(__file__).parents[3] / "examples" / "channels"
SMTP = "name: mail\nkind: smtp\nhost: smtp.example.org\nfrom: a@example.org\n"
HTTP = "name: sms-a\nurl: http://a.example/\nform: {to: '{{ to }}'}\n"
HOOK = "name: erp\nkind: webhook\nsecret: '{{ secrets.k }}'\nsecrets: {k: KEY}\n"
CHAT = "name: wecom\nkind: apprise\nurl: 'wecombot://{{ to }}'\n"


def _folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    return tmp_path


def _faults(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "p.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ProvidersRefused) as refused:
        load_provider(str(file), {"KEY": "k"})
    return [str(fault).replace(f"{file}:", "") for fault in refused.value.faults]


def test_a_folder_is_read_by_channel_and_order(tmp_path: Path) -> None:
    second = SMTP.replace("mail", "spare") + "order: 2\n"
    folder = _folder(tmp_path, z=SMTP, a=second, b=HTTP, c=HOOK, d=CHAT)
    (tmp_path / "notes.txt").write_text("not a provider")
    (tmp_path / ".hidden.yaml").write_text("not: one")
    found = load_providers(folder, environment={"KEY": "k"})
    assert [(each.channel, each.name) for each in found] == [
        ("chat", "wecom"),
        ("email", "mail"),
        ("email", "spare"),
        ("sms", "sms-a"),
        ("webhook", "erp"),
    ]
    opened = open_providers(found[1:])
    assert [type(each) for each in opened] == [SmtpProvider, SmtpProvider, HttpProvider, WebhookProvider]
    assert [(each.channel, each.name) for each in opened] == [(each.channel, each.name) for each in found[1:]]


def test_common_keys_and_their_defaults(tmp_path: Path) -> None:
    more = "order: 2\nshare: 0.5\nper_second: 20\nburst: 40\nconnections: 2\ntimeout: 1.5m\nunknown: give_up\n"
    _folder(tmp_path, a=HTTP + more + "price_per_segment: 0.045\n", b=HTTP.replace("sms-a", "sms-b"))
    plain, tuned = (each.file for each in sorted(load_providers(tmp_path), key=lambda one: one.file.order))
    assert (plain.timeout, plain.unknown, plain.share, plain.per_second) == (timedelta(seconds=10), "resend", 1, 0)
    assert (tuned.order, tuned.share, tuned.burst, tuned.unknown) == (2, 0.5, 40, "give_up")
    assert (tuned.timeout, tuned.price_per_segment) == (timedelta(seconds=90), Decimal("0.045"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: x\nkind: smpp\n", "2: kind: Reeve speaks no SMPP"),
        ("name: x\nkind: pigeon\n", "2: kind: there is no such kind: one of apprise, http, smtp, webhook"),
        (SMTP + "tsl: none\n", "5: tsl: there is no such key here; did you mean tls?"),
        (HTTP + "port: 25\n", "4: port: there is no such key here; files of kind smtp have one"),
        (SMTP + "username: '{{ secrets.u }}'\n", "1: the file: give username and password together, or neither"),
        (SMTP + "channel: sms\n", "5: channel: Input should be 'email'"),
        (SMTP.replace("a@example.org", "nobody"), "4: from: the sender must be an address like"),
        (HTTP + "timeout: soon\n", "4: timeout: this is a length of time: 10s, 5m, 2h"),
        (HTTP + "timeout: 3m\n", "4: timeout: this is more than 0 and at most 2m"),
        (HTTP + "unknown: wait\n", "1: the file: unknown: wait waits for a receipt, and receipts is not given"),
        (HTTP + "inbound: {from: a, text: b}\n", "1: the file: inbound is given, but not by what a post is known"),
        (
            HTTP + "webhooks: {auth: {kind: tok}}\ninbound: {from: a, text: b}\n",
            "4: webhooks.auth.kind: there is no such kind: one of hmac, token, twilio",
        ),
        (
            HTTP + "webhooks:\n  auth: {kind: token, token: hunter2}\ninbound: {from: a, text: b}\n",
            "5: webhooks.auth.token: a secret must not stand here",
        ),
        (
            HTTP + "webhooks: {auth: {kind: token, token: '{{ secrets.h }}'}}\ninbound: {from: a, text: b}\n",
            "4: webhooks.auth.token: template: nothing is called 'h' here; there is no secret; name it",
        ),
        (HTTP + "name: again\n", "4: the file: the key name stands twice: keep one"),
        (HOOK + "url: http://a.example/\n", "5: url: without https only hosts under allow_hosts are called; add"),
        ("name: x\nurl: 'http://{{ to }}/'\n", "2: url: a recipient's address must not choose the host"),
        ("kind: http\n", "1: name: this is missing"),
        ("[]\n", "1: the file: this should be keys with values"),
    ],
)
def test_a_fault_is_said_at_its_line_with_its_mend(tmp_path: Path, text: str, says: str) -> None:
    said = _faults(tmp_path, text)
    assert any(each.startswith(says.rstrip(".")) for each in said), said
    assert "hunter2" not in str(said)


def test_faults_of_all_files_are_said_at_once(tmp_path: Path) -> None:
    folder = _folder(tmp_path, a=HTTP, b=HTTP, c="name: x\n", d=SMTP + "tsl: x\n", e=CHAT)
    found, faults = check_providers(folder, environment={})
    assert [fault.source.rpartition("/")[2] for fault in faults] == ["c.yaml", "d.yaml", "b.yaml"]
    assert "sms-a is the name of" in faults[-1].sentence
    assert "wecom" in {each.name for each in found}
    with pytest.raises(ProvidersRefused) as refused:
        load_providers(folder, environment={})
    assert len(str(refused.value).splitlines()) == 3


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ProvidersRefused, match="no such folder; REEVE_CHANNELS names it"):
        load_providers(tmp_path / "gone")


@pytest.mark.parametrize("request_by", ["method: GET\nquery", "json"])
def test_what_only_posts_need_may_be_missing_and_posts_are_off_then(tmp_path: Path, request_by: str) -> None:
    text = (
        f"name: kannel\nurl: http://k.example/\n{request_by}: "
        "{to: '{{ to }}', pw: '{{ secrets.pw }}', dlr: '{{ receipts_url }}?token={{ secrets.hook }}'}\n"
        "secrets: {pw: PW, hook: HOOK}\nwebhooks: {auth: {kind: token, token: '{{ secrets.hook }}'}}\n"
        "receipts: {id: id, status: status, delivered: 1}\n"
    )
    file = tmp_path / "k.yaml"
    file.write_text(text, "utf-8")
    without = load_provider(str(file), {"PW": "x"})
    assert (without.file.receipts, without.file.webhooks, without.missing) == (None, None, ("HOOK",))
    with_hook = load_provider(str(file), {"PW": "x", "HOOK": "y"})
    assert with_hook.file.receipts is not None
    assert with_hook.missing == ()
    assert load_provider(str(file), {"HOOK": "y"}, secrets="webhooks").file.receipts is not None
    looked_at = load_provider(str(file), {}, secrets="none")
    assert looked_at.missing == ("PW", "HOOK")
    assert looked_at.file.receipts is not None
    with pytest.raises(ProvidersRefused, match="variable PW is not set"):
        load_provider(str(file), {"HOOK": "y"})


def test_the_older_settings_go_on_working(tmp_path: Path) -> None:
    gateway = tmp_path / "sms.yaml"
    gateway.write_text(HTTP + "per_second: 3\n", "utf-8")
    settings = NotifySettings.load(
        smtp_host="127.0.0.1",
        smtp_username="reeve",
        smtp_password="hunter2",
        smtp_from="值班 <a@example.org>",
        sms_gateway=str(gateway),
        sms_connections=3,
    )
    mail, sms = configured(settings)
    assert (mail.name, mail.file.connections, mail.file.timeout) == ("smtp", 4, timedelta(seconds=30))
    assert (sms.name, sms.file.connections, sms.file.per_second) == ("sms-a", 3, 3)
    assert "hunter2" not in repr((mail, sms))
    url = NotifySettings.load(sms_gateway="http://a.example/send")
    (only,) = configured(url)
    assert isinstance(only.file, HttpFile)


def test_a_mail_server_that_can_not_be_one_is_named_by_its_setting() -> None:
    _, faults = check_configured(NotifySettings.load(smtp_host="not a host"), environment={})
    assert [(fault.source, fault.place) for fault in faults] == [("REEVE_SMTP_HOST", "host")]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_load(path: Path) -> None:
    found = load_provider(str(path), {}, secrets="none")
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=../../schemas/channels/")
    assert found.name
