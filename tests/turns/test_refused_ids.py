"""A response id that isn't plain is refused where it is first seen; the answer isn't."""

import json
import sqlite3

import pytest

from tests.conftest import Command
from tests.scripted import USAGE, Wire, call, created, delta, ended, json_reply, message, response, sse, text_stream
from tests.terminals import on_terminal

HOSTILE = "r\x1b[2J\u202e\u200b\n$(touch x)"
REFUSAL = r"the id 'r\x1b[2J\u202e\u200b\n$(touch x)' is refused: an id has up to 1024 of a-z, A-Z, 0-9 and .-_~:/+=@"
WARNING = f"cometresp: warning: {REFUSAL}; the turn is not recorded, and can't be continued\n"


def whole() -> bytes:
    return json_reply(response(message("hi"), response_id=HOSTILE))


@pytest.mark.parametrize("words", [["ask"], ["stream"], ["ask", "--no-stream"], ["ask", "--no-save"]], ids=" ".join)
def test_the_answer_is_shown_and_the_id_neither_recorded_nor_written(
    ask: Command, wire: Wire, words: list[str]
) -> None:
    wire.answer(whole() if "--no-stream" in words else text_stream("h", "i", response_id=HOSTILE))
    assert tuple(ask(*words, "--id-file", "id", "hi")) == (0, "hi\n", WARNING)
    assert not (ask.home / "id").exists()
    assert tuple(ask("log")) == (0, "", "")
    assert ask("chains", "head").code == 2


def test_get_shows_an_answer_whose_id_is_refused(ask: Command, wire: Wire) -> None:
    wire.answer(whole())
    assert tuple(ask("get", "r1")) == (0, "hi\n", WARNING)


def test_an_id_that_came_before_is_kept(ask: Command, wire: Wire) -> None:
    wire.answer(sse(created("r1"), delta("hi"), ended(response(message("hi"), response_id=HOSTILE))))
    assert tuple(ask("ask", "hi")) == (0, "hi\n", f"cometresp: warning: {REFUSAL}; it is not used\n")
    assert ask("chains", "head").text == "r1\n"


def test_json_and_events_pass_the_id_through(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("hi", response_id=HOSTILE))
    result = ask("ask", "--json", "hi")
    assert (result.code, json.loads(result.out)["id"], result.err) == (0, HOSTILE, WARNING)
    result = ask("ask", "--events", "hi")
    assert (result.code, json.loads(result.out.splitlines()[0])["response"]["id"], result.err) == (0, HOSTILE, WARNING)


@pytest.mark.parametrize("flags", [[], ["--plain"], ["-F", "text"], ["--no-stream"]], ids=" ".join)
def test_a_background_response_without_a_usable_id_is_an_error(ask: Command, wire: Wire, flags: list[str]) -> None:
    queued = response(response_id=HOSTILE, status="queued")
    wire.answer(
        json_reply(queued) if flags == ["--no-stream"] else sse({"type": "response.queued", "response": queued})
    )
    words = ["ask", "--background", "--id-file", "id", *flags, "hi"]
    error = f"cometresp: error: not the Responses API: {REFUSAL}\n"
    assert tuple(ask(*words)) == (76, "", error)
    assert not (ask.home / "id").exists()
    assert on_terminal(ask, *words, env={"TERM": "dumb"}) == (76, error)


def test_the_answer_of_a_background_response_that_ran_at_once_goes_to_stderr(ask: Command, wire: Wire) -> None:
    wire.answer(whole())
    result = ask("ask", "--background", "hi")
    assert tuple(result) == (76, "", f"hi\ncometresp: error: not the Responses API: {REFUSAL}\n")


def test_a_background_response_without_any_id_is_an_error(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply({"object": "response", "status": "queued", "output": []}))
    error = "cometresp: error: not the Responses API: the reply has no response id\n"
    assert tuple(ask("ask", "--background", "hi")) == (76, "", error)
    assert ask("ask", "--background", "--json", "hi").code == 76


def test_a_tool_loop_sends_the_items_in_place_of_a_refused_id(ask: Command, wire: Wire) -> None:
    (ask.home / "f.py").write_text("def weather() -> str:\n    'Weather.'\n    return 'sun'\n")
    turns = [response(call(), response_id=HOSTILE), response(message("hi"), response_id=HOSTILE)]
    wire.answer(*map(json_reply, turns))
    result = ask("ask", "--no-stream", "--functions", "f.py", "--approve", "always", "hi")
    assert tuple(result) == (0, "hi\n", WARNING)
    assert "previous_response_id" not in wire.bodies()[1]
    assert [item["type"] for item in wire.bodies()[1]["input"] if "type" in item][-2:] == [
        *("function_call", "function_call_output")
    ]


def test_a_recorded_id_that_is_not_plain_is_not_printed(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("hi"))
    ask("ask", "hi")
    [path] = ask.home.rglob("state.db")
    with sqlite3.connect(path) as db:
        db.execute("UPDATE turns SET id = ?", (HOSTILE,))
    db.close()
    assert tuple(ask("chains", "head")) == (2, "", f"cometresp: error: chain default: {REFUSAL}\n")
    for words in (["get", "last"], ["cancel", "@default"]):
        result = ask(*words)
        assert (result.code, result.out) == (2, b"")
        assert r"ID: 'r\x1b[2J\u202e\u200b\n$(touch x)' is not a response id" in result.err


def test_a_conversation_with_a_refused_id_is_an_error(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply({"id": HOSTILE, "object": "conversation"}), text_stream("hi"))
    result = ask("ask", "--conversation", "new", "hi")
    assert (result.code, result.out, len(wire.requests)) == (76, b"", 1)
    assert "\x1b" not in result.err


def test_a_compaction_with_a_refused_id_is_recorded_under_one_of_its_own(ask: Command, wire: Wire) -> None:
    compacted = {"id": HOSTILE, "object": "response.compaction", "output": [message("hi")], "usage": USAGE}
    wire.answer(text_stream("hi"), json_reply(compacted))
    ask("ask", "hi")
    assert ask("chains", "compact").code == 0
    assert ask("chains", "head").text == "resp_1_compacted\n"
