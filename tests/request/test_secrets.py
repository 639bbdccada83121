"""Secrets: hidden in what is shown, whole in what is sent."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from cometresp.errors import UsageError
from cometresp.request.secrets import masked_body, resolved_body
from cometresp.wire.headers import is_secret_header
from tests.conftest import Command
from tests.request.secret import MCP, PLACES, SECRET, body_with, tools_with
from tests.scripted import Wire, error_reply, json_reply, message, response, text_stream

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
    assert caught.value.message == "--tool: X-Env of a tool names MCP_TOKEN, which is not set in the environment"


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
    message_ = "--tool: X-Env of a tool names MCP_TOKEN, which is not set in the environment"
    assert (code, out, err, wire.requests) == (2, "", f"cometresp: error: {message_}\n", [])


@pytest.mark.parametrize("name", ["COMETAPI_KEY", "CometAPI_Key"])
@pytest.mark.parametrize("how", [[], ["--dry-run"], ["--curl"], ["--count-tokens"]])
def test_the_key_is_never_looked_up_for_a_tool(ask: Command, wire: Wire, how: list[str], name: str) -> None:
    tool = {"type": "mcp", "server_label": "d", "server_url": "https://x/", "headers": {"X": f"env:{name}"}}
    assert list(ask("ask", *how, "-t", json.dumps(tool), "hi")) == [2, "", f"cometresp: error: {never('X', name)}\n"]
    assert wire.requests == []


def test_the_key_is_never_looked_up_for_a_recorded_tool(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    tool = {"type": "mcp", "server_label": "d", "server_url": "https://x/", "authorization": "env:MCP_TOKEN"}
    assert ask("ask", "-t", json.dumps(tool), "hi", env={"MCP_TOKEN": "t0ken"}).code == 0
    with closing(sqlite3.connect(next(ask.home.rglob("state.db")))) as database, database:
        database.execute("UPDATE turns SET tools = replace(tools, 'MCP_TOKEN', 'COMETAPI_KEY')")
    expected = [2, "", f"cometresp: error: {never('authorization', 'COMETAPI_KEY')}\n"]
    for words in (["continue", "more"], ["continue", "--replay", "more"], ["again"]):
        assert list(ask(*words)) == expected
    assert len(wire.requests) == 1


def never(field: str, name: str) -> str:
    return f"--tool: {field} of a tool names {name}, which is never given to a tool"


def test_a_variable_that_a_server_names_is_not_looked_up_when_its_items_are_sent_back(ask: Command, wire: Wire) -> None:
    named = {"type": "mcp", "server_label": "e", "headers": {"X": "env:HOME"}}
    item = {"type": "tool_search_output", "id": "ts_1", "tools": [named]}
    wire.answer(text_stream("", output=[item, message("x")]), text_stream("y"))
    assert ask("ask", "hi").code == 0
    assert ask("continue", "--replay", "more").code == 0
    assert wire.bodies()[1]["input"][1] == item | {"tools": [named | {"headers": {"X": "***"}}]}


# secrets anywhere in tools ----------------------------------------------------------------------------------------

MASKED = dict.fromkeys(PLACES, "***")


def test_secrets_are_masked_wherever_they_stand_in_tools(ask: Command) -> None:
    result = ask("ask", "--dry-run", "--body", json.dumps(body_with(PLACES)))
    shown = json.loads(result.out)
    assert (result.code, result.err) == (0, "")
    assert {name: shown[name] for name in ("tools", "input")} == body_with(MASKED)


def test_secrets_are_variables_of_a_curl_command_wherever_they_stand(ask: Command) -> None:
    command = ask("ask", "--curl", "--body", json.dumps(body_with(PLACES))).text
    assert [secret for secret in PLACES.values() if secret in command] == []
    variables = {
        "authorization": "$MCP_AUTHORIZATION",
        "header": "$MCP_X_PLAIN",
        "user": "$MCP_USER",
        "parameter": "$MCP_API_KEY",
        "code": "$MCP_CODE",
        "nested": "$MCP_AUTHORIZATION_6",
        "domain": "$MCP_TOKEN",
        "shell": "$MCP_TOKEN_8",
        "field": "$MCP_API_KEY_9",
        "item": "$MCP_AUTHORIZATION_15",
        "blank": "$MCP_USER_10",
        "fragment": "$MCP_ACCESS_TOKEN",
        "scheme": "$MCP_SCHEME",
        "pair": "$MCP_VALUE",
        "listed": "$MCP_X_LIST",
    }
    document = json.loads(command.splitlines()[-2])
    assert {name: document[name] for name in ("tools", "input")} == body_with(variables)


def test_secrets_of_tools_are_sent_and_then_neither_recorded_nor_shown(ask: Command, wire: Wire) -> None:
    body = body_with(PLACES)
    echoed = error_reply(400, f"bad tools: {json.dumps(body)}")
    wire.answer(json_reply(response(message("x"), tools=tools_with(PLACES))), echoed, echoed)
    results = [ask("ask", *words, "--body", json.dumps(body)) for words in (["--json"], [], ["--count-tokens"])]
    assert [result.code for result in results] == [0, 65, 65]
    assert wire.bodies()[0]["tools"] == body["tools"]
    parts = [*PLACES.values(), "s3cret-user"]
    shown = "".join(result.text + result.err for result in results)
    kept = b"".join(path.read_bytes() for path in ask.home.rglob("state.db*"))
    assert [part for part in parts if part in shown or part.encode() in kept] == []
    assert json.loads(results[0].out)["tools"] == tools_with(MASKED | {"field": "***"})


@pytest.mark.parametrize("tool", tools_with(PLACES), ids=["mcp", "namespace", "container", "shell", "vendor", "odd"])
def test_a_chain_is_not_continued_with_a_secret_that_was_not_recorded(
    ask: Command, wire: Wire, tool: dict[str, Any]
) -> None:
    wire.answer(text_stream("x"))
    assert ask("ask", "hi", "--body", json.dumps({"tools": [tool]})).code == 0
    code, out, err = ask("continue", "more")
    assert (code, out, len(wire.requests)) == (2, "", 1)
    assert err.startswith("cometresp: error: the chain has a tool with a secret (")
    assert ask("continue", "more", "-t", json.dumps(tool)).code == 0


def test_every_secret_may_be_in_the_environment_and_is_looked_up_again(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    plain = dict.fromkeys(("user", "parameter", "code", "blank", "fragment"), "")  # these are parts of a URL
    named = {place: f"env:V_{place.upper()}" for place in PLACES if place not in plain}
    variables = {f"V_{place.upper()}": PLACES[place] for place in named}
    body = {"tools": tools_with(named | plain)}
    for words in (["ask", "hi", "--body", json.dumps(body)], ["continue", "more"]):
        assert ask(*words, env=variables).code == 0
    assert [sent["tools"] for sent in wire.bodies()] == [tools_with(PLACES | plain)] * 2
    kept = b"".join(path.read_bytes() for path in ask.home.rglob("state.db*"))
    assert [secret for secret in variables.values() if secret.encode() in kept] == []


@pytest.mark.parametrize(
    ("words", "message_"),
    [
        (["-H", "Authorization Bearer s3cret"], "--header: 'Authorization…' must be 'NAME: VALUE'"),
        (["-H", "Authorization Bearer: s3cret"], "--header: 'Authorization…' must be 'NAME: VALUE'"),
        (["-H", "Authorization=s3cret"], "--header: '…' must be 'NAME: VALUE'"),
        (["-H", "s-cret"], "--header: '…' must be 'NAME: VALUE'"),
        (["-H", "Accept"], "--header: 'Accept' must be 'NAME: VALUE'"),
        (["-H", "X-Key: s3cret\n"], "--header: the value of X-Key contains a character that headers don't allow"),
        (["-P", "tools.0.authorization s3cret"], "--param: 'tools.0.authorization…' must be PATH=VALUE, as in"
         " reasoning.mode=pro"),
        (["-P", "tools..key=s3cret"], "--param: 'tools..key…' must be PATH=VALUE, as in reasoning.mode=pro"),
        (["-P", 'tools=[{"authorization": "s3cret'], "--param tools: not valid JSON: line 1 column 20:"
         " Unterminated string starting at"),
        (["-t", '{"authorization": "s3cret'], "--tool: not valid JSON: line 1 column 19: Unterminated string"
         " starting at"),
        (["--body", '{"key": "s3cret"'], "--body: not valid JSON: line 1 column 17: Expecting ',' delimiter"),
        (["-f", "ftp://u:s3cret@h/x"], "--file: ftp://h/x: only http: and https: addresses can be attached"),
        (["-t", json.dumps({"type": "mcp", "authorization": "env:s3cret key"})], "--tool: authorization of a tool"
         " names a variable, which is not set in the environment"),
    ],
)  # fmt: skip
def test_an_error_quotes_no_value_that_may_be_a_secret(
    ask: Command, wire: Wire, words: list[str], message_: str
) -> None:
    assert list(ask("ask", "hi", *words)) == [2, "", f"cometresp: error: {message_}\n"]
    assert wire.requests == []


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["-t", '\'{"authorization": "s3cret"}\''], "cometresp: error: --tool: '…' is not a tool\n"),
        *(
            (["-t", f"mcp:{spec}"], "cometresp: error: --tool: mcp:LABEL=URL needs a label and a web address\n")
            for spec in (
                "d=ftp://u:s3cret@h/?k=s3cret",
                "https://u:s3cret@h/",
                "l:https://u:s3cret@h",
                "https://h/?k=s3cret",
            )
        ),
        (["-t", "Authorization: s3cret"], "cometresp: error: --tool: 'Authorization:…' is not a tool\n"),
        (["-t", "web_search:authorization=s3cret"], "cometresp: error: --tool: 'authorization=…' is nothing that"),
        (["--base-url", "https:/u:s3cret@h/x"], "cometresp: error: --base-url: 'https:/h/x' is not a web address"),
        (["--base-url", "https://u:s3cret@h/x"], "cometresp: error: --base-url: a base URL has no user and password"),
        (["--functions", "x.py", "--tool-env", "KEY=s3cret"], "cometresp: error: --tool-env: 'KEY=…' is not the name"),
        (["--api-key=s3cret"], "cometresp: error: no such flag: --api-key\n"),
    ],
)
def test_an_error_with_a_hint_quotes_no_secret_either(ask: Command, words: list[str], start: str) -> None:
    code, out, err = ask("ask", "hi", *words)
    assert (code, out, err.startswith(start), "s3cret" in err) == (2, "", True, False)


@pytest.mark.parametrize("line", ["key = s3cret 4", "keys = { s3cret", '[keys]\n"https://u:s3cret@h/v1" = "k"'])
def test_an_error_in_the_config_quotes_no_secret(ask: Command, line: str) -> None:
    (ask.home / "config").write_text(line)
    code, out, err = ask("ask", "hi", env={"COMETRESP_CONFIG": "config", "COMETAPI_KEY": "", "COMETAPI_BASE_URL": ""})
    assert (code, out, "s3cret" in err) == (78, "", False)
