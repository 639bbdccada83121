"""No secret leaves the program but in its header: whatever servers send, and however it is shown."""

import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from cometresp.bugs import report
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime, telling
from tests.conftest import Command
from tests.scripted import (
    STREAM_HEAD,
    Wire,
    call,
    created,
    delta,
    ended,
    json_reply,
    message,
    reply,
    response,
    sse,
    text_stream,
)

KEY = 'sk-01/23+45&67"89'
TENANT = "tenant-key-0123456789"
TOKEN = "mcp-token-0123456789"
MCP = json.dumps({"type": "mcp", "server_label": "d", "server_url": "https://x/", "authorization": "env:MCP_TOKEN"})
ALL = (KEY, TENANT, TOKEN)
ECHO = " ".join((KEY, TENANT, f"Bearer {KEY}", quote(KEY), b64encode(f"user:{KEY}".encode()).decode()))
SAID = {"message": f"Invalid: {ECHO}", "code": ECHO, "param": ECHO}
HEADERS = {"X-Request-Id": KEY, "X-Seen": ECHO}

HOSTILE: dict[str, bytes] = {
    "json error": json_reply({"error": SAID}, 401, **HEADERS),
    "quoted json": json_reply({"error": {"message": json.dumps({"error": SAID})}}, 400),
    "html": reply(403, f"<html><p>{ECHO} {'x' * 400} {ECHO}</html>", "text/html", **HEADERS),
    "cut html": reply(400, "x" * 489 + KEY, "text/html"),
    "redirect": reply(302, Location=f"https://u:{KEY}@h/?next={quote(KEY)}&key={TENANT}"),
    "not json": reply(200, ECHO, "text/plain"),
    "refused": json_reply({"error": SAID}),
    "failed": sse(created(), ended(response(status="failed", error=SAID))),
    "error event": STREAM_HEAD + f"data: {json.dumps({'type': 'error', **SAID})}\n\n".encode(),
    "broken frame": STREAM_HEAD + f"data: {'x' * 80}{ECHO}\n\n".encode(),
    "answer": text_stream("so: ", ECHO, instructions=ECHO, metadata={ECHO: ECHO}),
    "cut answer": sse(created(), *map(delta, ("it is ", f" {KEY} ", ECHO))),
    "whole": json_reply(
        response(message(ECHO), tools=[{"type": "mcp", "authorization": TOKEN, "headers": {"A": KEY}}])
    ),
    "a call": text_stream("", output=[call("weather", arguments=json.dumps({"key": ECHO}))]),
}
COMMANDS = [
    *(
        ["ask", *flags, "hi"]
        for flags in ([], ["--json"], ["--events"], ["-x"], ["--verbose", "-u"], ["-F", "markdown"])
    ),
    ["stream", "--show-reasoning", "hi"],
    ["continue", "--error-format", "json", "hi"],
    ["ask", "--debug", "--no-stream", "-o", "answer", "--id-file", "id", f"see {KEY}"],
    ["get", "resp_1", "--json"],
    ["items", "resp_1", "--json"],
    ["cancel", "resp_1"],
    ["delete", "resp_1"],
    ["log", "resp_1", "--json"],
    ["chains", "show", "default"],
    ["ask", "--curl", "hi"],
    ["ask", "--dry-run", f"my key is {KEY}"],
]


def forms(secret: str) -> list[bytes]:
    """What is looked for: the value, and as it stands in JSON, in a URL and in Base64."""
    inside = b64encode(f"user:{secret}".encode()).decode()[8:-4]
    return [form.encode() for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote(secret), inside)]


def left(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_server_repeats_of_a_secret_is_masked_wherever_it_goes(ask: Command, wire: Wire, name: str) -> None:
    wire.answer(HOSTILE[name])
    given = ["-H", f"X-Tenant-Key: {TENANT}", "--retries", "0"]
    lines = []
    for words in COMMANDS:
        sends = words[0] not in ("log", "chains")
        lines.append([words[0], *(given if sends else []), *(["-t", MCP] if words[0] == "ask" else []), *words[1:]])
    results = ask.each(lines, env={"COMETAPI_KEY": KEY, "MCP_TOKEN": TOKEN})
    assert wire.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert wire.requests[0].headers["x-tenant-key"] == TENANT
    assert wire.requests[0].json()["tools"][0]["authorization"] == TOKEN
    outlets = {
        f"{words} {n}": data
        for words, result in zip(COMMANDS, results, strict=True)
        for n, data in enumerate((result.out, result.err.encode()))
    }
    found = [
        (where, form)
        for where, data in {**outlets, **left(ask.home)}.items()
        for secret in ALL
        for form in forms(secret)
        if form in data
    ]
    assert found == []
    assert 70 not in [result.code for result in results]


def test_the_text_of_a_bug_is_masked_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COMETAPI_KEY", KEY)
    monkeypatch.setenv("COMETRESP_STATE_DIR", str(tmp_path))

    @telling
    def run(options: dict[str, str], runtime: Runtime) -> None:  # noqa: ARG001 - the signature of a command
        try:
            _ = options[KEY]
        except KeyError as error:
            raise RuntimeError(f"no {KEY}", 1) from error

    with pytest.raises(RuntimeError) as caught:
        run({}, Runtime(ConnectionOptions()))
    monkeypatch.delenv("COMETAPI_KEY")
    bug = report(caught.value)
    assert bug.message.endswith(": RuntimeError: ('no ***', 1)")
    assert [line for line in bug.traceback.splitlines() if line.startswith(("KeyError", "RuntimeError"))] == [
        "KeyError: '***'",
        "RuntimeError: ('no ***', 1)",
    ]
    (path,) = tmp_path.iterdir()
    assert path.read_text().endswith(bug.traceback)


def test_a_key_that_is_split_over_events_is_masked_in_what_is_printed_whole(ask: Command, wire: Wire) -> None:
    wire.answer(sse(created(), delta(f"key {KEY[:6]}"), delta(KEY[6:])))
    env = {"COMETAPI_KEY": KEY}
    results = ask.each(
        [["ask", "--retries", "0", *flags, "hi"] for flags in ([], ["--json"], ["-o", "answer"])], env=env
    )
    assert [result.text for result in results[::2]] == ["key ***\n", ""]
    assert json.loads(results[1].out)["output_text"] == "key ***"
    assert (ask.home / "answer.part").read_text() == "key ***\n"
    assert [path for path, content in left(ask.home).items() if KEY.encode() in content] == []
