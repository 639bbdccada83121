"""Runs with MCP servers: offered, asked for, called in a loop, shown, recorded and ended."""

import base64
import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.mcp.conftest import SERVER, STDIO, over_http
from tests.scripted import Wire, call
from tests.terminals import at_terminal
from tests.turns.tooling import answering, calling
from tests.waiting import lives, until, written

pytest.importorskip("mcp", reason="the MCP SDK isn't installed", exc_type=ImportError)

CONFIG = f"""
[mcp.little]
command = {json.dumps([sys.executable, SERVER, "stdio"])}
env = {{ MINE = "env:SECRET" }}
tools = ["add", "show", "hang", "what*"]
timeout = 120
"""
QUESTION = """
the model calls little__add (the MCP server little) with
  {
    "a": 2
  }
  y  run it this time
  a  run it, and little__add without asking for the rest of this run
  n  don't run it, and tell the model so
  s  stop: nothing is run or sent, and the call stays open
run it? [y]es, [a]lways, [n]o, [s]top: y

"""


@pytest.fixture
def configured(ask: Command) -> Command:
    (ask.home / "config.toml").write_text(CONFIG)
    ask.environ |= {"COMETRESP_CONFIG": "config.toml", "SECRET": "my-secret-value"}
    return ask


@pytest.mark.parametrize("transport", ["stdio", "sse", "http"])
def test_the_emulators_model_uses_a_server_in_a_loop(run: Command, transport: str) -> None:
    with ExitStack() as stack:
        way = f"command = {STDIO!r}" if transport == "stdio" else f"url = {stack.enter_context(over_http(transport))!r}"
        (run.home / "config.toml").write_text(f"[mcp.one]\n{way}\ntimeout = 120\n")
        prompt = 'emulate:call_chain=2 one__add {"a":2} {"a":4,"b":5}'
        words = ("ask", "--offline", "--events", "--mcp", "one", "--allow-tool", "one__*", prompt)
        code, out, err = run(*words, env={"COMETRESP_CONFIG": "config.toml"})
    assert (code, err) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    outputs = [event for event in events if event["type"] == "cometresp.tool_output"]
    assert [(one["name"], one["ok"], one["output"]) for one in outputs] == [
        ("one__add", True, "3"),
        ("one__add", True, "9"),
    ]
    assert events[-1]["response"]["output"][0]["content"][0]["text"].endswith(f"`{outputs[1]['call_id']}`: 9")


def test_a_tool_is_asked_for_at_the_terminal_and_refused_without_one(configured: Command, wire: Wire) -> None:
    wire.answer(calling(call("little__add", arguments='{"a": 2}')), answering("three"))
    words = ("ask", "--mcp", "little", "hi")
    code, out, err, shown = at_terminal(configured, "y", *words)
    assert (code, out, err, shown) == (0, "three\n", "", QUESTION)
    assert wire.bodies()[1]["input"] == [{"type": "function_call_output", "call_id": "call_1", "output": "3"}]
    wire.requests.clear()
    wire.answer(calling(call("little__add", arguments='{"a": 2}')))
    assert tuple(configured(*words)) == (
        5,
        "",
        "cometresp: error: little__add was not allowed to run: there is no terminal to ask on; still open: call_1\n"
        "hint: cometresp continue --mcp little --allow-tool little__add\n",
    )
    assert len(wire.requests) == 1


def test_an_image_is_sent_to_the_model_and_recorded(configured: Command, wire: Wire) -> None:
    wire.answer(calling(call("little__what_is_there_")), answering("a red pixel"))
    from tests.mcp.server import PIXEL  # which needs the SDK

    assert configured("ask", "--mcp", "little", "--approve", "always", "--verbose", "hi").code == 0
    url = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    sent = {"type": "input_image", "image_url": url, "detail": "auto"}
    assert wire.bodies()[1]["input"] == [{"type": "function_call_output", "call_id": "call_1", "output": [sent]}]
    shown = configured("chains", "show").text
    assert f"`function_call_output` call_1: [image/png, {len(PIXEL)} bytes]" in shown
    assert "base64" not in shown


def test_the_servers_tools_stand_in_the_request_that_is_only_shown(configured: Command, wire: Wire) -> None:
    (code, out, err) = configured("ask", "--mcp", "little", "--dry-run", "hi")
    assert (code, err, wire.requests) == (0, "", [])
    assert [tool["name"] for tool in json.loads(out)["tools"]] == [
        "little__add",
        "little__what_is_there_",
        "little__hang",
        "little__show",
    ]


def test_no_secret_of_a_server_is_sent_or_shown_and_what_it_prints_only_with_verbose(
    configured: Command, wire: Wire
) -> None:
    scripts = calling(call("little__show", arguments='{"name":"MINE"}')), answering("done")
    wire.answer(*scripts)
    words = ("ask", "--mcp", "little", "--approve", "always", "hi")
    assert tuple(configured(*words)) == (0, "done\n", "")
    assert wire.bodies()[1]["input"][0]["output"] == "***"
    wire.requests.clear()
    wire.answer(*scripts)
    shown = configured(*words[:-1], "--verbose", "hi").err
    assert "little: asked for MINE\\x1b[31m\n" in shown
    assert "my-secret-value" not in shown


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are looked up in /proc")
def test_an_interrupt_ends_the_server_with_the_run(configured: Command, wire: Wire) -> None:
    wire.answer(calling(call("little__hang")))
    process = configured.popen("ask", "--mcp", "little", "--approve", "always", "hi", stderr=subprocess.PIPE)
    pid = written(configured.home / "hanging")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"cometresp continue --mcp little" in err
    until(lambda: not lives(pid))
