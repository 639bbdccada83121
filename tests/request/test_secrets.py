"""Secrets: hidden in what is shown, whole in what is sent."""

import json
from typing import Any

import pytest

from cometresp.errors import UsageError
from cometresp.request.secrets import masked_body, resolved_body
from cometresp.wire.headers import is_secret_header
from tests.conftest import Command
from tests.request.secret import MCP, SECRET
from tests.scripted import Wire, json_reply, message, response

SECRET_HEADERS = ["X-Api-Key", "api_key", "apikey", "Cookie", "X-Auth-Token", "Proxy-Authorization", "my-SECRET"]


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
