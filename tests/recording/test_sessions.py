"""Whole sessions of the command: recorded against the emulator, then replayed without it, byte for byte the same."""

import json
from collections.abc import Sequence

import pytest

from cometresp.emulator.server import Emulator
from tests.conftest import Command, Forker, Result
from tests.scripted import Wire, created, delta, ended, error_reply, json_reply, message, response, sse

from .conftest import Tape

KEY = "sk-secret-0123456789"
FUNCTION = json.dumps({"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}})
MCP = json.dumps(
    {
        "type": "mcp",
        "server_label": "d",
        "server_url": "https://mcp.example/x?api_key=url-secret-123",
        "authorization": "tool-secret-456",
        "headers": {"X-Team": "header-secret-789"},
        "require_approval": "never",
    }
)

TOOLS = """[[tool]]
name = "look"
description = "Looks"
command = ["echo", "seen"]
read_only = true
"""

CONVERSATION: list[list[str]] = [
    ["ask", "Say hello"],
    ["continue", "And again: Grüße 🙂"],
    ["continue", "--replay", "Once more"],
    ["stream", "--events", "As events emulate:reasoning"],
    ["ask", "--no-stream", "--json", "Whole"],
    ["get", "last", "--json"],
    ["items", "last", "--json"],
    ["ask", "--schema", "name, age int", "A dog"],
    ["ask", "-t", FUNCTION, "What weather"],
    ["ask", "--functions", "tools.toml", "emulate:calls=2 Look"],
    ["ask", "emulate:refusal"],
    ["ask", "emulate:failed"],
    ["ask", "--background", "--wait", "Slowly"],
    ["cancel", "last"],
    ["get", "resp_nothing"],
    ["ask", "--conversation", "new", "Talk"],
    ["continue", "Talk on"],
    ["ask", "--count-tokens", "Count"],
    ["delete", "@default~1"],
    ["ask", "-m", "no-such", "Unknown model"],
    ["ask", "-t", MCP, "emulate:mcp"],
    ["ask", "Say hello"],
]


class Session:
    """Runs command lines in a state that begins empty, each time; returns what they print."""

    def __init__(self, run: Command, forker: Forker) -> None:
        self._run, self._forker = run, forker
        (run.home / "tools.toml").write_text(TOOLS)

    def __call__(self, url: str, lines: Sequence[Sequence[str]], *, key: str = KEY) -> list[Result]:
        env = {
            "COMETAPI_BASE_URL": url,
            "COMETAPI_DEFAULT_MODEL": "m",
            "COMETRESP_STATE_DIR": str(self._run.home / f"state{len(list(self._run.home.iterdir()))}"),
        } | ({"COMETAPI_KEY": key} if key else {})
        return [self._forker.run(self._run, words, env=env) for words in lines]


@pytest.fixture
def session(run: Command, forker: Forker) -> Session:
    return Session(run, forker)


def test_a_session_is_replayed_byte_for_byte_without_a_key(session: Session, tape: Tape) -> None:
    with Emulator() as emulator, tape.recording(emulator.base_url) as url:
        recorded = session(url, CONVERSATION)
    with tape.replaying() as url:
        replayed = session(url, CONVERSATION, key="")
    with tape.replaying() as url:
        other_key = session(url, CONVERSATION[:2], key="another-key-12345")
    assert replayed == recorded
    assert [result.code for result in recorded] == [0] * 8 + [5, 0, 4, 1, 0, 65, 65, 0, 0, 0, 0, 65, 0, 0]
    assert other_key == recorded[:2]
    assert tape.said == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("429=3", 75),
        ("429=200", 75),
        ("500", 69),
        ("cut", 69),
        ("cut=7", 69),
        ("unfinished", 69),
        ("html", 76),
        ("empty", 76),
        ("redirect", 76),
        ("broken_json", 76),
        ("sse_json", 0),
        ("text_plain", 0),
        ("untyped", 0),
        ("nan", 0),
        ("duplicate", 0),
    ],
)
def test_faults_of_the_server_are_replayed(session: Session, tape: Tape, fault: str, code: int) -> None:
    lines = [["ask", "--retries", "0", "Hä? emulate:reasoning"], ["ask", "--retries", "0", "--no-stream", "Hä?"]]
    with Emulator(faults=[fault]) as emulator, tape.recording(emulator.base_url) as url:
        recorded = session(url, lines)
    with tape.replaying() as url:
        assert session(url, lines) == recorded
    assert recorded[0].code == code


def test_a_retry_gets_the_replies_in_their_order(session: Session, tape: Tape) -> None:
    with Emulator(faults=["429=0@1"]) as emulator, tape.recording(emulator.base_url) as url:
        recorded = session(url, [["ask", "Hello"]])
    with tape.replaying() as url:
        first, *later = session(url, [["ask", "Hello"], ["ask", "--retries", "0", "Hello"]])
    assert ([first], later) == (recorded, recorded)
    assert [json.loads(text)["reply"]["status"] for text in tape.texts()] == [429, 200]


def test_a_stream_cut_on_its_way_is_taken_up_as_it_was(session: Session, tape: Tape) -> None:
    lines = [["ask", "--background", "--retries", "1", "--wait", "Hello"], ["get", "last", "--stream"]]
    with Emulator(faults=["cut@2"]) as emulator, tape.recording(emulator.base_url) as url:
        recorded = session(url, lines)
    with tape.replaying() as url:
        assert session(url, lines) == recorded


def test_no_secret_is_in_any_file(session: Session, tape: Tape, wire: Wire) -> None:
    says = f"your key {KEY} and tool-secret-456"
    echoed = response(message(says), tools=[json.loads(MCP)])
    wire.answer(
        sse(created(), delta(says), ended(echoed)),
        error_reply(401, f"Incorrect API key provided: {KEY}", Set_Cookie="session=cookie-secret-1"),
        json_reply(echoed, X_Echo=f"Bearer {KEY}"),
        error_reply(
            400, f"broken: {json.dumps(says)} api key query-secret-864"
        ),  # says what an earlier request brought
    )
    with tape.recording(f"{wire.url}?api-version=1&code=base-secret-246") as url:
        flags = ["-t", MCP, "-H", "X-Gateway: gateway-secret-135", "--retries", "0"]
        session(url, [["ask", *flags, "Hi"], ["ask", *flags, "Hi"], ["ask", "--no-stream", *flags, "Hi"]])
        session(f"{url}?key=query-secret-864", [["ask", "--retries", "0", f"a prompt with {KEY}"]])
    assert [request.headers["authorization"] for request in wire.requests] == [f"Bearer {KEY}"] * 4
    assert wire.requests[-1].path == "/v1/responses?api-version=1&code=base-secret-246&key=query-secret-864"
    whole = "".join(tape.texts())
    kinds = ("url", "tool", "header", "gateway", "base", "query", "cookie")
    hidden = [KEY, *(f"{kind}-secret-" for kind in kinds)]
    assert {secret for secret in hidden if secret in whole} == set()
    assert "your key *** and ***" in whole
    with tape.replaying() as url:
        results = session(url, [["ask", *flags, "Hi"], ["ask", *flags, "Hi"]])
    assert [(result.code, result.text) for result in results] == [(0, "your key *** and ***\n"), (77, "")]
