"""A gateway's file: what is wrong with it is said at its line, and what it can't mean is refused before a send."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.rulelang.template_limits import RenderingFailed
from reeve.runtime.providers.faults import ProvidersRefused
from reeve.runtime.providers.http_file import HttpFile, render_tree, without_posts
from reeve.runtime.providers.judging import JsonTest
from reeve.runtime.providers.load import load_provider
from reeve.runtime.providers.templates import ProviderTemplate, fill, template_for

HEAD = "name: x\nurl: http://a.example/\n"
SIGNED = (
    "auth: {kind: aliyun, access_key_id: '{{ secrets.i }}', access_key_secret: '{{ secrets.k }}', "
    "action: SendSms, version: v}\nsecrets: {i: I, k: K}\n"
)
TENCENT = (
    "auth: {kind: tencent, secret_id: '{{ secrets.i }}', secret_key: '{{ secrets.k }}', service: sms, "
    "action: SendSms, version: v, region: r}\nsecrets: {i: I, k: K}\n"
)
TWO_RULES = HEAD + (
    "errors:\n  - then: permanent\n    when: {status: [400]}\n  - then: permenent\n    when: {status: [500]}\n"
)
THERE_IS = "there is text, id, message, language, to, to_digits, unicode, subject, receipts_url, inbound_url"
NO_SECRET = (
    "a secret must not stand here: name an environment variable under `secrets` and write {{ secrets.<name> }}"
)
TEXTS_ONLY = "give names with texts ({case: '{{ case }}'}), or a list of texts where they go by number"


def _refusal(tmp_path: Path, content: str, environment: dict[str, str] | None = None) -> str:
    file = tmp_path / "g.yaml"
    file.write_text(content, "utf-8")
    with pytest.raises(ProvidersRefused) as refused:
        load_provider(str(file), environment or {"I": "i", "K": "k"})
    return str(refused.value).replace(f"{file}:", "")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEAD + "methd: GET\n", "3: methd: there is no such key here; did you mean method?"),
        ("name: x\n", "1: url: this is missing"),
        (TWO_RULES, "6: errors.1.then: Input should be 'transient', 'throttled', 'permanent' or 'unknown'"),
        (
            HEAD + "errors: [{when: {}, then: permanent}]\n",
            "3: errors.0.when: give status, body or json: nothing holds of every answer",
        ),
        (
            HEAD + "errors: [{when: {json: {path: a, is: [1], matches: b}}, then: permanent}]\n",
            "3: errors.0.when.json: give one of is and matches",
        ),
        (HEAD + "message_id: {json: a, header: b}\n", "3: message_id: give one of json, header and body"),
        (HEAD + "form:\n  a: '{{ too }}'\n", f"4: form.a: template: 'too' is undefined; {THERE_IS}"),
        (
            HEAD + "query: {p: '{{ secrets.pw }}'}\nsecrets: {pass: I}\n",
            f"3: query.p: template: nothing is called 'pw' here; {THERE_IS}, secrets.pass",
        ),
        ("name: x\nurl: a.example\n", "2: url: this is no http:// or https:// address"),
        (
            HEAD + "secrets:\n  p: REEVE_NOT_THERE\n",
            "4: secrets.p: the environment variable REEVE_NOT_THERE is not set",
        ),
        (
            HEAD + "auth: {kind: digest}\n",
            "3: auth.kind: there is no such kind: one of aliyun, basic, bearer, tencent",
        ),
        (HEAD + "auth: {username: u}\n", "3: auth: kind is missing: one of aliyun, basic, bearer, tencent"),
        (HEAD + "auth: {kind: tencent}\n", "3: auth.region: this is missing"),
        (HEAD + "auth: {kind: bearer, token: hunter2}\n", f"3: auth.token: {NO_SECRET}"),
        (HEAD + "json:\n  - login:\n      Password: hunter2\n", f"5: json.0.login.Password: {NO_SECRET}"),
        (HEAD + "headers: {X-Api-Key: hunter2}\n", f"3: headers.X-Api-Key: {NO_SECRET}"),
        (HEAD + "query:\n  access_token: hunter2\n", f"4: query.access_token: {NO_SECRET}"),
        (
            "name: x\nurl: http://a.example/?a=b\n" + SIGNED,
            "1: the file: this auth signs the query too: put the fields of the url into query",
        ),
        (
            HEAD + "form: {a: b}\n" + TENCENT,
            "1: the file: auth of kind tencent signs a POST with json, and without query",
        ),
        (
            HEAD + "templates: {m: {code: S_1}}\nform: {a: '{{ text }}'}\n",
            "1: the file: templates are given, but neither query nor body says {{ template.code }}",
        ),
        (HEAD + "json: {a: '{{ template.params }}'}\n", f"3: json: template: 'template' is undefined; {THERE_IS}"),
        (
            HEAD + "form: {a: '{{ template.code }}'}\ntemplates:\n  m:\n    code: S_1\n    params: {n: 5}\n",
            f"7: templates.m.params: {TEXTS_ONLY}",
        ),
        (
            HEAD + "form: {a: '{{ template.code }}'}\ntemplates:\n  m: {code: S_1, params: ['{{ case | dat }}']}\n",
            "5: templates.m.params: template: line 1: there is no filter `dat`",
        ),
    ],
)
def test_a_fault_is_said_at_its_line(tmp_path: Path, content: str, says: str) -> None:
    assert says in _refusal(tmp_path, content).splitlines()


def test_all_faults_are_said_at_once_and_nothing_is_quoted(tmp_path: Path) -> None:
    said = _refusal(
        tmp_path, HEAD + "tok: hunter2\nauth: {kind: basic, username: u, password: hunter2}\nmethod: PATCH\n"
    )
    assert [line.partition(":")[0] for line in said.splitlines()] == ["3", "4", "5"]
    assert "hunter2" not in said


def test_the_entry_for_every_message_can_use_what_every_message_has(tmp_path: Path) -> None:
    content = (
        HEAD + "form: {a: '{{ template.code }}'}\ntemplates:\n  '*': {code: S_1, params: {d: '{{ due_on }}'}}\n"
    )
    said = _refusal(tmp_path, content)
    assert said.startswith(
        "4: templates: `*` stands for every message, and not every message has due_on; it can use "
    )
    assert "policy_title" in said
    file = tmp_path / "g.yaml"
    file.write_text(content.replace("due_on", "due_on | default(0)"), "utf-8")
    assert load_provider(str(file), {}).file.model_dump()["templates"]


ENTRIES = {
    key: ProviderTemplate(code=key.replace("*", "any").replace(".", "_")) for key in ("m", "m.en", "*", "*.en")
}


@pytest.mark.parametrize(
    ("message", "language", "code"),
    [
        ("m", "en", "m_en"),
        ("m", "en-GB", "m_en"),
        ("m", "en_GB", "m_en"),
        ("m", "zh", "m"),
        ("m", "", "m"),
        ("other", "en", "any_en"),
        ("other", "zh", "any"),
    ],
)
def test_the_entry_that_says_most_is_taken(message: str, language: str, code: str) -> None:
    found = template_for(ENTRIES, message, language)
    assert found is not None
    assert found.code == code
    assert template_for({"m": ENTRIES["m"]}, "other", language) is None


def test_parameters_use_the_filters_of_messages_and_stay_on_one_line() -> None:
    template = ProviderTemplate(code="S_1", params={"owed": "{{ owed_cny | money }}", "all": "{{ text }}"})
    filled = fill(template, {"owed_cny": Decimal("1234.5")}, "a\n  b")
    assert filled["params"] == {"owed": "1,234.50", "all": "a b"}


def test_a_parameter_that_fails_is_named_and_no_value_is() -> None:
    with pytest.raises(RenderingFailed, match=r"^params\.1: 'gone' is undefined$") as failed:
        fill(ProviderTemplate(code="S_1", params=["{{ text }}", "{{ gone }}"]), {}, "secret")
    assert "secret" not in str(failed.value)


def test_parameters_alone_stay_what_they_are() -> None:
    context: dict[str, Any] = {"template": {"code": "S_1", "params": ["a", "b"]}}
    tree = {"set": "{{ template.params }}", "code": "{{template.code}}", "n": 1}
    assert render_tree(tree, context) == {"set": ["a", "b"], "code": "S_1", "n": 1}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANSWERS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "0"]), inner, max_size=3)
    ),
)


@given(ANSWERS)
def test_no_answer_breaks_a_test(answer: Any) -> None:
    for path in ("a", "a.0", "0.a.b"):
        pattern = JsonTest(path=path, matches="^x")
        assert pattern.holds(answer) in (True, False)
        assert JsonTest.model_validate({"path": path, "is": ["x", 1, None, True]}).holds(answer) in (True, False)


def test_a_pattern_is_for_texts_and_numbers() -> None:
    test = JsonTest(path="c", matches="^Limit")
    assert test.holds({"c": "LimitExceeded.Daily"})
    assert not test.holds({"c": "NoLimit"})
    assert not test.holds({"c": ["Limit"]})
    assert not test.holds({})
    assert JsonTest(path="c", matches="^2").holds({"c": 21211})
    assert not JsonTest(path="c", matches="").holds({"c": True})


def test_a_url_alone_takes_a_json() -> None:
    found = load_provider("http://a.example/send")
    assert isinstance(found.file, HttpFile)
    assert (found.file.json_["text"], found.secrets) == ("{{ text }}", {})


def test_where_posts_can_not_come_the_json_does_not_ask_for_them() -> None:
    there = {"url": "{{ receipts_url }}?t={{ secrets.hook }}", "n": 1, "to": ["{{ to }}", "{{ inbound_url }}"]}
    assert without_posts({"a": there, "b": [there]}) == {"a": (left := {"n": 1, "to": ["{{ to }}"]}), "b": [left]}
