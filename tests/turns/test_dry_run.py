"""What `--dry-run`, `--curl` and `--debug` show is what arrives, for every command that reaches a server."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.conftest import Command
from tests.scripted import Request, Wire, json_reply, message, response, text_stream

OF_THE_CONNECTION = ("accept-encoding", "connection", "content-length", "host", "user-agent")
WHOLE = json_reply(response(message("hello"), response_id="r1"))
PAGE = json_reply({"object": "list", "data": [{"id": "msg_1", "role": "user", "content": "hi"}], "has_more": False})
COUNTED = json_reply({"object": "response.input_tokens", "input_tokens": 3})
MCP = '{"type":"mcp","server_label":"d","server_url":"https://mcp.example","authorization":"env:TOKEN"}'

# (words of the command line, what the server replies)
REQUESTS: list[tuple[list[str], bytes]] = [
    (["ask", "hi"], text_stream("hello")),
    (["ask", "--no-stream", "it's $HOME `here`"], WHOLE),
    (["ask", "-H", "X-Extra: a b", "-H", "Accept: text/plain", "-H", "X-Secret-Token: t", "hi"], text_stream("hello")),
    (["ask", "-t", MCP, "--param", "reasoning.mode=pro", "hi"], text_stream("hello")),
    (["ask", "--background", "hi"], json_reply(response(status="queued"))),
    (["stream", "--temperature", "1", "hi"], text_stream("hello")),
    (["continue", "more"], text_stream("hello")),
    (["continue", "--replay", "more"], text_stream("hello")),
    (["get", "r1"], WHOLE),
    (["get", "r/1=+", "--include", "a b", "--include", "c"], WHOLE),
    (["get", "r1", "--wait"], WHOLE),
    (["get", "r1", "--stream", "--starting-after", "4"], WHOLE),
    (["cancel", "r1"], json_reply(response(status="cancelled", response_id="r1"))),
    (["delete", "r1"], json_reply({"id": "r1", "deleted": True})),
    (["items", "r1"], PAGE),
    (["items", "r1", "-n", "3", "--order", "desc", "--include", "x"], PAGE),
    (["ask", "--count-tokens", "--temperature", "1", "-t", MCP, "hi"], COUNTED),
    (["continue", "--count-tokens", "more"], COUNTED),
    (["chains", "compact", "-s", "be brief"], json_reply({"id": "r9", "output": [{"type": "compaction"}]})),
    (["delete", "conv_1"], json_reply({"id": "conv_1", "deleted": True})),
    (["items", "conv_1", "-n", "3", "--order", "desc", "--include", "x"], PAGE),
]
EACH = pytest.mark.parametrize(("words", "reply"), REQUESTS, ids=[" ".join(words)[:40] for words, _ in REQUESTS])


@pytest.fixture
def begun(ask: Command, wire: Wire) -> Command:
    """The command with a chain that can be continued."""
    ask.environ |= {"TOKEN": "secret-1", "X_SECRET_TOKEN": "t", "X_EXTRA": "a b"}
    wire.answer(text_stream("first", response_id="r0"))
    assert ask("ask", "begin").code == 0
    return ask


def facts(request: Request) -> tuple[str, str, dict[str, str], Any]:
    """What counts of a request: method, path with query, headers, body as JSON."""
    headers = {name: value for name, value in request.headers.items() if name not in OF_THE_CONNECTION}
    return request.method, request.path, headers, json.loads(request.body) if request.body else None


def sent(run: Command, wire: Wire, words: list[str], reply: bytes) -> Request:
    """The request that the command makes."""
    del wire.requests[:]
    wire.answer(reply)
    run(*words, "--retries", "0")
    [request] = wire.requests
    return request


@EACH
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_command_of_curl_makes_the_same_request(begun: Command, wire: Wire, words: list[str], reply: bytes) -> None:
    script = begun(*words, "--curl")
    assert (script.code, script.err) == (0, "")
    del wire.requests[:]
    wire.answer(reply)
    subprocess.run(["sh"], input=script.out, env=begun.environ, capture_output=True, timeout=30, check=True)
    [by_curl] = wire.requests
    assert facts(by_curl) == facts(sent(begun, wire, words, reply))


@EACH
def test_a_dry_run_shows_the_body_or_else_the_request_line(
    begun: Command, wire: Wire, words: list[str], reply: bytes
) -> None:
    shown = begun(*words, "--dry-run")
    method, path, _, body = facts(sent(begun, wire, words, reply))
    assert (shown.code, shown.err) == (0, "")
    if body is None:
        assert shown.text == f"{method} {wire.url.removesuffix('/v1')}{path}\n"
    else:
        assert json.loads(shown.text.replace("env:TOKEN", "secret-1")) == body


@EACH
def test_debug_shows_the_request_that_is_sent(begun: Command, wire: Wire, words: list[str], reply: bytes) -> None:
    del wire.requests[:]
    wire.answer(reply)
    lines = begun(*words, "--debug").err.splitlines()
    [request] = wire.requests
    shown = [line[2:] for line in lines if line.startswith("> ")]
    masked = {
        name: "***" if name in ("authorization", "x-extra", "x-secret-token") else value
        for name, value in request.headers.items()
    }
    assert shown[0] == f"{request.method} {wire.url.removesuffix('/v1')}{request.path}"
    assert {
        name.lower(): value for name, _, value in (line.partition(": ") for line in shown[1:] if ": " in line)
    } == masked


def test_showing_a_request_sends_nothing_and_needs_no_key(run: Command, wire: Wire) -> None:
    for words, _ in REQUESTS:
        model = ["-m", "m"] if words[0] in ("ask", "stream") else []
        for flag in ("--dry-run", "--curl") if words[0] not in ("continue", "chains") else ():
            assert run(*words, *model, flag, env={"COMETAPI_BASE_URL": wire.url}).code == 0
    assert wire.requests == []
