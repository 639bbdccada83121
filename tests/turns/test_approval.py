"""Who lets a tool run: flags, a question on the terminal, nobody; functions and MCP tools alike."""

import json
import re

import pytest

from tests.conftest import Command
from tests.scripted import Wire
from tests.terminals import at_terminal
from tests.turns.tooling import OSLO, ROLL, TOUCH, answering, calling, oslo

QUESTION = """
the model calls {name} (tools.py) with
  {{
    "path": "touched"
  }}
  y  run it this time
  a  run it, and {name} without asking for the rest of this run
  n  don't run it, and tell the model so
  s  stop: nothing is run or sent, and the call stays open
run it? [y]es, [a]lways, [n]o, [s]top: """


@pytest.mark.parametrize("words", [[], ["--approve", "refuse"], ["--allow-tool", "weather"]])
def test_what_nobody_allowed_does_not_run(tools: Command, wire: Wire, words: list[str]) -> None:
    wire.answer(calling(TOUCH))
    why = "--approve refuse" if "refuse" in words else "there is no terminal to ask on"
    assert tuple(tools("ask", "--functions", "tools.py", *words, "hi")) == (
        5,
        "",
        f"cometresp: error: touch was not allowed to run: {why}; still open: call_1\n"
        "hint: cometresp continue --functions tools.py --allow-tool touch\n",
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
    assert shown == QUESTION.format(name="touch") + "y\n\n"
    assert wire.bodies()[0]["input"] == "do it:\n\ntouched"


def test_the_name_of_the_tool_is_bold_where_the_terminal_can_show_it(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH))
    bold = QUESTION.format(name="\x1b[1mtouch\x1b[22m")
    for env, question in (({"TERM": "xterm"}, bold), ({"TERM": "dumb"}, QUESTION.format(name="touch"))):
        code, _, _, shown = at_terminal(tools, "s", "ask", "--functions", "tools.py", "hi", env=env)
        assert (code, shown) == (5, question + "s\n\n")


def test_an_answer_that_is_none_is_named(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH), answering())
    keys = ["maybe\x1b", "", "y"]
    shown = at_terminal(tools, keys, "ask", "--functions", "tools.py", "hi", env={"TERM": "dumb"})[3]
    again = "run it? [y]es, [a]lways, [n]o, [s]top: "
    assert shown.partition("[s]top: ")[2] == (
        f"maybe^[\n\nmaybe\\x1b is no answer: type y, a, n or s\n{again}\n\n"
        f"that is no answer: type y, a, n or s\n{again}y\n\n"
    )


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


@pytest.mark.parametrize(("ahead", "typed"), [("y\ny\ny\n", ["n", "n"]), ("y", ["n", "n"]), ("", ["n\ny", "n\n"])])
def test_what_was_typed_before_a_question_does_not_answer_it(
    tools: Command, wire: Wire, ahead: str, typed: list[str]
) -> None:
    wire.answer(calling(TOUCH, TOUCH | {"call_id": "call_2"}), answering())
    code, *_ = at_terminal(tools, typed, "ask", "--functions", "tools.py", "hi", ahead=ahead)
    refused = '{"error": "the user refused this call"}'
    assert (code, [item["output"] for item in wire.bodies()[1]["input"]]) == (0, [refused, refused])
    assert not (tools.home / "touched").exists()


def test_a_call_with_long_arguments_is_viewed_before_it_is_allowed(tools: Command, wire: Wire) -> None:
    arguments = json.dumps({"padding": "x" * 30_000, "path": "touched"})
    wire.answer(calling(TOUCH | {"arguments": arguments}), answering())
    code, _, _, shown = at_terminal(tools, "yvy", "ask", "--functions", "tools.py", "hi")
    assert (code, shown.count('"path": "touched"'), shown.count("x" * 30_000)) == (0, 2, 1)
    assert re.findall(r"^(?:run|not).*top: .", shown, re.MULTILINE) == [
        "not all of it is shown: [v]iew it, [n]o, [s]top: y",
        "not all of it is shown: [v]iew it, [n]o, [s]top: v",
        "run it? [y]es, [a]lways, [n]o, [s]top: y",
    ]


def test_always_is_asked_once(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH), calling(TOUCH, response_id="resp_2"), answering("done", "resp_3"))
    code, out, _, shown = at_terminal(tools, "a", "ask", "--functions", "tools.py", "hi")
    assert (code, out, shown.count("the model calls")) == (0, "done\n", 1)


def test_in_ci_nobody_is_asked(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH))
    code, _, err, shown = at_terminal(tools, "y", "ask", "--functions", "tools.py", "hi", env={"CI": "true"})
    assert (code, shown, (tools.home / "touched").exists()) == (5, "", False)
    assert "touch was not allowed to run: CI is set" in err


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


def test_always_for_one_mcp_tool_is_not_for_another_that_reads_alike(tools: Command, wire: Wire) -> None:
    first, second = ROLL | {"server_label": "a/b", "name": "c"}, ROLL | {"server_label": "a", "name": "b/c"}
    wire.answer(calling(first, second | {"id": "mcpr_2"}), answering())
    code, _, _, shown = at_terminal(tools, "an", "ask", "-t", "mcp:a=https://x/", "hi")
    assert (code, [item["approve"] for item in wire.bodies()[1]["input"]]) == (0, [True, False])
    assert re.findall("the model calls (.*) with", shown) == [
        "a%2Fb/c (a remote MCP tool)",
        "a/b%2Fc (a remote MCP tool)",
    ]


def test_a_pattern_that_could_name_two_tools_is_refused(tools: Command, wire: Wire) -> None:
    assert tuple(tools("ask", "--allow-tool", "a/b/c", "hi")) == (
        2,
        "",
        "cometresp: error: --allow-tool: 'a/b/c' has more than one slash\nhint: one inside a name is written %2F\n",
    )
    assert wire.requests == []


def test_an_mcp_approval_that_nobody_gives_stays_open(tools: Command, wire: Wire) -> None:
    wire.answer(calling(ROLL), answering())
    result = tools("ask", "-t", "mcp:dmcp=https://x/", "--allow-tool", "*", "hi")
    assert (result.code, result.err) == (
        5,
        "cometresp: error: dmcp/roll was not allowed to run: there is no terminal to ask on; still open: mcpr_1\n"
        "hint: cometresp continue --allow-tool dmcp/roll\n",
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
