"""Runs of several turns: the model calls, what the user allowed is run, and the result goes back (design section 3)."""

import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command
from tests.scripted import (
    Request,
    Wire,
    call,
    created,
    delta,
    ended,
    error_reply,
    json_reply,
    message,
    response,
    sse,
    text_stream,
)
from tests.terminals import at_terminal, on_terminal

TOOLS = '''
import os, time

def weather(city: str) -> dict:
    """The weather now."""
    return {"city": city, "degrees": 21}

def touch(path: str) -> str:
    """Make a file."""
    open(path, "w").close()
    return "made"

def wait(path: str) -> str:
    """Never ends."""
    with open(path, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(1000)
    return "never"

def fail(text: str) -> str:
    """Raises."""
    raise ValueError(text)
'''
USAGE = {"input_tokens": 10, "output_tokens": 1, "total_tokens": 11}


@pytest.fixture
def tools(ask: Command) -> Command:
    (ask.home / "tools.py").write_text(TOOLS)
    return ask


def calling(*calls: dict[str, Any], response_id: str = "resp_1", **more: Any) -> bytes:
    whole = response(*calls, response_id=response_id, usage=USAGE, **more)
    return sse(created(response_id), ended(whole))


def answering(text: str = "21 degrees", response_id: str = "resp_2", **more: Any) -> bytes:
    return text_stream(text, response_id=response_id, usage=USAGE, **more)


def oslo(call_id: str = "call_1") -> dict[str, Any]:
    return call("weather", call_id, '{"city":"Oslo"}') | {"id": f"fc_{call_id}"}


OSLO = {"type": "function_call_output", "call_id": "call_1", "output": '{"city": "Oslo", "degrees": 21}'}


def allowed(tools: Command, *words: str, **more: Any) -> Any:
    return tools("ask", "--functions", "tools.py", "--approve", "always", *words, **more)


# the loop ---------------------------------------------------------------------------------------------------------


def test_a_function_is_run_and_its_result_sent_until_there_is_an_answer(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), answering())
    assert tuple(allowed(tools, "-s", "be brief", "--tool-choice", "required", "hi")) == (0, "21 degrees\n", "")
    first, second = wire.bodies()
    assert [tool["name"] for tool in first["tools"]] == ["weather", "touch", "wait", "fail"]
    assert (first["tool_choice"], first["input"]) == ("required", "hi")
    assert second == first | {"tool_choice": "auto", "previous_response_id": "resp_1", "input": [OSLO]}


@pytest.mark.parametrize("said", [{"store": False}, {}])
def test_where_nothing_is_stored_all_items_are_sent_with_their_reasoning(
    tools: Command, wire: Wire, said: dict[str, Any]
) -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
    bare = {"type": "reasoning", "id": "rs_2", "summary": []}
    wire.answer(calling(reasoning, oslo(), bare, **said), answering())
    assert allowed(tools, "hi", *([] if said else ["--no-store"])).code == 0
    first, second = wire.bodies()
    assert second == first | {"input": [{"role": "user", "content": "hi"}, reasoning, oslo(), OSLO]}


def test_a_server_that_turns_out_to_know_no_ids_gets_the_items_from_then_on(tools: Command, wire: Wire) -> None:
    refusal = error_reply(400, "previous_response_id is not supported")
    wire.answer(calling(oslo()), refusal, calling(oslo("call_2"), response_id="resp_2"), answering("done", "resp_3"))
    assert tuple(allowed(tools, "hi")) == (
        0,
        "done\n",
        "cometresp: warning: the server doesn't go on from a response id: the recorded turns were sent instead\n",
    )
    items = [{"role": "user", "content": "hi"}, oslo(), OSLO]
    assert [body["input"] for body in wire.bodies()] == [
        "hi",
        [OSLO],
        items,
        [*items, oslo("call_2"), OSLO | {"call_id": "call_2"}],
    ]
    assert "previous_response_id" not in wire.bodies()[3]


def test_several_calls_of_a_turn_are_answered_together_and_in_order(tools: Command, wire: Wire) -> None:
    broken = call("weather", "call_2", '{"city":')
    unknown = call("nowhere", "call_3")
    failing = call("fail", "call_4", '{"text":"no"}')
    wire.answer(calling(oslo(), broken, unknown, failing), answering())
    assert allowed(tools, "hi").code == 0
    outputs = {item["call_id"]: item["output"] for item in wire.bodies()[1]["input"]}
    assert list(outputs) == ["call_1", "call_2", "call_3", "call_4"]
    assert "not valid JSON" in json.loads(outputs["call_2"])["error"]
    assert "no function is called 'nowhere'" in json.loads(outputs["call_3"])["error"]
    assert "ValueError: no" in json.loads(outputs["call_4"])["error"]


def test_a_custom_call_is_run_with_its_text_as_input(tools: Command, wire: Wire) -> None:
    (tools.home / "shout.py").write_text('def shout(input: str) -> str:\n    """Loud."""\n    return input.upper()\n')
    custom = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "shout", "input": 'a "b"'}
    wire.answer(calling(custom), answering())
    tool = '{"type":"custom","name":"shout"}'
    assert tools("ask", "--functions", "shout.py", "--approve", "always", "-t", tool, "hi").code == 0
    first, second = wire.bodies()
    assert first["tools"] == [json.loads(tool)]
    assert second["input"] == [{"type": "custom_tool_call_output", "call_id": "call_1", "output": 'A "B"'}]


def test_a_loop_without_end_stops_after_max_turns(tools: Command, wire: Wire) -> None:
    wire.answer(*(calling(oslo(f"call_{n}"), response_id=f"resp_{n}") for n in range(9)))
    assert tuple(allowed(tools, "--max-turns", "3", "hi")) == (
        5,
        "",
        "cometresp: error: stopped after 3 turns (--max-turns) before weather ran\n"
        "hint: cometresp continue takes the run up, with --functions again where it was given\n",
    )
    assert len(wire.requests) == 3
    assert tools("chains", "head").text == "resp_2\n"


def test_max_turns_must_be_positive(tools: Command) -> None:
    assert allowed(tools, "--max-turns", "0", "hi").err == "cometresp: error: --max-turns: must be at least 1, not 0\n"


@pytest.mark.parametrize("status", ["incomplete", "failed"])
def test_calls_of_an_answer_that_did_not_complete_are_not_run(tools: Command, wire: Wire, status: str) -> None:
    touching = call("touch", arguments='{"path":"touched"}')
    wire.answer(calling(touching, status=status, incomplete_details={"reason": "max_output_tokens"}))
    assert allowed(tools, "hi").code == {"incomplete": 3, "failed": 1}[status]
    assert not (tools.home / "touched").exists()


def test_a_dry_run_shows_the_definitions_beside_other_tools(tools: Command) -> None:
    body = json.loads(allowed(tools, "--dry-run", "-t", "web_search", "hi").out)
    assert [tool.get("name", tool["type"]) for tool in body["tools"]] == [
        "web_search",
        "weather",
        "touch",
        "wait",
        "fail",
    ]


# what is printed ----------------------------------------------------------------------------------------------------


def test_each_turns_text_ends_its_line_also_in_a_file(tools: Command, wire: Wire) -> None:
    first = response(message("Let me look."), oslo(), usage=USAGE)
    wire.answer(sse(created(), delta("Let me look."), ended(first)), answering())
    assert allowed(tools, "hi").text == "Let me look.\n21 degrees\n"
    wire.requests.clear()
    assert allowed(tools, "-o", "out", "hi").text == ""
    assert (tools.home / "out").read_text() == "Let me look.\n21 degrees\n"


def test_json_prints_the_last_response_and_usage_counts_all_turns(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), answering())
    result = allowed(tools, "--json", "-u", "hi")
    printed = json.loads(result.out)
    assert (printed["id"], printed["output_text"], printed["usage"]) == ("resp_2", "21 degrees", USAGE)
    assert result.err == "usage: 20 input, 2 output, 22 total\n"


def test_events_are_those_of_all_turns_and_a_line_for_each_result(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), answering())
    events = [json.loads(line) for line in allowed(tools, "--events", "hi").text.splitlines()]
    assert [event["type"] for event in events] == [
        "response.created",
        "response.completed",
        "cometresp.tool_output",
        "response.created",
        "response.output_text.delta",
        "response.completed",
    ]
    assert events[2] == {
        "type": "cometresp.tool_output",
        "call_id": "call_1",
        "name": "weather",
        "ok": True,
        "seconds": events[2]["seconds"],
        "output": OSLO["output"],
    }


def test_a_schema_and_an_extraction_hold_for_the_last_answer_alone(tools: Command, wire: Wire) -> None:
    first = response(message("```\nfirst\n```"), oslo())
    wire.answer(sse(created(), ended(first)), answering("```\nlast\n```"))
    assert tuple(allowed(tools, "-x", "hi")) == (0, "last\n", "")
    wire.requests.clear()
    wire.answer(calling(oslo()), answering('{"n": 1}'))
    assert tuple(allowed(tools, "--schema", "n int", "hi")) == (0, '{"n": 1}\n', "")


def test_a_call_is_one_line_on_a_terminal_and_in_full_with_verbose(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), answering())
    words = ("ask", "--functions", "tools.py", "--approve", "always", "--plain", "hi")
    code, shown = on_terminal(tools, *words)
    assert (code, shown.count("weather")) == (0, 1)
    assert '✓ weather({"city":"Oslo"}) · ' in shown
    wire.requests.clear()
    err = allowed(tools, "--verbose", "hi").err
    assert '    {"city": "Oslo", "degrees": 21}\n' in err


# approval -----------------------------------------------------------------------------------------------------------

TOUCH = call("touch", arguments='{"path":"touched"}')


@pytest.mark.parametrize("words", [[], ["--approve", "refuse"], ["--allow-tool", "weather"]])
def test_what_nobody_allowed_does_not_run(tools: Command, wire: Wire, words: list[str]) -> None:
    wire.answer(calling(TOUCH))
    why = "--approve refuse" if "refuse" in words else "there is no terminal to ask on"
    assert tuple(tools("ask", "--functions", "tools.py", *words, "hi")) == (
        5,
        "",
        f"cometresp: error: touch was not allowed to run: {why}; still open: call_1\n"
        "hint: cometresp continue --allow-tool touch, with --functions again where it was given\n",
    )
    assert (len(wire.requests), (tools.home / "touched").exists()) == (1, False)


def test_a_refusal_goes_out_beside_a_result(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo(), TOUCH | {"call_id": "call_2"}), answering())
    assert tools("ask", "--functions", "tools.py", "--allow-tool", "we*", "hi").code == 0
    refused = {
        "type": "function_call_output",
        "call_id": "call_2",
        "output": '{"error": "this call is not allowed here"}',
    }
    assert wire.bodies()[1]["input"] == [OSLO, refused]
    assert not (tools.home / "touched").exists()


def test_approval_is_asked_on_the_terminal_while_stdin_is_a_pipe(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH), answering())
    words = ("ask", "--functions", "tools.py", "do it:")
    code, out, err, shown = at_terminal(tools, "y", *words, stdin=b"touched")
    assert (code, out, err, (tools.home / "touched").exists()) == (0, "21 degrees\n", "", True)
    question = "run it? [y]es, [a]lways touch, [n]o, [s]top: "
    assert shown == f'touch wants to run (tools.py) with\n  {{\n    "path": "touched"\n  }}\n{question}y\n'
    assert wire.bodies()[0]["input"] == "do it:\n\ntouched"


@pytest.mark.parametrize(
    ("typed", "code", "output"),
    [("n", 0, '{"error": "the user refused this call"}'), ("?y", 0, "made"), ("s", 5, None)],
)
def test_a_typed_no_goes_to_the_model_and_stop_ends_the_run(
    tools: Command, wire: Wire, typed: str, code: int, output: str | None
) -> None:
    wire.answer(calling(TOUCH), answering())
    assert at_terminal(tools, typed, "ask", "--functions", "tools.py", "hi")[0] == code
    assert [item["output"] for body in wire.bodies()[1:] for item in body["input"]] == ([output] if output else [])
    assert (tools.home / "touched").exists() == (output == "made")


def test_always_is_asked_once(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH), calling(TOUCH, response_id="resp_2"), answering("done", "resp_3"))
    code, out, _, shown = at_terminal(tools, "a", "ask", "--functions", "tools.py", "hi")
    assert (code, out, shown.count("wants to run")) == (0, "done\n", 1)


def test_in_ci_nobody_is_asked(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH))
    code, _, err, shown = at_terminal(tools, "y", "ask", "--functions", "tools.py", "hi", env={"CI": "true"})
    assert (code, shown, (tools.home / "touched").exists()) == (5, "", False)
    assert "touch was not allowed to run: CI is set" in err


# approvals of MCP tools -----------------------------------------------------------------------------------------------

ROLL = {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "dmcp", "name": "roll", "arguments": "{}"}


@pytest.mark.parametrize(
    ("words", "approve"),
    [(["--allow-tool", "dmcp/roll"], True), (["--allow-tool", "dmcp/*"], True), (["--approve", "always"], True)],
)
def test_an_mcp_approval_is_answered_without_functions(
    tools: Command, wire: Wire, words: list[str], approve: bool
) -> None:
    wire.answer(calling(ROLL), answering())
    assert tools("ask", "-t", "mcp:dmcp=https://x/", *words, "hi").code == 0
    assert wire.bodies()[1]["input"] == [
        {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": approve}
    ]


def test_an_mcp_approval_that_nobody_gives_stays_open(tools: Command, wire: Wire) -> None:
    wire.answer(calling(ROLL), answering())
    result = tools("ask", "-t", "mcp:dmcp=https://x/", "--allow-tool", "*", "hi")
    assert (result.code, result.err.splitlines()[0]) == (
        5,
        "cometresp: error: dmcp/roll was not allowed to run: there is no terminal to ask on; still open: mcpr_1",
    )
    assert tools("continue", "--tool-output", "mcpr_1=no").code == 0
    assert wire.bodies()[1]["input"] == [
        {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": False}
    ]


def test_a_refused_mcp_approval_is_sent_when_the_user_typed_it(tools: Command, wire: Wire) -> None:
    wire.answer(calling(ROLL), answering())
    code, *_ = at_terminal(tools, "n", "ask", "-t", "mcp:dmcp=https://x/", "hi")
    answer = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": False}
    assert (code, wire.bodies()[1]["input"]) == (0, [answer | {"reason": "the user refused this call"}])


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
            "hint: give it: --tool-output call_1=… --tool-output call_2=…\n",
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
    assert tools("continue", "--chain", "my work", "go on").err.splitlines()[1] == f"hint: give it: {flags}"
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
    assert (result.code, "cometresp continue takes the run up" in result.err) == (1, True)


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
    deadline = time.monotonic() + 30
    while not (tools.home / "pid").exists() or not (tools.home / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    group = int((tools.home / "pid").read_text())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.decode()) == (
        130,
        b"",
        "cometresp: error: interrupted\n"
        "hint: cometresp continue takes the run up, with --functions again where it was given\n",
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
    assert tools(*words, env={"COMETAPI_KEY": ""}).code == 77
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


# arguments are data --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["$(touch x)", "; touch x", "--output=x", "\x1b]52;c;eA==\x07", "y" * 1_000_000])
def test_arguments_do_nothing_but_arrive(tools: Command, wire: Wire, text: str) -> None:
    (tools.home / "echo.py").write_text('def echo(text: str) -> int:\n    """n"""\n    return [len(text), text[:20]]\n')
    wire.answer(calling(call("echo", arguments=json.dumps({"text": text}))), answering())
    words = ("ask", "--functions", "echo.py", "--approve", "always", "--plain", "--verbose", "hi")
    code, shown = on_terminal(tools, *words)
    assert (code, "\x1b]" in shown, (tools.home / "x").exists()) == (0, False, False)
    assert json.loads(wire.bodies()[1]["input"][0]["output"]) == [len(text), text[:20]]


def test_a_failure_after_a_call_ran_says_how_to_take_the_run_up(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), error_reply(503, Retry_After="0"))
    assert allowed(tools, "hi").err.splitlines()[-1] == (
        "hint: cometresp continue takes the run up, with --functions again where it was given; the calls run again"
    )


def test_a_connection_that_breaks_in_a_later_turn_keeps_what_came(tools: Command, wire: Wire) -> None:
    def cut(_: Request, connection: socket.socket) -> None:
        connection.sendall(sse(created("resp_2"), delta("half")))

    wire.answer(calling(oslo()), cut)
    result = allowed(tools, "hi")
    assert (result.code, result.text) == (69, "half\n")
    assert tools("chains", "head").text == "resp_1\n"


SCHEMAS = Path(__file__).parents[3] / "shared" / "api" / "schema" / "create_response.json"


@pytest.mark.skipif(not SCHEMAS.exists(), reason="the API's schemas aren't beside this checkout")
@pytest.mark.parametrize("words", [[], ["--no-store"]])
def test_both_forms_of_a_loop_fit_the_apis_schema(tools: Command, wire: Wire, words: list[str]) -> None:
    import jsonschema

    wire.answer(calling(oslo(), call("weather", "call_2", '{"city":"Rome"}')), answering())
    assert allowed(tools, *words, "hi").code == 0
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMAS.read_text()))
    assert [list(validator.iter_errors(body)) for body in wire.bodies()] == [[], []]
