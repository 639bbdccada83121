"""The secrets of a run, and what is put in their place."""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.wire.headers import HARMLESS, is_secret_header, names_key
from cometresp.wire.masking import Secrets
from cometresp.wire.urls import joined, shown_url

Add = Callable[[Secrets], object]


@pytest.mark.parametrize(
    ("add", "text", "message", "value"),
    [
        (lambda s: s.add_key("sk-12345"), "a sk-12345b", "a ***b", "a ***b"),
        (lambda s: s.add_key("sk-1234"), "sk-1234 sk-12345", "*** sk-12345", "*** sk-12345"),
        (lambda s: s.add_key("dummy"), "dummy Bearer dummy", "*** ***", "dummy ***"),
        (lambda s: s.add_key("any"), "any Bearer any", "any ***", "any ***"),
        (lambda s: s.add_key(""), "Bearer ", "Bearer ", "Bearer "),
        (lambda s: s.add_header("X-Env", "production"), "in production", "in ***", "in production"),
        (lambda s: s.add_header("X-Env", "a-value-that-is-no-word"), "a-value-that-is-no-word", "***", "***"),
        (lambda s: s.add_header("Api-Key", "abcdefgh"), "xabcdefgh", "x***", "x***"),
        (lambda s: s.add_header("Authorization", "Bearer t0ken"), "Bearer t0ken", "Bearer ***", "Bearer ***"),
        (lambda s: s.add_header("Authorization", "Basic dXNlcjpwYTU1dzByZA=="), "pa55w0rd", "***", "***"),
        (lambda s: s.add_header("Cookie", "a=b; sid=01234567ab"), "sid is 01234567ab", "sid is ***", "sid is ***"),
    ],
)  # fmt: skip
def test_a_value_is_masked_by_its_length_and_by_what_it_is(add: Add, text: str, message: str, value: str) -> None:
    secrets = Secrets()
    add(secrets)
    assert (secrets.message(text), secrets.value(text), secrets.output(text.encode()).decode()) == (
        message,
        value,
        value,
    )


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8), st.binary(max_size=4))
def test_a_key_is_recognized_in_json_and_in_base64(key: str, before: bytes) -> None:
    secrets = Secrets()
    secrets.add_key(key)
    for document in (json.dumps([key, {key: 1}]), json.dumps(json.dumps([key]))):
        if not key.isdigit():
            assert key not in str(json.loads(secrets.frame(document)))
        assert json.dumps(key)[1:-1] not in secrets.message(document)
    inside = secrets.message(b64encode(before + key.encode() + b"x").decode())
    assert "***" in inside


def test_json_stays_json_where_a_key_is_a_number() -> None:
    secrets = Secrets()
    secrets.add_key("12345678")
    assert json.loads(secrets.frame('{"created_at":12345678,"text":"12345678"}')) == {
        "created_at": 12345678,
        "text": "***",
    }
    assert secrets.output(b'{"created_at":12345678}') == b'{"created_at":12345678}'


def test_a_frame_without_secrets_stays_as_it_is() -> None:
    secrets = Secrets()
    secrets.add_key("sk-0123456789")
    for text in ('{"a" : 1}', "not json", '{"tools":[{"type":"mcp","server_label":"d"}]}', '{"tools":"mcp"'):
        assert secrets.frame(text) is text
        assert secrets.body(text.encode()) == text.encode()
    deep = "[" * 2000 + '"sk-0123456789"' + "]" * 2000
    assert secrets.frame(deep) == deep.replace("sk-0123456789", "***")


@pytest.mark.parametrize(
    "name", ["api-key", "X-Api-Key", "apikey", "Ocp-Apim-Subscription-Key", "Helicone-Auth", "sig", "key\n"]
)
def test_a_name_that_ends_in_key_or_auth_says_that_it_holds_a_key(name: str) -> None:
    assert names_key(name)


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-Author", "X-RateLimit-Remaining-Tokens", "X-Team", "X-Title"])
def test_other_names_do_not(name: str) -> None:
    assert not names_key(name)


def test_the_docs_list_the_headers_that_are_not_secret() -> None:
    page = (Path(__file__).parents[2] / "docs/flags.md").read_text()
    listed = page.partition("except for `Accept`")[2].partition(";")[0].lower()
    assert [name for name in HARMLESS - {"accept"} if f"`{name}`" not in listed] == []
    assert is_secret_header("X-Team")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/v1", "https://h/v1"),
        ("https://u:p@h/v1?a=b&c=&d#e", "https://h/v1?a=***&c=&***"),
        ("u:p@h/v1", "h/v1"),
        ("//u@h/x@y", "//h/x@y"),
        ("/path?a=b", "/path?a=***"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_user_and_values(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_the_query_of_a_base_url_comes_before_that_of_a_request() -> None:
    assert joined("https://h/v1?a=b", "/responses/x?c=d") == "https://h/v1/responses/x?a=b&c=d"
    assert joined("https://h/v1?a=b", "/responses") == "https://h/v1/responses?a=b"
    assert joined("https://h/v1", "/responses") == "https://h/v1/responses"
