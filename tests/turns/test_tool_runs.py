"""Runs of several turns: the model calls, what the user allowed is run, and the result goes back."""

import json
import os
import signal
import socket
from typing import Any

import pytest

from tests.api import validator
from tests.conftest import Command
from tests.recorded import state_path
from tests.scripted import Request, Wire, call, created, delta, ended, error_reply, message, response, sse
from tests.state.files import execute, opened
from tests.state.holding import file_held
from tests.terminals import on_terminal, plain
from tests.turns.tooling import OSLO, USAGE, allowed, answering, calling, oslo
from tests.waiting import line_with, until

# the loop ---------------------------------------------------------------------------------------------------------


def test_a_function_is_run_and_its_result_sent_until_there_is_an_answer(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), answering())
    assert tuple(allowed(tools, "-s", "be brief", "--tool-choice", "required", "hi")) == (0, "21 degrees\n", "")
    first, second = wire.bodies()
    assert [tool["name"] for tool in first["tools"]] == ["weather", "touch", "wait", "fail"]
    assert (first["tool_choice"], first["input"]) == ("required", "hi")
    assert second == first | {"tool_choice": "auto", "previous_response_id": "resp_1", "input": [OSLO]}


def test_a_call_that_runs_is_not_redrawn_once_text_has_left_for_a_pipe(ask: Command, wire: Wire) -> None:
    code = "import time\ndef nap(seconds: float) -> str:\n    'Sleep.'\n    time.sleep(seconds)\n    return 'slept'\n"
    (ask.home / "tools.py").write_text(code)
    nap = call("nap", arguments='{"seconds": 0.5}')
    wire.answer(sse(created(), delta("first\n"), ended(response(message("first\n"), nap))), answering("then"))
    reader, writer = os.pipe()
    words = ("stream", "--functions", "tools.py", "--approve", "always", "hi")
    ended_with, screen = on_terminal(ask, *words, stdout=writer)
    os.close(writer)
    with open(reader, "rb") as pipe:  # noqa: PTH123
        assert (ended_with, pipe.read()) == (0, b"first\nthen\n")
    assert [line for line in plain(screen).splitlines() if "nap(" in line and "✓" not in line] == []
    assert "✓ nap(" in screen


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
        "cometresp: warning: the server takes no response id: the recorded turns were sent in its place\n",
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
    assert "there is no function 'nowhere'" in json.loads(outputs["call_3"])["error"]
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
        "hint: cometresp continue --functions tools.py resumes the run\n",
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
        "hint: the server is overloaded or down: try again later; "
        "cometresp continue sends the results again, with --functions and --mcp where further calls should run"
    )


def test_a_connection_that_breaks_in_a_later_turn_keeps_what_came(tools: Command, wire: Wire) -> None:
    def cut(_: Request, connection: socket.socket) -> None:
        connection.sendall(sse(created("resp_2"), delta("half")))

    wire.answer(calling(oslo()), cut)
    result = allowed(tools, "hi")
    assert (result.code, result.text) == (69, "half\n")
    assert tools("chains", "head").text == "resp_1\n"


@pytest.mark.parametrize("words", [[], ["--no-store"]])
def test_both_forms_of_a_loop_fit_the_apis_schema(tools: Command, wire: Wire, words: list[str]) -> None:
    wire.answer(calling(oslo(), call("weather", "call_2", '{"city":"Rome"}')), answering())
    assert allowed(tools, *words, "hi").code == 0
    known = validator("create_response")
    assert [list(known.iter_errors(body)) for body in wire.bodies()] == [[], []]


def refuse(run: Command, write: str) -> None:
    """Let the state file refuse such a write from now on, as a full disk might."""
    opened(state_path(run).parent).close()
    execute(
        state_path(run).parent, f"CREATE TRIGGER full BEFORE {write} ON turns BEGIN SELECT RAISE(ABORT, 'full'); END"
    )


FULL = "cometresp: warning: this turn is not recorded: the state file {} can't be written: full\n"


def test_continue_fails_with_73_also_where_the_turn_after_the_unrecorded_one_ends_well(
    tools: Command, wire: Wire
) -> None:
    wire.answer(answering("first", "resp_0"), calling(oslo()), answering())
    assert tools("ask", "hi").code == 0
    refuse(tools, "INSERT")
    result = tools("continue", "--functions", "tools.py", "--approve", "always", "weather?")
    path = state_path(tools)
    error = f"cometresp: error: the state file {path} can't be written: full\n"
    assert list(result) == [73, "21 degrees\n", FULL.format(path) + error]


def test_a_call_of_a_turn_whose_end_is_not_recorded_is_answered_by_hand(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()))
    refuse(tools, "UPDATE OF output")
    result = tools("ask", "--functions", "tools.py", "hi")
    hint = "hint: cometresp ask --previous-response-id resp_1 --tool-output call_1=…\n"
    warning, _, *rest = result.err.splitlines(keepends=True)
    assert (result.code, warning, rest) == (5, FULL.format(state_path(tools)), [hint])


def test_calls_run_again_where_their_results_are_not_recorded(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), error_reply(503, Retry_After="0"))
    refuse(tools, "UPDATE OF outputs")
    assert allowed(tools, "hi").err.splitlines()[-1] == (
        "hint: the server is overloaded or down: try again later; "
        "cometresp continue --functions tools.py resumes the run; the calls run again"
    )


def test_an_interrupt_ends_the_wait_for_the_record_of_a_result(tools: Command, wire: Wire) -> None:
    code = '''
import os, time

def slow() -> str:
    """Ends when it may."""
    open("running", "w").close()
    while not os.path.exists("go"):
        time.sleep(0.01)
    return "done"
'''
    (tools.home / "slow.py").write_text(code)
    wire.answer(calling(call("slow")), answering())
    process = tools.popen("ask", "--functions", "slow.py", "--approve", "always", "--verbose", "hi")
    assert process.stderr is not None
    until((tools.home / "running").exists)
    with file_held(state_path(tools)):
        (tools.home / "go").touch()
        line_with(b"waiting for another process", process.stderr)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    hint = "hint: cometresp continue --functions slow.py resumes the run; the calls run again"
    assert (process.returncode, err.decode().splitlines()[-2:]) == (130, ["cometresp: error: interrupted", hint])


@pytest.mark.slow
def test_functions_run_all_the_same_where_their_results_cant_be_recorded(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), answering())
    path = state_path(tools)
    opened(path.parent).close()
    with file_held(path):
        result = allowed(tools, "weather?")
    warning = f"this turn is not recorded: another process holds the state file {path} (waited 5 s)"
    assert list(result) == [0, "21 degrees\n", f"cometresp: warning: {warning}\n"]
    assert wire.bodies()[1]["input"] == [OSLO]
