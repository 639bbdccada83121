"""Servers in processes of their own: what they offer, what becomes of calls, and how they end."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cometresp.errors import UsageError
from cometresp.functions.toolbox import Toolbox
from cometresp.mcp.servers import Servers
from cometresp.mcp.settings import servers
from cometresp.wire.masking import Secrets
from tests.mcp.conftest import SERVER, over_http
from tests.scripted import Request, Wire, json_reply, reply
from tests.waiting import lives, until, written

needs_sdk = pytest.mark.usefixtures("sdk")


@pytest.fixture(autouse=True)
def a_busy_machine_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cometresp.mcp.settings._START_TIMEOUT", 120.0)


@pytest.fixture
def sdk() -> None:
    pytest.importorskip("mcp", reason="the MCP SDK isn't installed", exc_type=ImportError)


@contextmanager
def toolbox(*given: str, printed: list[str] | None = None, **tables: Any) -> Iterator[Toolbox]:
    environ = {"PATH": os.environ["PATH"], "COMETAPI_KEY": "sk-1", "OTHER": "x"}
    entries = {name: (table, "config.toml") for name, table in tables.items()}
    found = servers([*given, *tables], entries, environ, Secrets(), [])
    say = None if printed is None else printed.append
    with Toolbox([], env_names=[], environ=environ, more=Servers(found, environ, say)) as box:
        yield box


def outcome(box: Toolbox, name: str, **arguments: Any) -> Any:
    """The output of a call, an error as the object that it is."""
    result = box.run(name, json.dumps(arguments))
    return result.output if result.ok else json.loads(str(result.output))


def refusal(*given: str, **tables: Any) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught, toolbox(*given, **tables):
        pass
    return caught.value.message, caught.value.hint


@needs_sdk
def test_the_tools_of_a_server_are_functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed: list[str] = []
    table = {"command": [sys.executable, SERVER], "args": ["stdio"], "env": {"MINE": "yes"}, "timeout": 5}
    with toolbox(printed=printed, little=table) as box:
        add = box.functions["little__add"]
        number = {"title": "B", "type": "integer", "default": 1}
        assert add.definition == {
            "type": "function",
            "name": "little__add",
            "description": "The sum of two numbers.",
            "parameters": {
                "type": "object",
                "title": "addArguments",
                "properties": {"a": {"title": "A", "type": "integer"}, "b": number},
                "required": ["a"],
            },
            "strict": False,
        }
        assert add[2:] == (False, False, "the MCP server little")
        assert box.functions["little__what_is_there_"][2:] == (True, False, "the MCP server little")
        assert outcome(box, "little__add", a=1, b=2) == "3"
        assert [part["type"] for part in outcome(box, "little__what_is_there_")] == ["input_image"]
        assert outcome(box, "little__mixed").splitlines() == [
            "first",
            "[audio, audio/wav, 4 bytes: not sent]",
            "[resource memo://1]",
            "remember",
            "[link to the resource memo://2: notes, all notes]",
        ]
        assert outcome(box, "little__fail", why="no such thing") == {"error": "no such thing"}
        assert "b" in outcome(box, "little__add", a=1, b="x")["error"]
        assert outcome(box, "little__refuse", code=-32000) == {"error": "wait 5 s"}
        assert {"COMETAPI_KEY", "OTHER"} & {*(names := outcome(box, "little__environment").split())} == set()
        assert {"MINE", "PATH"} <= {*names}
        assert outcome(box, "little__die") == {"error": "it ended: exit 3"}
        assert outcome(box, "little__hang") == {"error": "timed out after 5 s"}
        until(lambda: not lives(written(tmp_path / "hanging")))
        assert outcome(box, "little__add", a=1) == "2"  # it was started again
    assert printed == ["little: last words"]


@needs_sdk
@pytest.mark.parametrize("transport", ["http", "sse"])
def test_a_server_is_reached_over_http(transport: str) -> None:
    with over_http(transport) as url, toolbox(url) as box:
        assert outcome(box, "127_0_0_1__add", a=20, b=22) == "42"


class Scripted:
    """A server over HTTP, of a protocol with sessions; a call is answered with what `replies` has next."""

    def __init__(self, *replies: bytes | dict[str, Any]) -> None:
        self.replies = list(replies)
        self.sessions = 0

    def __call__(self, request: Request, connection: socket.socket) -> None:
        connection.sendall(self._answer(request.json()) if request.method == "POST" else reply(405))

    def _answer(self, asked: dict[str, Any]) -> bytes:
        match asked["method"]:
            case "initialize":
                self.sessions += 1
                known = {"protocolVersion": asked["params"]["protocolVersion"], "capabilities": {"tools": {}}}
                result = {"result": known | {"serverInfo": {"name": "x", "version": "1"}}}
                return self._json(asked, result, mcp_session_id=str(self.sessions))
            case "tools/list":
                return self._json(asked, {"result": {"tools": [{"name": "t", "inputSchema": {"type": "object"}}]}})
            case "tools/call":
                due = self.replies.pop(0)
                return due if isinstance(due, bytes) else self._json(asked, due)
        return reply(202) if "id" not in asked else self._json(asked, failing(-32601))

    @staticmethod
    def _json(asked: dict[str, Any], answer: dict[str, Any], **headers: str) -> bytes:
        return json_reply({"jsonrpc": "2.0", "id": asked["id"], **answer}, 200, **headers)


def failing(code: int) -> dict[str, Any]:
    return {"error": {"code": code, "message": "wait 5 s"}}


@needs_sdk
def test_an_error_of_a_server_over_http_ends_its_session_only_where_it_says_so(wire: Wire) -> None:
    bad = {"result": {"content": 7}}
    whole = {"result": {"content": [{"type": "text", "text": "done"}]}}
    with_body = json_reply({"jsonrpc": "2.0", "id": None, **failing(-32600)}, 400)
    codes = (-32000, -32603, -32602, 429)
    server = Scripted(*map(failing, codes), with_body, reply(503, "no"), bad, reply(404, "who?"), whole)
    wire.answer(server)
    with toolbox(f"http://127.0.0.1:{wire.port}/mcp") as box:
        told = [outcome(box, "127_0_0_1__t") for _ in range(6)]
        assert (told, server.sessions) == (
            [{"error": "wait 5 s"}] * 5 + [{"error": "it answered with HTTP 503"}],
            1,
        )
        assert outcome(box, "127_0_0_1__t") == {"error": "its answer isn't valid MCP, in content"}
        server.replies.insert(0, json_reply({"jsonrpc": "2.0", "id": 1, "result": 7}, 200))
        assert outcome(box, "127_0_0_1__t") == {"error": "the server sent a message that isn't MCP"}
        assert server.sessions == 1
        assert [outcome(box, "127_0_0_1__t") for _ in range(2)] == [{"error": "it answered with HTTP 404"}, "done"]
        assert server.sessions == 2


# A server on pipes. It answers a call with the line that the call gives, in which HEAD is how its answer begins.
LINES = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    head = '{"jsonrpc": "2.0", "id": %s, ' % asked["id"]
    match asked["method"]:
        case "initialize":
            version = asked["params"]["protocolVersion"]
            about = {"protocolVersion": version, "capabilities": {"tools": {}}}
            print(head + '"result": ' + json.dumps(about | {"serverInfo": {"name": "x", "version": "1"}}) + "}")
        case "tools/list":
            print(head + '"result": {"tools": ' + sys.argv[1] + "}}")
        case "tools/call":
            print(asked["params"]["arguments"]["line"].replace("HEAD", head).replace("LONG", "x" * 40_000_000))
        case _:
            print(head + '"error": {"code": -32601, "message": "unknown"}}')
    sys.stdout.flush()
"""
TOOL = '{"name": "t", "inputSchema": {"type": "object"}}'


def lines(tools: str = f"[{TOOL}]") -> dict[str, Any]:
    return {"command": [sys.executable, "-c", LINES, tools]}


@needs_sdk
def test_a_message_that_cannot_be_parsed_ends_its_call_at_once() -> None:
    no_mcp = {"error": "the server sent a message that isn't MCP"}
    table = {
        r'HEAD"result": {"content": [{"type": "text", "text": "lone \ud800 sur"}]}}': "lone \ufffd sur",
        r'HEAD"result": {"content": [{"type": "text", "text": "\ud83d\ude00 \\ud800"}]}}': "\U0001f600 \\ud800",
        'HEAD"result": {"content": [{"type": "text"}]}}': {"error": "its answer isn't valid MCP, in content[0]"},
        'HEAD"result": 7}': no_mcp,
        'HEAD"result": {"content": [': no_mcp,
        'HEAD"result": ' + "[" * 5000 + "]" * 5000 + "}": no_mcp,
        'HEAD"result": {"content": [{"type": "text", "text": "still there"}]}}': "still there",
    }
    with toolbox(s=lines()) as box:
        assert {line: outcome(box, "s__t", line=line) for line in table} == table


@needs_sdk
@pytest.mark.parametrize(
    ("tools", "told"),
    [
        (f'[{TOOL}, {{"name": "bad one", "inputSchema": "x"}}]', "its tool 'bad one' has no valid inputSchema"),
        ('[{"name": "bad", "inputSchema": {"type": "string"}}]', "its tool 'bad' has no valid inputSchema"),
        ('[{"inputSchema": {"type": "object"}}]', "its tool number 1 has no valid name"),
        (f"[{TOOL}, 7]", "its tool number 2 is no object"),
        ("7", "its answer isn't valid MCP, in tools"),
    ],
)
def test_a_tool_that_is_not_valid_is_named_in_one_line(tools: str, told: str) -> None:
    assert refusal(s=lines(tools)) == (f"--mcp: s: {told}", "")


@needs_sdk
def test_a_message_that_is_too_long_is_told_as_such() -> None:
    with toolbox(s=lines()) as box:
        assert outcome(box, "s__t", line="LONG") == {"error": "its message is longer than 32 MiB"}
        again = 'HEAD"result": {"content": [{"type": "text", "text": "a new one"}]}}'
        assert outcome(box, "s__t", line=again) == "a new one"


@needs_sdk
def test_what_is_no_server_is_told_in_one_line(wire: Wire) -> None:
    wire.answer(reply(401, "no"))
    url = f"http://127.0.0.1:{wire.port}/mcp"
    table = {"url": url, "headers": {"X-Key": "abc"}}
    python = f"{sys.executable} -c"
    assert refusal("fss", fs={"command": "x"}) == ("--mcp: fss: the command isn't found", "did you mean fs?")
    assert refusal(f"{python} 'exit(\"no\")'")[0].endswith(": it ended: exit 1: no")
    assert refusal("echo hello")[0] == "--mcp: echo hello: it ended: exit 0; it printed 'hello', which isn't MCP"
    assert refusal("cat") == ("--mcp: cat: Method not found", "")
    assert refusal(s=table) == ("--mcp: s: it answered with HTTP 401", "")
    assert wire.requests[0].headers["x-key"] == "abc"
    assert refusal(s={"url": url}) == (
        "--mcp: s: it answered with HTTP 401",
        "headers of a table [mcp.NAME] in the config file are sent with each request",
    )
    wire.answer(reply(307, location=f"http://u:pw@localhost:{wire.port}/elsewhere?key=abc#x"))
    assert refusal(s=table) == (
        f"--mcp: s: it answered with HTTP 307, a redirect to http://localhost:{wire.port}/elsewhere,"
        " which isn't followed",
        "",
    )
    assert "/elsewhere" not in {request.path for request in wire.requests}


@needs_sdk
def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cometresp.mcp.settings._START_TIMEOUT", 1.0)
    assert refusal(s={"command": "sleep 1000", "timeout": 1}) == (
        "--mcp: s: it didn't start within 1 s",
        "a longer timeout in a table [mcp.NAME] in the config file gives it more time",
    )


@pytest.mark.parametrize(
    ("version", "what"),
    [("", "which isn't installed"), ("1.20.0", "version 2, not 1.20.0, which is installed")],
)
def test_without_the_sdk_the_flag_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, what: str
) -> None:
    for name, text in {"mcp/__init__.py": "", "mcp-1.dist-info/METADATA": f"Name: mcp\nVersion: {version}\n"}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text if version else "raise ModuleNotFoundError")
    python = tmp_path / "python"
    added = f"PYTHONPATH={tmp_path}" if version else ""
    python.write_text(f'#!/bin/sh\n{added} exec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    assert refusal("x") == (
        f"--mcp: needs the MCP SDK for Python, {what}",
        "install it beside cometresp: pip install 'mcp>=2,<3', or pipx inject cometresp 'mcp>=2,<3'",
    )


@needs_sdk
def test_a_redirect_that_is_followed_hides_no_error_of_the_server(wire: Wire) -> None:
    server = Scripted(failing(429))

    def answer(request: Request, connection: socket.socket) -> None:
        if request.method == "POST" and request.path != "/here":
            connection.sendall(reply(307, location="/here"))
        else:
            server(request, connection)

    wire.answer(answer)
    try:
        with toolbox(f"http://127.0.0.1:{wire.port}/mcp") as box:
            told = outcome(box, "127_0_0_1__t")
    except UsageError as error:
        if not error.message.endswith("/here, which isn't followed"):
            raise
        pytest.skip("this version of the SDK follows no redirect")
    assert told == {"error": "wait 5 s"}
