"""Secrets: hidden in what is shown, whole in what is sent; and the curl command makes the same request."""

import json
import shutil
import subprocess
from typing import Any
from urllib.parse import unquote

import pytest

from cometresp.errors import UsageError
from cometresp.request.curl import curl
from cometresp.request.secrets import masked_body, resolved_body
from cometresp.wire.headers import is_secret_header
from tests.conftest import Command
from tests.scripted import Wire, json_reply, message, response

SECRET = "s3cret-value"
MCP = {
    "type": "mcp",
    "server_label": "l",
    "server_url": "https://x",
    "authorization": SECRET,
    "headers": {"X-Plain": SECRET, "X-Env": "env:MCP_TOKEN"},
}
SECRET_HEADERS = ["X-Api-Key", "api_key", "apikey", "Cookie", "X-Auth-Token", "Proxy-Authorization", "my-SECRET"]
HOSTILE = "it's $(touch x) `touch x` ${HOME} $HOME \\ \\\\ \\n \"q\" %s !! ü 😀\r\nEND\n'END'\nEND_\nSECRET:1:\n\tend"

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")


@pytest.mark.parametrize("name", SECRET_HEADERS)
def test_a_header_that_is_named_like_a_secret_is_one(name: str) -> None:
    assert is_secret_header(name)


def test_a_body_is_masked_and_resolved_in_a_copy() -> None:
    body = {"tools": [MCP, {"type": "web_search"}], "input": "hi"}
    before = json.dumps(body)
    hidden = MCP | {"authorization": "***", "headers": {"X-Plain": "***", "X-Env": "env:MCP_TOKEN"}}
    found = MCP | {"headers": {"X-Plain": SECRET, "X-Env": "t0ken"}}
    assert masked_body(body) == {"tools": [hidden, {"type": "web_search"}], "input": "hi"}
    assert resolved_body(body, {"MCP_TOKEN": "t0ken"}) == {"tools": [found, {"type": "web_search"}], "input": "hi"}
    assert json.dumps(body) == before


@pytest.mark.parametrize("tools", [None, "x", [], ["x"], [{"type": "mcp", "headers": 1, "authorization": None}]])
def test_tools_without_secrets_stay_as_they_are(tools: Any) -> None:
    body = {"tools": tools}
    assert masked_body(body) == resolved_body(body, {}) == body


@pytest.mark.parametrize("environ", [{}, {"MCP_TOKEN": ""}])
def test_a_variable_that_isnt_set_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        resolved_body({"tools": [MCP]}, environ)
    assert caught.value.message == "--tool: X-Env of an MCP tool names MCP_TOKEN, which is not set in the environment"


@pytest.mark.parametrize("how", ["--dry-run", "--curl"])
def test_no_secret_is_shown(ask: Command, how: str) -> None:
    headers = [word for name in SECRET_HEADERS for word in ("-H", f"{name}: {SECRET}")]
    key = {"COMETAPI_KEY": SECRET, "MCP_TOKEN": SECRET}
    result = ask("ask", how, "-t", json.dumps(MCP), *headers, "hi", env=key)
    assert (result.code, result.err) == (0, "")
    assert SECRET not in result.text
    if how == "--dry-run":
        assert json.loads(result.out)["tools"][0]["headers"] == {"X-Plain": "***", "X-Env": "env:MCP_TOKEN"}
    else:
        assert '"X-Env": "$MCP_TOKEN"' in result.text


def test_a_secret_of_the_environment_is_sent(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message("x"))))
    tool = MCP | {"authorization": "env:MCP_TOKEN"}
    assert list(ask("ask", "-t", json.dumps(tool), "hi", env={"MCP_TOKEN": 't0"ken'})) == [0, "x\n", ""]
    sent = tool | {"authorization": 't0"ken', "headers": {"X-Plain": SECRET, "X-Env": 't0"ken'}}
    assert wire.bodies()[0]["tools"] == [sent]


def test_a_request_whose_variable_isnt_set_is_not_sent(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message("x"))))
    code, out, err = ask("ask", "-t", json.dumps(MCP), "hi")
    message_ = "--tool: X-Env of an MCP tool names MCP_TOKEN, which is not set in the environment"
    assert (code, out, err, wire.requests) == (2, "", f"cometresp: error: {message_}\n", [])


# the curl command -------------------------------------------------------------------------------------------------


def pasted(ask: Command, command: str, **variables: str) -> None:
    """Run the command in `sh`, in the test's own folder, in which it must leave nothing."""
    before = sorted(ask.home.iterdir())
    done = subprocess.run(
        ["sh"],
        input=command.encode(),
        env=ask.environ | variables,
        cwd=ask.home,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr, sorted(ask.home.iterdir())) == (0, b"", before)


def same_twice(wire: Wire, *headers: str) -> None:
    """What our own request and curl's have in common, compared as a whole."""
    names = ("authorization", "accept", "content-type", *headers)
    ours, theirs = (
        (request.method, request.path, request.json(), [request.headers.get(name) for name in names])
        for request in wire.requests
    )
    assert ours == theirs


@needs_curl
@pytest.mark.parametrize("prompt", ["hi", HOSTILE, "END", "$COMETAPI_KEY", "a\n\nEND\n"])
@pytest.mark.parametrize("tool", [None, MCP], ids=["without secrets", "with secrets"])
def test_the_curl_command_makes_the_same_request(
    ask: Command, wire: Wire, prompt: str, tool: dict[str, Any] | None
) -> None:
    wire.answer(json_reply(response(message("x"))))
    words = ["-s", prompt, *(["-t", json.dumps(tool)] if tool else []), prompt]
    ask.environ["MCP_TOKEN"] = "t0ken"
    command = ask("ask", "--curl", *words).text
    assert ask("ask", "--no-save", *words).code == 0
    pasted(ask, command, MCP_AUTHORIZATION=SECRET, MCP_X_PLAIN=SECRET)
    same_twice(wire)


@needs_curl
def test_the_curl_command_has_the_same_headers(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message("x"))))
    given = ["X-Quote: it's $(touch x) `touch x` \"\\", "x`touch`token: v1", "9-Cookie: v2"]
    words = ["--no-stream", *(word for header in given for word in ("-H", header)), "hi"]
    command = ask("ask", "--curl", *words).text
    assert ask("ask", "--no-save", *words).code == 0
    pasted(ask, command, X_TOUCH_TOKEN="v1", _9_COOKIE="v2")
    same_twice(wire, "x-quote", "x`touch`token", "9-cookie")


@needs_curl
def test_the_curl_command_reaches_an_address_with_brackets(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message("x"))))
    words = ["--base-url", wire.url + "/{a,b}[1-2]", "hi"]
    command = ask("ask", "--curl", *words).text
    assert ask("ask", "--no-save", *words).code == 0
    pasted(ask, command)
    assert [unquote(request.path) for request in wire.requests] == ["/v1/{a,b}[1-2]/responses"] * 2


def test_each_secret_of_a_command_is_a_variable_of_its_own() -> None:
    odd = {"type": "mcp", "server_label": "o", "authorization": "env:my-token", "headers": {"$(x)": SECRET}}
    body = {"tools": [MCP, json.loads(json.dumps(MCP)), odd]}
    command = curl("https://x/v1/responses", {"Authorization": "Basic abc"}, body)
    document = command.splitlines()[-2]
    env = {"X-Env": "$MCP_TOKEN"}
    first = MCP | {"authorization": "$MCP_AUTHORIZATION", "headers": {"X-Plain": "$MCP_X_PLAIN", **env}}
    second = MCP | {"authorization": "$MCP_AUTHORIZATION_4", "headers": {"X-Plain": "$MCP_X_PLAIN_5", **env}}
    third = odd | {"authorization": "$MY_TOKEN", "headers": {"$(x)": "$MCP_X"}}
    assert json.loads(document.replace("\\$(", "$(")) == {"tools": [first, second, third]}
    assert command.splitlines()[1] == "  -H 'Authorization: '\"$AUTHORIZATION\" \\"


def test_the_here_document_ends_with_a_word_that_it_doesnt_hold() -> None:
    lines = curl("https://x", {}, {"input": "END END_"}).splitlines()
    assert lines == ["curl -sS 'https://x' \\", "  --data-binary @- <<'END__'", '{"input": "END END_"}', "END__"]


def test_an_empty_header_is_written_as_curl_wants_it() -> None:
    assert curl("https://x", {"X-Empty": ""}, {}).splitlines()[1] == "  -H 'X-Empty;' \\"


def test_a_lone_surrogate_stays_an_escape() -> None:
    assert curl("https://x", {}, {"input": "\ud800"}).splitlines()[2] == '{"input": "\\ud800"}'
