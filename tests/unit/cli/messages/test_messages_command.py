"""`reeve messages preview`: what people would get, for a case that has everything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reeve.cli.main import main
from reeve.cli.messages import sending
from reeve.cli.messages.catalogue import NoSuchMessage, check_message, names_of, told_by
from reeve.cli.messages.preview import of_example
from reeve.cli.messages.texts import MessagePage
from reeve.domain.bundle import Bundle
from reeve.domain.case import Case, CaseKey
from reeve.domain.flood.settings import DIGEST
from reeve.domain.recipients import Recipient
from reeve.rulelang.load import load_bundle, read_folder
from reeve.rulelang.sms_segments import parts
from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.load import Configured

RULES = Path(__file__).parents[4] / "rules"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    found = load_bundle(read_folder(RULES)).bundle
    assert found is not None
    return found


def row(bundle: Bundle, message: str, channel: str, language: str, *providers: Configured) -> dict[str, Any]:
    policy, role = told_by(bundle, message, None)
    return of_example(bundle, message, channel, language, role, policy, "").row(providers)


def gateway(name: str, **more: Any) -> Configured:
    described = {"name": name, "channel": "sms", "kind": "http", "url": "https://sms.example/send", **more}
    return Configured(HttpFile.model_validate(described), {}, f"{name}.yaml")


def test_every_message_of_the_shipped_rules_can_be_shown_on_every_channel(bundle: Bundle) -> None:
    for message in names_of(bundle):
        for language in ("zh", "en"):
            for channel in ("sms", "email", "chat"):
                found = row(bundle, message, channel, language)
                assert found["fault"] is None, (message, language, channel)
                assert found["body"]
                if channel == "sms":
                    assert found["segments"] == len(parts(found["body"])) <= 3, found["body"]


def test_a_sms_says_how_it_is_coded(bundle: Bundle) -> None:
    chinese, english = (row(bundle, "complaint_reported", "sms", each) for each in ("zh", "en"))
    assert (chinese["encoding"], english["encoding"]) == ("UCS-2", "GSM-7")
    for found, alone, several in ((chinese, 70, 67), (english, 160, 153)):
        count = len(parts(found["body"]))
        assert (found["segments"], found["characters_per_segment"]) == (count, alone if count == 1 else several)
    assert (chinese["subject"], english["built_in"]) == (None, False)
    assert "segments" not in row(bundle, "complaint_reported", "email", "en")


def test_the_template_that_a_provider_would_fill_in(bundle: Bundle) -> None:
    own = {"complaint_reported.zh": {"code": "SMS_1"}, "unreachable": {"code": "SMS_2"}}
    body = {"form": {"to": "{{ to }}", "code": "{{ template.code }}"}}
    plain = gateway("plain", form={"to": "{{ to }}", "text": "{{ text }}"})
    by = row(bundle, "complaint_reported", "sms", "zh", plain, gateway("approved", templates=own, **body))[
        "providers"
    ]
    assert by == [
        {"provider": "plain", "template": None, "sends": True},
        {"provider": "approved", "template": "SMS_1", "sends": True},
    ]
    by = row(bundle, "complaint_reported", "sms", "en", gateway("approved", templates=own, **body))["providers"]
    assert by == [{"provider": "approved", "template": None, "sends": False}]
    assert row(bundle, "complaint_reported", "email", "zh", plain)["providers"] == []


def test_a_digest_holds_several_matters(bundle: Bundle) -> None:
    body = row(bundle, DIGEST, "email", "en")["body"]
    assert {"T-100001", "T-100002"} <= set(body.replace("(", " ").replace(")", " ").replace(":", " ").split())


@pytest.mark.parametrize(
    ("lang", "close", "nothing_like"),
    [
        ("en", "did you mean complaint_reported?", "see `reeve messages list`."),
        ("zh", "是不是想写 complaint_reported？", "见 `reeve messages list`。"),
    ],
)
def test_a_name_that_there_is_not(bundle: Bundle, lang: str, close: str, nothing_like: str) -> None:
    for name, says in (("complaint_reportd", close), ("zzzz", nothing_like)):
        with pytest.raises(NoSuchMessage) as refused:
            check_message(bundle, name, lang)
        assert repr(name) in str(refused.value)
        assert str(refused.value).endswith(says)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_how_it_reads(bundle: Bundle, capsys: pytest.CaptureFixture[str], lang: str) -> None:
    found = row(bundle, "complaint_reported", "sms", "zh") | {"segments": 2, "characters_per_segment": 67}
    MessagePage(lang).preview(found)
    text = capsys.readouterr().out
    assert "UCS-2" in text
    assert ("2 SMS (67 each at most)" if lang == "en" else "2 条短信（每条最多 67）") in text


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["messages", *arguments])
    return int(ended.value.code or 0)


def test_a_folder_with_mistakes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("preview", "m", "--rules", str(tmp_path / "nowhere")) == 2
    assert "no such folder" in capsys.readouterr().err
    assert run("preview", "m", "--case", "T-1", "--example") == 2
    (tmp_path / "site.yaml").write_text("language: 1\nzona: Asia/Shanghai\n")
    assert run("list", "--rules", str(tmp_path)) == 1
    assert "zone" in capsys.readouterr().err


PEOPLE = [Recipient("pm-1", "garden", addresses={"email": "pm@example.org"})]


@pytest.mark.parametrize(
    ("arguments", "english", "chinese"),
    [
        (("--to", "pm-11"), "no recipient at garden; did you mean pm-1?", "garden 的接收人；是不是想写 pm-1？"),
        (("--to", "pm-1", "--channel", "sms"), "for sms; there is: email.", "没有 sms 的联系方式；已有：email。"),
    ],
)
def test_why_a_test_message_is_not_sent(
    bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    english: str,
    chinese: str,
) -> None:
    class People:
        def __init__(self, _: object) -> None:
            pass

        async def by_id(self, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Recipient]:
            return {(each.place, each.id): each for each in PEOPLE if (each.place, each.id) in keys}

        async def all(self, place: str) -> list[Recipient]:
            return [each for each in PEOPLE if each.place == place]

    @asynccontextmanager
    async def no_record(*_: object) -> AsyncIterator[None]:
        yield

    async def rules(*_: object) -> Bundle:
        return bundle

    async def case(*_: object) -> Case:
        return Case(CaseKey("garden", "complaint", "T-1"), "ticket", "d", datetime(2026, 11, 20, tzinfo=UTC))

    monkeypatch.setattr(sending, "open_record", no_record)
    monkeypatch.setattr(sending, "active_rules", rules)
    monkeypatch.setattr(sending, "find_case", case)
    monkeypatch.setattr(sending, "RecipientStore", People)
    for lang, says in (("en", english), ("zh", chinese)):
        assert run("send", "complaint_reported", "--case", "T-1", *arguments, "--lang", lang) == 1
        assert says in capsys.readouterr().err
