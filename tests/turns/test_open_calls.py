"""Runs that stop on calls: what only the user can answer, and how a run is taken up again."""

import json
import os
import signal

import pytest

from tests.conftest import Command
from tests.scripted import Wire, call, json_reply, message, response
from tests.turns.tooling import OSLO, ROLL, TOUCH, allowed, answering, calling, oslo
from tests.waiting import written

# calls that only the user can answer ----------------------------------------------------------------------------------


def test_a_turn_with_a_call_of_the_users_runs_nothing_and_lists_every_call(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH, call("by_hand", "call_2", '{"a":1}')))
    tool = '{"type":"function","name":"by_hand","parameters":null,"strict":null}'
    assert tuple(allowed(tools, "-t", tool, "hi")) == (
        5,
        "",
        "cometresp: error: waiting for the outputs of 2 calls:\n"
        '  call_1 touch {"path":"touched"}\n'
        '  call_2 by_hand {"a":1}\n'
        "hint: cometresp continue --tool-output call_1=… --tool-output call_2=…\n",
    )
    assert not (tools.home / "touched").exists()
    wire.answer(answering())
    wire.requests.clear()
    words = ("continue", "--functions", "tools.py", "--approve", "always", "--tool-output", "call_2=by hand")
    assert tools(*words).code == 0
    assert [item["output"] for item in wire.bodies()[0]["input"]] == ["made", "by hand"]


def test_continue_with_open_calls_and_no_outputs_lists_them(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo(), TOUCH | {"call_id": "call_2"}))
    assert tools("ask", "hi").code == 5
    for words in (["continue"], ["continue", "go on"], ["continue", "--functions", "tools.py", "--dry-run"]):
        assert tuple(tools(*words)) == (
            2,
            "",
            "cometresp: error: resp_1 waits for the output of call_1, call_2\n"
            "hint: cometresp continue --tool-output call_1=… --tool-output call_2=… gives it; "
            "--functions FILE runs functions of your own\n",
        )
    assert len(wire.requests) == 1


def test_hints_name_every_way_to_answer_and_the_chain(tools: Command, wire: Wire) -> None:
    by_hand = call("by_hand")
    computer = {"type": "computer_call", "id": "cu_1", "call_id": "call_2", "action": {"type": "wait"}}
    wire.answer(calling(by_hand, computer, ROLL))
    flags = "--tool-output call_1=… --input @items.json --tool-output mcpr_1=yes"
    result = tools("ask", "--chain", "my work", "hi")
    assert result.err.splitlines()[-2:] == [
        "  mcpr_1 dmcp/roll {}",
        f"hint: cometresp continue --chain 'my work' {flags}",
    ]
    assert tools("continue", "--chain", "my work", "go on").err.splitlines()[1] == (
        f"hint: cometresp continue --chain 'my work' {flags} gives it; --functions FILE runs functions of your own"
    )
    assert tools("continue", "--chain", "my work", "--tool-output", "mcpr_1=maybe").err == (
        "cometresp: error: --tool-output: mcpr_1 is an approval, which is given by yes or no\n"
    )


def test_calls_whose_output_is_no_text_are_answered_by_input_items(tools: Command, wire: Wire) -> None:
    wire.answer(calling({"type": "computer_call", "id": "cu_1", "call_id": "call_1", "action": {"type": "wait"}}))
    assert tools("ask", "hi").code == 5
    wire.answer(answering())
    item = {"type": "computer_call_output", "call_id": "call_1", "output": {"type": "computer_screenshot"}}
    assert tools("continue", "--input", json.dumps([item])).code == 0
    assert wire.bodies()[1]["input"] == [item]


def test_refused_calls_that_were_not_recorded_are_answered_by_hand(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH))
    words = ("ask", "--functions", "tools.py", "hi")
    assert tools(*words, "--no-save").err.splitlines()[1] == (
        "hint: cometresp ask --previous-response-id resp_1 --tool-output call_1=…"
    )
    assert tools(*words, env={"COMETRESP_RECORD": "ids"}).err.splitlines()[1] == (
        "hint: cometresp continue --tool-output call_1=…"
    )
    wire.answer(calling(TOUCH, store=False))
    assert len(tools(*words, "--no-save", "--no-store").err.splitlines()) == 1


def test_a_loop_whose_turns_cannot_be_recorded_still_gives_its_answer(tools: Command, wire: Wire) -> None:
    (tools.home / "occupied").write_text("")
    wire.answer(calling(oslo()), answering())
    result = allowed(tools, "-o", "out", "hi", env={"COMETRESP_STATE_DIR": "occupied"})
    assert (result.code, (tools.home / "out").read_text(), result.err.count("warning")) == (0, "21 degrees\n", 1)


def test_background_runs_nothing_here(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH))
    result = allowed(tools, "--background", "hi")
    assert (result.code, result.text, len(wire.requests)) == (5, "resp_1\n", 1)
    assert not (tools.home / "touched").exists()


def test_a_failed_later_turn_says_how_to_take_the_run_up(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), json_reply(response(response_id="resp_2", status="failed", error={"message": "x"})))
    result = allowed(tools, "hi")
    assert (result.code, "cometresp continue sends the results again" in result.err) == (1, True)


def test_the_way_on_from_a_turn_that_was_not_recorded_is_its_id(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()))
    assert tools("ask", "--no-save", "hi").err.splitlines()[1] == (
        "hint: cometresp ask --previous-response-id resp_1 --tool-output call_1=…"
    )


def test_calls_that_were_not_recorded_can_be_answered_by_hand_only(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), answering())
    tools.environ["COMETRESP_RECORD"] = "ids"
    assert tools("ask", "hi").code == 5
    assert tools("continue", "--functions", "tools.py").err == (
        "cometresp: error: nothing to send: no prompt, and what resp_1 waits for was not recorded\n"
        "hint: --tool-output CALL_ID=… answers a call\n"
    )
    assert tools("continue", "--tool-output", "call_1=21").code == 0


# interrupted runs -----------------------------------------------------------------------------------------------------


def test_an_interrupt_ends_the_tool_and_continue_takes_the_run_up(tools: Command, wire: Wire) -> None:
    wire.answer(calling(call("wait", arguments='{"path":"pid"}')), answering())
    process = tools.popen("ask", "--functions", "tools.py", "--approve", "always", "hi")
    group = written(tools.home / "pid")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.decode()) == (
        130,
        b"",
        "cometresp: error: interrupted\nhint: cometresp continue --functions tools.py resumes the run\n",
    )
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
    assert tools("chains", "head").text == "resp_1\n"
    (tools.home / "tools.py").write_text('def wait(path: str) -> str:\n    """Ends."""\n    return "ended"\n')
    result = tools("continue", "--functions", "tools.py", "--approve", "always", "--events")
    first = json.loads(result.text.splitlines()[0])
    assert (result.code, first["type"], first["output"]) == (0, "cometresp.tool_output", "ended")
    body = wire.bodies()[1]
    assert (body["previous_response_id"], body["input"]) == (
        "resp_1",
        [{"type": "function_call_output", "call_id": "call_1", "output": "ended"}],
    )


def test_nothing_runs_before_a_request_that_could_not_be_sent(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH), answering())
    assert tools("ask", "--functions", "tools.py", "hi").code == 5
    words = ("continue", "--functions", "tools.py", "--approve", "always")
    assert tools(*words, "--temperature", "3").code == 2
    assert tools(*words, env={"COMETAPI_KEY": "", "COMETAPI_BASE_URL": "https://api.example.com/v1"}).code == 77
    assert not (tools.home / "touched").exists()


def test_the_chain_holds_every_turn_of_a_run_and_a_replay_sends_them(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), answering(), json_reply(response(message("bye"), response_id="resp_3")))
    assert allowed(tools, "hi").code == 0
    assert tools("chains", "head").text == "resp_2\n"
    assert tools("continue", "--replay", "thanks").text == "bye\n"
    answer = message("21 degrees")
    assert wire.bodies()[2]["input"] == [
        {"role": "user", "content": "hi"},
        oslo(),
        OSLO,
        answer,
        {"role": "user", "content": "thanks"},
    ]
    assert [tool["name"] for tool in wire.bodies()[2]["tools"]] == ["weather", "touch", "wait", "fail"]


def test_without_its_flag_again_a_remembered_function_is_the_users(tools: Command, wire: Wire) -> None:
    wire.answer(answering("hello", "resp_0"), calling(TOUCH))
    assert allowed(tools, "hi").code == 0
    assert tools("continue", "and?").code == 5
    assert not (tools.home / "touched").exists()
