"""MCP calls that wait for the user's approval, over a real socket (API 3.2, 4.1 and 6.3)."""

from typing import Any

import pytest

from cometresp.emulator.server import Emulator

from .bench import MCP, WEATHER, text_of
from .talk import Json, Talk, outputs, request

MODES = pytest.mark.parametrize(("stateless", "stream"), [(False, False), (True, False), (False, True), (True, True)])


def types(response: Json) -> list[str]:
    return [item["type"] for item in response["output"]]


def verdict(response: Json, *, approve: bool, **more: Any) -> list[Json]:
    asked = next(item for item in response["output"] if item["type"] == "mcp_approval_request")
    return [{"type": "mcp_approval_response", "approval_request_id": asked["id"], "approve": approve, **more}]


def line_of(response: Json) -> str:
    """The line on emulated tools in an answer."""
    return text_of(response).partition("Emulated tools:\n\n- ")[2]


@MODES
def test_an_approved_call_is_made_and_answered(emulator: Emulator, stateless: bool, stream: bool) -> None:
    talk = Talk(emulator.base_url, {"tools": [MCP]}, stateless, stream)
    asked = talk.say("emulate:mcp hello")
    listed, wanted = asked["output"]
    assert (asked["status"], types(asked)) == ("completed", ["mcp_list_tools", "mcp_approval_request"])
    assert [tool["name"] for tool in listed["tools"]] == [wanted["name"]] == ["echo"]
    done = talk.say(verdict(asked, approve=True))
    assert types(done) == ["mcp_call", "message"]
    assert {key: done["output"][0][key] for key in ("name", "arguments", "output", "error", "approval_request_id")} == {
        "name": "echo",
        "arguments": wanted["arguments"],
        "output": "hello",
        "error": None,
        "approval_request_id": wanted["id"],
    }
    assert line_of(done) == "The MCP tool `echo` of `docs` was approved and emulated."


@MODES
@pytest.mark.parametrize(("more", "reason"), [({}, ""), ({"reason": "too\nrisky"}, " (too risky)")])
def test_a_refused_call_is_not_made(emulator: Emulator, more: Json, reason: str, stateless: bool, stream: bool) -> None:
    talk = Talk(emulator.base_url, {"tools": [MCP]}, stateless, stream)
    done = talk.say(verdict(talk.say("emulate:mcp hello"), approve=False, **more))
    assert types(done) == ["message"]
    assert line_of(done) == f"The MCP tool `echo` of `docs` was refused{reason}, so it wasn't called."


@pytest.mark.parametrize("stateless", [False, True])
def test_an_approval_is_for_one_call(emulator: Emulator, stateless: bool) -> None:
    talk = Talk(emulator.base_url, {"tools": [MCP]}, stateless)
    talk.say(verdict(talk.say("emulate:mcp hello"), approve=True))
    assert types(talk.say("Hello")) == ["message"]
    assert types(talk.say("emulate:mcp again")) == ["mcp_list_tools", "mcp_approval_request"]


@pytest.mark.parametrize("stateless", [False, True])
def test_a_function_may_be_called_before_the_approval_is_asked_for(emulator: Emulator, stateless: bool) -> None:
    talk = Talk(emulator.base_url, {"tools": [MCP, WEATHER]}, stateless)
    first = talk.say("emulate:mcp get_weather Oslo")
    second = talk.say(outputs(first))
    third = talk.say(verdict(second, approve=True))
    assert [types(response)[-1] for response in (first, second, third)] == [
        "function_call",
        "mcp_approval_request",
        "message",
    ]


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        ({}, True),
        ({"require_approval": None}, True),
        ({"require_approval": "always"}, True),
        ({"require_approval": "never"}, False),
        ({"require_approval": {}}, True),
        ({"require_approval": {"never": {"tool_names": ["echo"]}}}, False),
        ({"require_approval": {"never": {"tool_names": ["other"]}}}, True),
        ({"require_approval": {"never": {"tool_names": ["echo"]}, "always": {"tool_names": ["other"]}}}, False),
        ({"require_approval": {"never": {"tool_names": ["echo"]}, "always": {"tool_names": ["echo"]}}}, True),
        ({"require_approval": {"always": {"tool_names": ["other"]}}}, True),
        ({"require_approval": {"never": {"read_only": True}}}, True),
        ({"allowed_tools": ["find"], "require_approval": {"never": {"tool_names": ["find"]}}}, False),
        ({"allowed_tools": {"tool_names": ["find"]}, "require_approval": {"never": {"tool_names": ["find"]}}}, False),
    ],
)
def test_require_approval_names_the_tools_that_wait(emulator: Emulator, rule: Json, asks: bool) -> None:
    response = Talk(emulator.base_url, {"tools": [MCP | rule]}).say("emulate:mcp")
    waiting = ["mcp_list_tools", "mcp_approval_request"]
    assert types(response) == (waiting if asks else ["mcp_list_tools", "mcp_call", "message"])


@pytest.mark.parametrize("rule", ["sometimes", 5, {"never": "echo"}, {"always": {"tool_names": "echo"}}])
def test_an_unknown_value_of_require_approval_is_refused(emulator: Emulator, rule: Any) -> None:
    body = {"model": "m", "input": "Hello", "tools": [MCP | {"require_approval": rule}]}
    reply = request(emulator.base_url, "POST", "/responses", body)
    assert (reply.status, reply.json()["error"]["param"].startswith("tools[0].require_approval")) == (400, True)


@pytest.mark.parametrize("stateless", [False, True])
def test_an_approval_without_a_request_is_refused(emulator: Emulator, stateless: bool) -> None:
    talk = Talk(emulator.base_url, {"tools": [MCP]}, stateless)
    asked = talk.say("emulate:mcp")
    unknown = verdict(asked, approve=True)[0] | {"approval_request_id": "mcpr_x"}
    assert talk.refused([unknown]) == "No approval request found with id 'mcpr_x'."
    other = Talk(emulator.base_url, {"tools": [MCP]}, stateless=True)
    request_id = asked["output"][1]["id"]
    assert other.refused(verdict(asked, approve=True)) == f"No approval request found with id '{request_id}'."


def test_a_prompt_after_an_unanswered_request_is_answered(emulator: Emulator) -> None:
    talk = Talk(emulator.base_url, {"tools": [MCP]})
    talk.say("emulate:mcp")
    assert types(talk.say("Never mind")) == ["message"]
