"""The curl command makes the same request, with each secret in a variable."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from cometresp.request import curl as module
from cometresp.request.content import DataUrl, FencedText
from cometresp.request.source import Source
from cometresp.wire.endpoints import Request
from tests.conftest import Command
from tests.request.secret import MCP, SECRET
from tests.scripted import Wire, json_reply, message, response

HOSTILE = "it's $(touch x) `touch x` ${HOME} $HOME \\ \\\\ \\n \"q\" %s !! ü 😀\r\nEND\n'END'\nEND_\nSECRET:1:\n\tend"


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")


def pasted(ask: Command, command: str, **variables: str) -> None:
    """Run the command in `sh`, in the test's folder, where it must create no file."""
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


def check_same_requests(wire: Wire, *headers: str) -> None:
    """Compare the request of cometresp with that of curl."""
    names = ("authorization", "accept", "content-type", *headers)
    ours, curls = (
        (request.method, request.path, request.json(), [request.headers.get(name) for name in names])
        for request in wire.requests
    )
    assert ours == curls


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
    check_same_requests(wire)


@needs_curl
def test_the_curl_command_has_the_same_headers(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message("x"))))
    given = ["X-Title: it's $(touch x) `touch x` \"\\", "x`touch`token: v1", "9-Cookie: v2"]
    words = ["--no-stream", *(word for header in given for word in ("-H", header)), "hi"]
    command = ask("ask", "--curl", *words).text
    assert ask("ask", "--no-save", *words).code == 0
    pasted(ask, command, X_TOUCH_TOKEN="v1", _9_COOKIE="v2")
    check_same_requests(wire, "x-title", "x`touch`token", "9-cookie")


@needs_curl
def test_the_curl_command_reaches_an_address_with_brackets(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message("x"))))
    words = ["--base-url", wire.url + "/{a,b}[1-2]", "hi"]
    command = ask("ask", "--curl", *words).text
    assert ask("ask", "--no-save", *words).code == 0
    pasted(ask, command)
    assert [unquote(request.path) for request in wire.requests] == ["/v1/{a,b}[1-2]/responses"] * 2


def curl(request: Request, base_url: str, headers: dict[str, str | None]) -> str:
    return b"".join(module.curl(request, base_url, headers)).decode()


def posted(body: dict[str, Any]) -> Request:
    return Request("POST", "/responses", body=body)


def test_each_secret_of_a_command_is_a_separate_variable() -> None:
    odd = {"type": "mcp", "server_label": "o", "authorization": "env:my-token", "headers": {"$(x)": SECRET}}
    body = {"tools": [MCP, json.loads(json.dumps(MCP)), odd]}
    command = curl(posted(body), "https://x/v1/responses", {"Authorization": "Basic abc"})
    document = command.splitlines()[-2]
    env = {"X-Env": "$MCP_TOKEN"}
    first = MCP | {"authorization": "$MCP_AUTHORIZATION", "headers": {"X-Plain": "$MCP_X_PLAIN", **env}}
    second = MCP | {"authorization": "$MCP_AUTHORIZATION_4", "headers": {"X-Plain": "$MCP_X_PLAIN_5", **env}}
    third = odd | {"authorization": "$MY_TOKEN", "headers": {"$(x)": "$MCP_X"}}
    assert json.loads(document.replace("\\$(", "$(")) == {"tools": [first, second, third]}
    assert command.splitlines()[1] == "  -H 'Authorization: '\"$AUTHORIZATION\" \\"


def test_the_here_document_is_one_line_which_the_word_that_ends_it_cant_be() -> None:
    lines = curl(posted({"input": "END END_"}), "https://x", {}).splitlines()
    assert lines == [
        "curl -sS 'https://x/responses' \\",
        "  --data-binary @- <<'END'",
        '{"input": "END END_"}',
        "END",
    ]


def test_an_empty_header_is_written_in_curls_syntax() -> None:
    assert curl(posted({}), "https://x", {"X-Empty": ""}).splitlines()[1] == "  -H 'X-Empty;' \\"


def test_a_lone_surrogate_stays_an_escape() -> None:
    assert curl(posted({"input": "\ud800"}), "https://x", {}).splitlines()[2] == '{"input": "\\ud800"}'


@pytest.mark.parametrize("tools", [[], [MCP]], ids=["without secrets", "with secrets"])
def test_a_command_with_a_large_file_is_written_in_small_pieces(tmp_path: Path, tools: list[dict[str, Any]]) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"$`\\END\n" * 600_000)
    part = {"type": "input_file", "file_data": DataUrl(Source("big", str(path)), "a/b")}
    text = {"type": "input_text", "text": FencedText(Source("big", str(path)), "big", "utf-8", "strict")}
    body = {"input": [{"role": "user", "content": [part, text]}], **({"tools": tools} if tools else {})}
    pieces = list(module.curl(posted(body), "https://x", {}))
    assert max(map(len, pieces)) < 1_000_000
    expanded = re.sub(rb"\\([\\$`])", rb"\1", b"".join(pieces)) if tools else b"".join(pieces)
    sent = json.loads(expanded.splitlines()[2])["input"][0]["content"]
    assert base64.b64decode(sent[0]["file_data"].partition(",")[2]) == path.read_bytes()
    assert sent[1]["text"] == f"big:\n```\n{path.read_text()}```"
