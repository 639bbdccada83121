"""Chains: what `continue` sends, what moves a head, replay, and the record that `chains` and `log` show."""

import json
import signal
from typing import Any

import pytest

from tests.conftest import Command
from tests.recorded import heads, state_path
from tests.scripted import Wire, call, created, delta, error_reply, json_reply, message, response, sse, text_stream
from tests.waiting import in_time

USER_A = {"role": "user", "content": "a"}


def test_continue_goes_on_from_the_last_response_and_sends_the_chains_settings_again(ask: Command, wire: Wire) -> None:
    wire.answer(
        text_stream("1", response_id="r1"), text_stream("2", response_id="r2"), text_stream("3", response_id="r3")
    )
    assert ask("ask", "-m", "m1", "-s", "be brief", "-t", "web_search", "--temperature", "1", "a").code == 0
    assert list(ask("continue", "b")) == [0, "2\n", ""]
    assert ask("ask", "-c", "-m", "m2", "--no-tools", "--no-instructions", "c").code == 0
    tools = [{"type": "web_search"}]
    assert wire.bodies() == [
        {"model": "m1", "instructions": "be brief", "input": "a", "temperature": 1.0, "tools": tools, "stream": True},
        {
            "model": "m1",
            "instructions": "be brief",
            "input": "b",
            "tools": tools,
            "previous_response_id": "r1",
            "stream": True,
        },
        {"model": "m2", "input": "c", "previous_response_id": "r2", "stream": True},
    ]
    assert list(ask("chains", "head")) == [0, "r3\n", ""]


def test_there_is_nothing_to_continue_before_the_first_answer(ask: Command, wire: Wire) -> None:
    result = ask("continue", "b")
    assert list(result) == [
        2,
        "",
        "cometresp: error: nothing to continue: chain default has no response yet\nhint: cometresp ask … starts it\n",
    ]
    assert wire.requests == []


@pytest.mark.parametrize(
    ("bad", "code", "status", "hint"),
    [
        (sse(created("r2"), delta("half")), 69, "was cut", "cometresp get r2 --wait fetches it; "),
        (json_reply(response(response_id="r2", status="failed", error={"message": "x"})), 1, "ended as failed", ""),
        (
            json_reply(response(message("t"), response_id="r2", status="incomplete")),
            3,
            "ended as incomplete",
            "cometresp continue --from r2 continues it all the same; ",
        ),
    ],
)
def test_only_a_good_turn_moves_the_head(
    ask: Command, wire: Wire, bad: bytes, code: int, status: str, hint: str
) -> None:
    wire.answer(text_stream("1", response_id="r1"), bad, bad, text_stream("4", response_id="r4"))
    ask("ask", "a")
    assert ask("continue", "--retries", "0", "b").code == code
    assert heads(ask) == {"default": "r1"}
    assert ask("ask", "--retries", "0", "begin anew").code == code
    assert heads(ask) == {"default": None}
    assert list(ask("continue", "c")) == [
        2,
        "",
        f"cometresp: error: nothing to continue: r2, which restarted default, {status}\n"
        f"hint: {hint}cometresp continue --from r1 goes back\n",
    ]
    assert ask("continue", "--from", "r1", "d").code == 0
    assert wire.bodies()[-1]["previous_response_id"] == "r1"
    assert heads(ask) == {"default": "r4"}


def test_after_an_interrupt_continue_says_the_command_that_works(ask: Command, wire: Wire) -> None:
    def interrupted() -> str:
        def stall(_: Any, connection: Any) -> None:
            connection.sendall(sse(created("resp_0123456789abcdef"), delta("half")))
            connection.recv(1)

        wire.answer(stall)
        process = ask.popen("stream", "a")
        assert process.stdout is not None
        assert process.stdout.read(4) == b"half"
        process.send_signal(signal.SIGINT)
        return process.communicate(timeout=60)[1].decode()

    told = "cometresp: error: interrupted\nhint: what came is kept: cometresp log resp_01234567\n"
    nothing = "cometresp: error: nothing to continue: resp_01234567, which restarted default, was interrupted\n"
    assert interrupted() == told
    rest = "; cometresp get resp_01234567 --wait fetches it if it went on\n"
    assert list(ask("continue", "b")) == [2, "", f"{nothing}hint: cometresp ask … starts it again{rest}"]
    wire.answer(text_stream("1", response_id="resp_abcdef0123456789"))
    assert ask("ask", "c").code == 0
    assert interrupted() == told
    back = "cometresp continue --from resp_abcdef01"
    assert list(ask("continue", "d")) == [2, "", f"{nothing}hint: {back} goes back{rest}"]
    wire.answer(text_stream("two", response_id="r2"))
    assert ask(*back.split()[1:], "d").text == "two\n"
    assert wire.bodies()[-1]["previous_response_id"] == "resp_abcdef0123456789"
    assert heads(ask) == {"default": "r2"}


def test_chains_are_apart_and_named_by_flag_then_environment(ask: Command, wire: Wire) -> None:
    wire.answer(
        text_stream("1", response_id="r1"), text_stream("2", response_id="r2"), text_stream("3", response_id="r3")
    )
    ask("ask", "--chain", "work", "a")
    ask("ask", "b", env={"COMETRESP_CHAIN": "ci"})
    ask("ask", "c")
    assert heads(ask) == {"default": "r3", "ci": "r2", "work": "r1"}
    assert ask("chains", "head", "work").text == "r1\n"


def test_no_save_records_nothing(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1"))
    assert ask("ask", "--no-save", "a").code == 0
    assert ask("ask", "a", env={"COMETRESP_RECORD": "none"}).code == 0
    assert heads(ask) == {}


def test_recording_ids_only_keeps_no_text_and_cant_replay(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("secret", response_id="r1"))
    ask("ask", "a", env={"COMETRESP_RECORD": "ids"})
    assert ask("chains", "head").text == "r1\n"
    assert b"secret" not in state_path(ask).read_bytes()
    result = ask("continue", "--replay", "b")
    assert (result.code, len(wire.requests)) == (65, 1)
    assert result.err.startswith(
        "cometresp: error: the conversation can't be replayed: the text of r1 was not recorded"
    )


def test_the_state_is_private_and_one_file(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1"))
    ask("ask", "a")
    folder = state_path(ask).parent
    assert [(path.name, path.stat().st_mode & 0o777) for path in folder.iterdir()] == [("state.db", 0o600)]
    assert folder.stat().st_mode & 0o777 == 0o700


# replay -----------------------------------------------------------------------------------------------------------

REFUSALS = [
    error_reply(400, "llama.cpp does not support 'previous_response_id'."),
    error_reply(404, "Previous response with id 'r1' not found.", "previous_response_not_found"),
    json_reply({"detail": "previous_response_id is not supported"}, 400),
    error_reply(500, "unknown field previous_response_id", "invalid_request"),
]


def replayed(text: str) -> dict[str, Any]:
    return message(text)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_server_that_takes_no_previous_id_gets_the_recorded_turns_instead(
    ask: Command, wire: Wire, refusal: bytes
) -> None:
    wire.answer(text_stream("1", response_id="r1"), refusal, text_stream("2", response_id="r2"))
    ask("ask", "-s", "short", "a")
    assert list(ask("continue", "b")) == [
        0,
        "2\n",
        "cometresp: warning: the server takes no response id: the recorded turns were sent in its place\n",
    ]
    assert wire.bodies()[1]["previous_response_id"] == "r1"
    assert wire.bodies()[2] == {
        "model": "m",
        "instructions": "short",
        "input": [USER_A, message("1"), {"role": "user", "content": "b"}],
        "stream": True,
    }


def test_another_refusal_of_a_turn_is_not_replayed(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"), error_reply(400, "no", "unsupported_temperature"))
    ask("ask", "a")
    assert (ask("continue", "b").code, len(wire.requests)) == (65, 2)


def test_a_chain_that_the_server_doesnt_store_is_replayed_from_the_start(ask: Command, wire: Wire) -> None:
    thought = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "gAAA"}
    bare = {"type": "reasoning", "id": "rs2", "summary": []}
    wire.answer(json_reply(response(thought, bare, message("1"), response_id="r1")), text_stream("2", response_id="r2"))
    ask("ask", "--no-store", "a")
    assert list(ask("continue", "b")) == [0, "2\n", ""]
    assert wire.bodies()[1] == {
        "model": "m",
        "input": [USER_A, thought, message("1"), {"role": "user", "content": "b"}],
        "store": False,
        "stream": True,
    }


def test_another_base_url_replays_without_the_other_servers_reasoning(ask: Command, wire: Wire) -> None:
    thought = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "gAAA"}
    wire.answer(json_reply(response(thought, message("1"), response_id="r1")), text_stream("2", response_id="r2"))
    ask("ask", "a")
    ask("continue", "b", env={"COMETAPI_BASE_URL": f"http://localhost:{wire.port}"})
    assert wire.bodies()[1]["input"] == [USER_A, message("1"), {"role": "user", "content": "b"}]
    assert "previous_response_id" not in wire.bodies()[1]


def test_half_a_conversation_is_never_replayed(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"), REFUSALS[0])
    ask("ask", "--previous-response-id", "elsewhere", "a")
    result = ask("continue", "b")
    assert (result.code, len(wire.requests)) == (65, 2)
    assert "what came before r1 (elsewhere) was not recorded here" in result.err


def test_a_server_that_ignores_the_previous_id_in_silence_is_warned_about(ask: Command, wire: Wire) -> None:
    wire.answer(
        text_stream("1", response_id="r1", usage=None),
        text_stream("2", response_id="r2", usage=None, previous_response_id="r1"),
        text_stream("3", response_id="r3", usage=None, previous_response_id=None),
        text_stream("4", response_id="r4", previous_response_id="r3"),
    )
    ask("ask", "a")
    assert list(ask("continue", "b")) == [0, "2\n", ""]
    assert list(ask("continue", "c")) == [
        0,
        "3\n",
        "cometresp: warning: the server may have answered without the earlier turns: its reply doesn't name r2;"
        " cometresp continue --replay … sends them\n",
    ]
    assert list(ask("continue", "d")) == [0, "4\n", ""]


# tool outputs -----------------------------------------------------------------------------------------------------


def test_the_output_of_a_call_is_sent_with_the_chain(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(call(), response_id="r1")), text_stream("done", response_id="r2"))
    result = ask("ask", "a")
    assert list(result) == [
        5,
        "",
        "cometresp: error: waiting for the output of call_1 weather {}\n"
        "hint: cometresp continue --tool-output call_1=…\n",
    ]
    (ask.home / "out.json").write_text('{"c":4}')
    assert list(ask("continue", "--tool-output-file", "call_1=out.json")) == [0, "done\n", ""]
    assert wire.bodies()[1] == {
        "model": "m",
        "input": [{"type": "function_call_output", "call_id": "call_1", "output": '{"c":4}'}],
        "previous_response_id": "r1",
        "stream": True,
    }


def test_open_calls_must_be_answered_and_no_other(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(call(), response_id="r1")))
    ask("ask", "a")
    assert list(ask("continue", "b")) == [
        2,
        "",
        "cometresp: error: r1 waits for the output of call_1\n"
        "hint: cometresp continue --tool-output call_1=… gives it; --functions FILE runs functions of your own\n",
    ]
    assert list(ask("continue", "--tool-output", "call_9=x")) == [
        2,
        "",
        "cometresp: error: --tool-output: r1 has no open call call_9; open are call_1\n",
    ]
    assert len(wire.requests) == 1


def test_a_function_call_turn_is_replayed_with_its_output(ask: Command, wire: Wire) -> None:
    wire.answer(
        json_reply(response(call(), response_id="r1")),
        text_stream("2", response_id="r2"),
        REFUSALS[0],
        text_stream("3", response_id="r3"),
    )
    ask("ask", "a")
    ask("continue", "--tool-output", "call_1=4")
    ask("continue", "c")
    output = {"type": "function_call_output", "call_id": "call_1", "output": "4"}
    assert wire.bodies()[3]["input"] == [USER_A, call(), output, message("2"), {"role": "user", "content": "c"}]


# the record -------------------------------------------------------------------------------------------------------


def test_get_updates_the_record_and_moves_the_head_that_waited(ask: Command, wire: Wire) -> None:
    wire.answer(
        json_reply(response(response_id="bg", status="queued", background=True)),
        json_reply(response(message("late"), response_id="bg")),
    )
    assert ask("ask", "--background", "a").text == "bg\n"
    assert heads(ask) == {"default": None}
    assert list(ask("get", "last")) == [0, "late\n", ""]
    assert heads(ask) == {"default": "bg"}
    assert wire.requests[1].path == "/v1/responses/bg"


@pytest.mark.slow
def test_get_waits_until_the_response_has_ended(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(status="in_progress")), json_reply(response(message("done"))))
    assert list(ask("get", "--wait", "-", stdin=b"resp_1\n")) == [0, "done\n", ""]
    wire.answer(json_reply(response(status="in_progress")))
    get = in_time(lambda seconds: ask("get", "--wait", "--max-time", seconds, "resp_1"), lambda result: result.ran_out)
    assert get.code == 7


def test_get_of_an_unknown_id_says_what_it_may_mean(ask: Command, wire: Wire) -> None:
    wire.answer(error_reply(404, "no such response"))
    assert list(ask("get", "resp_x")) == [
        65,
        "",
        "cometresp: error: HTTP 404: no such response\n"
        "hint: the server doesn't know resp_x, or doesn't offer to fetch responses at all\n",
    ]


def test_log_and_chains_show_what_was_recorded(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("one", response_id="r1"), text_stream("two", response_id="r2"))
    ask("ask", "a")
    ask("continue", "b")
    assert ask("chains", "show").text == (
        "## r1 · m · completed\n\n> a\n\none\n\n## r2 · m · completed\n\n> b\n\ntwo\n"
    )
    items = [USER_A, message("one"), {"role": "user", "content": "b"}, message("two")]
    assert json.loads(ask("chains", "show", "--json").out) == items
    assert [line.split("\t")[0] for line in ask("log").text.splitlines()] == ["r2", "r1"]
    assert ask("log", "r2").text == "## r2 · m · completed\n\n> b\n\ntwo\n"
    assert json.loads(ask("log", "r1", "--json").out)["output"] == [message("one")]
    assert list(ask("log", "nope")) == [
        2,
        "",
        "cometresp: error: nope is not recorded here\nhint: cometresp log lists what is\n",
    ]


# a server that keeps nothing ------------------------------------------------------------------------------------------

FORGETS = error_reply(404, "Previous response with id 'x' not found.", "previous_response_not_found")


def test_a_server_that_forgets_every_id_is_not_asked_in_vain_again(ask: Command, wire: Wire) -> None:
    calling = response(call("weather"), response_id="r2")
    wire.answer(
        text_stream("1", response_id="r1"),
        FORGETS,
        json_reply(calling),
        text_stream("3", response_id="r3"),
        text_stream("4", response_id="r4"),
        text_stream("5", response_id="r5"),
    )
    (ask.home / "a.txt").write_text("attached")
    assert ask("ask", "-f", "a.txt", "a").code == 0
    warning = "cometresp: warning: the server takes no response id: the recorded turns were sent in its place\n"
    assert tuple(ask("continue", "b"))[::2] == (5, warning + WAITS)
    assert tuple(ask("continue", "--tool-output", "call_1=4")) == (0, "3\n", "")
    note = f"{wire.url} takes no response id: the recorded turns are sent in its place\n"
    assert note in ask("continue", "--verbose", "c").err
    assert ask("continue", "d").code == 0
    attached = {"type": "input_text", "text": "a.txt:\n```\nattached\n```"}
    items = [
        {"role": "user", "content": [attached, {"type": "input_text", "text": "a"}]},
        message("1"),
        {"role": "user", "content": "b"},
        call("weather"),
        {"type": "function_call_output", "call_id": "call_1", "output": "4"},
        message("3"),
        {"role": "user", "content": "c"},
        message("4"),
        {"role": "user", "content": "d"},
    ]
    bodies = wire.bodies()
    assert [body["input"] for body in bodies[2:]] == [items[:3], items[:5], items[:7], items]
    assert ["previous_response_id" in body for body in bodies] == [False, True, False, False, False, False]


REFUSAL = {"code": "previous_response_not_found", "message": "Previous response not found", "param": None}


@pytest.mark.parametrize(
    "refusal",
    [
        sse({"type": "error", **REFUSAL}),
        sse({"type": "error", "error": REFUSAL}),
        sse({"type": "response.failed", "response": response(response_id="r9", status="failed", error=REFUSAL)}),
        json_reply({"error": REFUSAL}),
    ],
)
def test_a_refusal_inside_a_200_leads_to_a_replay_too(ask: Command, wire: Wire, refusal: bytes) -> None:
    wire.answer(text_stream("1", response_id="r1"), refusal, text_stream("2", response_id="r2"))
    ask("ask", "a")
    result = ask("continue", "b")
    assert (result.code, result.text, len(wire.requests)) == (0, "2\n", 3)
    assert heads(ask) == {"default": "r2"}


WAITS = (
    "cometresp: error: waiting for the output of call_1 weather {}\nhint: cometresp continue --tool-output call_1=…\n"
)


def test_what_is_remembered_does_not_stand_in_the_way_of_an_id(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"), FORGETS, *(text_stream(n, response_id=f"r{n}") for n in "234"))
    ask("ask", "a")
    ask("continue", "b")
    ask.environ["COMETRESP_RECORD"] = "ids"
    ask("ask", "c")
    assert ask("continue", "d").code == 0
    assert wire.bodies()[-1]["previous_response_id"] == "r3"
