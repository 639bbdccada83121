"""`--conversation new`: a conversation is created on the server before the turn, and the chain stays in it."""

import json

import pytest

from tests.conftest import Command
from tests.scripted import (
    Wire,
    call,
    created,
    delta,
    error_reply,
    json_reply,
    message,
    reply,
    response,
    sse,
    text_stream,
)
from tests.terminals import on_terminal

MADE = json_reply({"id": "conv_1", "object": "conversation", "created_at": 1, "metadata": {}})
KEY = "cometresp: warning: "


def requests(wire: Wire) -> list[tuple[str, str]]:
    return [(request.method, request.path) for request in wire.requests]


def test_a_new_conversation_is_created_before_the_turn_and_remembered_by_the_chain(ask: Command, wire: Wire) -> None:
    wire.answer(MADE, text_stream("one", response_id="r1"), text_stream("two", response_id="r2"))
    assert list(ask("ask", "--conversation", "new", "a")) == [0, "one\n", ""]
    assert list(ask("continue", "b")) == [0, "two\n", ""]
    assert requests(wire) == [
        ("POST", "/v1/conversations"),
        ("POST", "/v1/responses"),
        ("POST", "/v1/responses"),
    ]
    assert wire.bodies() == [
        {},
        {"model": "m", "input": "a", "conversation": "conv_1", "stream": True},
        {"model": "m", "input": "b", "conversation": "conv_1", "stream": True},
    ]
    assert [turn["conversation"] for turn in json.loads(ask("log", "--json").out)] == ["conv_1", "conv_1"]
    assert [chain["conversation"] for chain in json.loads(ask("chains", "--json").out)] == ["conv_1"]


def test_its_id_is_told_on_a_terminal_and_with_verbose(ask: Command, wire: Wire) -> None:
    wire.answer(MADE, json_reply(response(message("x"), conversation={"id": "conv_1"})))
    result = ask("ask", "--conversation", "new", "--verbose", "--json", "a")
    assert (result.code, result.err) == (0, "conversation conv_1 was created\n")
    assert json.loads(result.out)["conversation"] == {"id": "conv_1"}
    wire.answer(MADE, text_stream("x"))
    del wire.requests[:]
    assert "conversation conv_1 was created" in on_terminal(ask, "ask", "--conversation", "new", "a")[1]


def test_turns_that_answer_calls_are_in_the_new_conversation_too(ask: Command, wire: Wire) -> None:
    (ask.home / "f.py").write_text("def weather() -> str:\n    return 'dry'\n")
    wire.answer(MADE, json_reply(response(call(), response_id="r1")), text_stream("dry", response_id="r2"))
    words = ("--conversation", "new", "--functions", "f.py", "--approve", "always")
    assert ask("ask", *words, "a").text == "dry\n"
    output = {"type": "function_call_output", "call_id": "call_1", "output": "dry"}
    assert [(body.get("conversation"), body.get("input")) for body in wire.bodies()] == [
        (None, None),
        ("conv_1", "a"),
        ("conv_1", [output]),
    ]
    assert [turn["conversation"] for turn in json.loads(ask("log", "--json").out)] == ["conv_1", "conv_1"]


@pytest.mark.parametrize(("flag", "record"), [("--no-save", "full"), ("--plain", "none")])
def test_where_nothing_is_recorded_its_id_is_always_told(ask: Command, wire: Wire, flag: str, record: str) -> None:
    wire.answer(MADE, text_stream("x"))
    result = ask("ask", "--conversation", "new", flag, "a", env={"COMETRESP_RECORD": record})
    assert list(result) == [0, "x\n", f"{KEY}conversation conv_1 was created; it isn't recorded here: note the id\n"]


def test_a_turn_that_brings_no_response_says_which_conversation_it_leaves(ask: Command, wire: Wire) -> None:
    wire.answer(MADE, error_reply(400, "no such tool"))
    assert list(ask("ask", "--conversation", "new", "a")) == [
        65,
        "",
        f"{KEY}the new conversation conv_1 has no response: cometresp delete conv_1 deletes it\n"
        "cometresp: error: HTTP 400: no such tool\n",
    ]
    wire.answer(MADE, sse(created("r1"), delta("half")))
    del wire.requests[:]
    result = ask("ask", "--conversation", "new", "--no-store", "--retries", "0", "a")
    assert (result.code, result.text, KEY in result.err) == (69, "half\n", False)
    assert json.loads(ask("log", "r1", "--json").out)["conversation"] == "conv_1"


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        (error_reply(404, "Not Found"), 65, "HTTP 404: Not Found\n"),
        (error_reply(405, "no"), 65, "HTTP 405: no\n"),
        (
            reply(404, "<p>nothing</p>", "text/html"),
            65,
            "HTTP 404: nothing, with a body that is not JSON\nhint: is the base URL right? it usually ends in /v1\n",
        ),
    ],
)
def test_a_server_without_conversations_gets_no_turn(
    ask: Command, wire: Wire, script: bytes, code: int, said: str
) -> None:
    wire.answer(script)
    (ask.home / "answer").write_text("before")
    result = ask("ask", "--conversation", "new", "-o", "answer", "a")
    assert list(result) == [code, "", f"cometresp: error: the server offers no conversations: {said}"]
    assert requests(wire) == [("POST", "/v1/conversations")]
    assert [path.name for path in ask.home.iterdir() if path.name.startswith((".answer", "answer"))] == ["answer"]


def test_a_key_that_is_refused_is_no_missing_path(ask: Command, wire: Wire) -> None:
    wire.answer(error_reply(401, "bad key"))
    assert list(ask("ask", "--conversation", "new", "a")) == [
        77,
        "",
        "cometresp: error: HTTP 401: bad key\nhint: check the key in COMETAPI_KEY\n",
    ]


def test_a_reply_without_an_id_is_not_the_api(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply({"object": "conversation"}))
    assert ask("ask", "--conversation", "new", "a").code == 76


def test_showing_the_request_creates_nothing_and_says_so(ask: Command, wire: Wire) -> None:
    said = 'none is created now; a run creates one first, and sends its id in place of "new"'
    shown = ask("ask", "--conversation", "new", "--dry-run", "a")
    assert (shown.code, shown.err) == (0, f"{KEY}--conversation new: {said}\n")
    assert json.loads(shown.out) == {"model": "m", "input": "a", "conversation": "new", "stream": True}
    assert ask("ask", "--conversation", "new", "--curl", "a").err == shown.err
    assert wire.requests == []


@pytest.mark.parametrize(
    "words", [("ask", "--previous-response-id", "r1"), ("ask", "--from", "r1"), ("ask", "-c"), ("continue",)]
)
def test_a_new_conversation_excludes_a_previous_response(ask: Command, wire: Wire, words: tuple[str, ...]) -> None:
    assert list(ask(*words, "--conversation", "new", "a")) == [
        2,
        "",
        "cometresp: error: --conversation excludes a previous response (--previous-response-id, --continue, --from)\n",
    ]
    assert wire.requests == []


def test_the_emulator_keeps_a_conversation(run: Command) -> None:
    assert run("stream", "--offline", "--conversation", "new", "one").code == 0
    assert "1. one" in run("continue", "--offline", "two").text
    [chain] = json.loads(run("chains", "--offline", "--json").out)
    listed = run("items", "--offline", chain["conversation"]).text.splitlines()
    assert [line.split("\t")[1] for line in listed] == ["user", "assistant"] * 2
    assert list(run("delete", "--offline", chain["conversation"])) == [0, "", ""]
    assert run("items", "--offline", chain["conversation"]).code == 65
