"""Base URLs with a query: sent with every request, shown and recorded without its values."""

import json
import shutil
import subprocess

import pytest

from tests.conftest import Command
from tests.scripted import Wire, json_reply, message, response, text_stream

QUERY = "api-version=preview&key=k3y%2B&flag"
SHOWN = "api-version=***&key=***&***"


@pytest.fixture
def asked(ask: Command, wire: Wire) -> Command:
    """The command with a base URL that has a query, and an answer to each request."""
    ask.environ["COMETAPI_BASE_URL"] = f"{wire.url}/responses?{QUERY}"
    wire.answer(text_stream("x"))
    return ask


def test_the_query_of_a_base_url_is_sent_with_every_request_before_its_own(asked: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"), json_reply(response(message("x"))), json_reply({"data": [], "has_more": False}))
    assert asked("ask", "hi").code == asked("get", "resp_1").code == asked("items", "resp_1").code == 0
    assert [request.path for request in wire.requests] == [
        f"/v1/responses?{QUERY}",
        f"/v1/responses/resp_1?{QUERY}",
        f"/v1/responses/resp_1/input_items?{QUERY}&order=asc&limit=100",
    ]


def test_the_values_of_the_query_are_never_shown(asked: Command, wire: Wire) -> None:
    err = asked("ask", "--debug", "hi").err
    assert err.splitlines()[0] == f"> POST {wire.url}/responses?{SHOWN}"
    assert asked("get", "--dry-run", "resp_1").text == f"GET {wire.url}/responses/resp_1?{SHOWN}\n"
    nowhere = "http://127.0.0.1:1/v1"
    err = asked("ask", "--base-url", f"{nowhere}?{QUERY}", "--retries", "0", "hi").err
    error, hint = err.splitlines()
    assert error == f"cometresp: error: {nowhere}?{SHOWN} can't be reached: Connection refused"
    where = "hint: the address is from --base-url"
    assert hint == f"{where}; to go back: cometresp continue --base-url '{nowhere}?{SHOWN}' --from resp_1"


def test_a_chain_continues_at_a_base_url_with_a_query_without_recording_its_values(asked: Command, wire: Wire) -> None:
    assert asked("ask", "one").code == asked("continue", "two").code == 0
    assert wire.bodies()[1]["previous_response_id"] == "resp_1"
    [turn, _] = json.loads(asked("log", "--json").out)
    assert turn["base_url"] == f"{wire.url}?{SHOWN}"
    state = b"".join(path.read_bytes() for path in asked.home.rglob("state.db"))
    assert (b"preview" in state, b"k3y" in state) == (False, False)


def test_hints_name_the_base_url_without_the_values_of_its_query(asked: Command, wire: Wire) -> None:
    result = asked("ask", "--base-url", f"{wire.url}?{QUERY}", "--error-format", "json")
    assert result.code == 2
    assert "preview" not in result.err
    assert f"--base-url '{wire.url}?{SHOWN}'" in json.loads(result.err)["error"]["hint"]


def test_a_key_of_the_config_goes_to_its_base_url_with_any_query(asked: Command, wire: Wire) -> None:
    (asked.home / "my.toml").write_text(f'[keys]\n"{wire.url}?api-version=1" = "sk-file"\n')
    env = {"COMETRESP_CONFIG": str(asked.home / "my.toml"), "COMETAPI_KEY": ""}
    assert list(asked("ask", "hi", env=env)) == [0, "x\n", ""]
    assert wire.requests[0].headers["authorization"] == "Bearer sk-file"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_curl_command_has_variables_for_the_values_of_the_query(asked: Command, wire: Wire) -> None:
    script = asked("get", "--curl", "--stream", "resp_1", "-H", "Authorization:").text
    assert script.splitlines()[0].startswith(
        f"curl -sS --no-buffer --noproxy '*' '{wire.url}/responses/resp_1?api-version='\"$QUERY_API_VERSION\"'&key='"
        "\"$QUERY_KEY\"'&'\"$QUERY_VALUE\"'&stream=true'"
    )
    env = {"QUERY_API_VERSION": "preview", "QUERY_KEY": "k3y%2B", "QUERY_VALUE": "flag"}
    subprocess.run(["sh", "-c", script], env=asked.environ | env, timeout=30, check=True, capture_output=True)
    [request] = wire.requests
    assert request.path == f"/v1/responses/resp_1?{QUERY}&stream=true"
    assert "authorization" not in request.headers


NO_ADDRESSES = [
    ("http://[::1", "Invalid IPv6 URL"),
    ("http://127.999.1.1/v1", "127.999.1.1 is no IPv4 address"),
    ("http://0127.0.0.1", "0127.0.0.1 is no IPv4 address"),
    ("https://127.1", "127.1 is no IPv4 address"),
    ("http://x:99999", "Port out of range 0-65535"),
    ("https://a..b", "'a..b' can't be a name"),
    ("https://a<b", "'a<b' can't be a name"),
    ("https://*.x", "'*.x' can't be a name"),
    (f"https://{'a' * 64}.b", f"'{'a' * 60}' can't be a name"),
    ("https://☃.net/v1", "Invalid IDNA hostname: '☃.net'"),
    ("https://xn--a/v1", "Codepoint U+0080 at position 1 of '\\x80' not allowed"),
]


@pytest.mark.parametrize(("url", "fault"), NO_ADDRESSES, ids=[url[:20] for url, _ in NO_ADDRESSES])
def test_what_is_no_address_is_told_wherever_it_stands(ask: Command, url: str, fault: str) -> None:
    message = f": {url!r} is not an address: {fault}\n"
    (ask.home / "my.toml").write_text(f'base_url = "{url}"\n')
    flag = ask("ask", "--base-url", url, "hi")
    variable = ask("ask", "hi", env={"COMETAPI_BASE_URL": url})
    setting = ask("ask", "hi", env={"COMETAPI_BASE_URL": "", "COMETRESP_CONFIG": "my.toml"})
    assert list(flag) == [2, "", f"cometresp: error: --base-url{message}"]
    assert list(variable) == [78, "", f"cometresp: error: COMETAPI_BASE_URL{message}"]
    assert list(setting) == [78, "", f"cometresp: error: my.toml{message}"]


def test_a_base_url_of_endless_length_is_refused_without_printing_it(ask: Command) -> None:
    message = "a base URL has at most 8000 characters, not 70010"
    result = ask("ask", "--base-url", f"https://x/{'a' * 70_000}", "hi")
    assert list(result) == [2, "", f"cometresp: error: --base-url: {message}\n"]


def test_a_name_under_localhost_is_this_machine_without_asking_a_resolver(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    name = f"api.localhost:{wire.port}"
    result = ask("ask", "hi", env={"COMETAPI_BASE_URL": f"http://{name}", "HTTP_PROXY": "http://127.0.0.1:1"})
    assert list(result) == [0, "x\n", ""]
    headers = wire.requests[0].headers
    assert (headers["host"], headers["authorization"]) == (name, "Bearer sk-test")


@pytest.mark.parametrize(
    "host", ["localhost.evil.example", "127.0.0.1.nip.example", "notlocalhost", "128.0.0.1", "[::2]"]
)
def test_a_name_that_looks_like_this_machine_gets_no_key_in_the_open(ask: Command, host: str) -> None:
    result = ask("ask", "--base-url", f"http://{host}", "hi")
    assert (result.code, result.err.splitlines()[0]) == (
        2,
        f"cometresp: error: --base-url: the key would go over plain http to http://{host}/v1",
    )
