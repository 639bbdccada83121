import json
from typing import Any

import pytest

from .bench import EVERYTHING, KINDS, MCP, WEATHER, Bench, text_of

TIME = {"type": "function", "name": "get_time", "parameters": None}
SHOUT = {"type": "custom", "name": "shout"}
FORCED = {"type": "function", "name": "get_weather"}
ALLOWED = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "get_time"}]}


def calls_of(response: dict[str, Any]) -> list[tuple[str, Any]]:
    calls = [item for item in response["output"] if item["type"].endswith("_call")]
    return [(call["name"], json.loads(call["arguments"]) if "arguments" in call else call["input"]) for call in calls]


@pytest.mark.parametrize(
    ("prompt", "settings", "expected"),
    [
        ("What is the weather?", {}, []),
        ("get_weather Oslo 3", {}, [("get_weather", {"city": "Oslo", "days": 3})]),
        ("Oslo, 3 days: get_weather", {}, [("get_weather", {"city": "Oslo", "days": 3})]),
        ("get_weathers", {}, []),
        ("get_weather Oslo", {"tool_choice": "none"}, []),
        ("Oslo", {"tool_choice": "required"}, [("get_weather", {"city": "Oslo", "days": 1})]),
        ("get_time", {"tool_choice": "required"}, [("get_time", {})]),
        ("Oslo", {"tool_choice": FORCED}, [("get_weather", {"city": "Oslo", "days": 1})]),
        ("get_weather", {"tool_choice": ALLOWED}, [("get_time", {})]),
        ("get_time, get_weather Oslo 3", {}, [("get_time", {}), ("get_weather", {"city": "Oslo", "days": 3})]),
        ("get_time, get_weather Oslo", {"parallel_tool_calls": False}, [("get_time", {})]),
        ("shout hello there", {}, [("shout", "hello there")]),
    ],
)
def test_a_tool_is_called_when_it_is_named_or_demanded(
    bench: Bench, prompt: str, settings: dict[str, Any], expected: list[Any]
) -> None:
    assert calls_of(bench.ask(input=prompt, tools=[WEATHER, TIME, SHOUT], **settings)) == expected


def test_the_outputs_of_tools_are_quoted(bench: Bench) -> None:
    first = bench.ask(input="get_weather Oslo and shout", tools=[WEATHER, SHOUT])
    weather, shout = (item["call_id"] for item in first["output"])
    outputs = [
        {"type": "function_call_output", "call_id": weather, "output": '{"c":4}'},
        {
            "type": "custom_tool_call_output",
            "call_id": shout,
            "output": [
                {"type": "input_text", "text": "OSLO"},
                {"type": "input_file", "filename": "a.bin", "file_data": "data:application/pdf;base64,AAE="},
            ],
        },
    ]
    second = bench.ask(input=outputs, previous_response_id=first["id"], tools=[WEATHER, SHOUT])
    assert text_of(second) == (
        "This is the **emulator**: no model was asked.\n\n"
        "You said:\n\n> get_weather Oslo and shout\n\n"
        f'The tools answered:\n\n- `{weather}`: {{"c":4}}\n- `{shout}`: OSLO file `a.bin` (application/pdf, 2 bytes)'
    )


def test_replayed_calls_need_no_stored_response(bench: Bench) -> None:
    first = bench.ask(input="get_weather Oslo", tools=[WEATHER], store=False)
    output = {"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": "4"}
    items = [{"role": "user", "content": "get_weather Oslo"}, *first["output"], output]
    second = bench.ask(input=items, tools=[WEATHER], store=False)
    assert ([item["type"] for item in second["output"]], "4" in text_of(second)) == (["message"], True)


def test_a_call_without_its_output_is_refused(bench: Bench) -> None:
    first = bench.ask(input="get_weather Oslo", tools=[WEATHER])
    error = bench.refused(input="And now?", previous_response_id=first["id"])
    call_id = first["output"][0]["call_id"]
    assert (error.status, error.param) == (400, "input")
    assert error.message == f"No tool output found for function call {call_id}."


def test_an_output_without_its_call_is_refused(bench: Bench) -> None:
    error = bench.refused(input=[{"type": "function_call_output", "call_id": "call_x", "output": "4"}])
    assert (error.status, error.param) == (400, "input")
    assert error.message == "No tool call found for function call output with call_id call_x."


@pytest.mark.parametrize("kind", ["web search", "file search", "code", "image", "mcp call"])
def test_a_hosted_tool_runs_only_if_it_is_offered_and_asked_for(bench: Bench, kind: str) -> None:
    request = KINDS[kind]
    assert len(bench.ask(**request)["output"]) >= 2
    assert len(bench.ask(input=request["input"])["output"]) == 1
    assert len(bench.ask(input="Hello", tools=request["tools"])["output"]) == 1
    assert len(bench.ask(**request, tool_choice="none")["output"]) == 1
    assert len(bench.ask(**request, max_tool_calls=0)["output"]) == 1
    assert (
        len(bench.ask(**request | {"input": "Hello"}, tool_choice={"type": request["tools"][0]["type"]})["output"]) > 1
    )


def test_citations_point_at_their_place_in_the_text(bench: Bench) -> None:
    part = bench.ask(**KINDS["web search"])["output"][1]["content"][0]
    (cited,) = part["annotations"]
    assert part["text"][cited["start_index"] : cited["end_index"]] == cited["url"]


@pytest.mark.parametrize(("kind", "field"), [("file search", "results"), ("code", "outputs")])
def test_results_of_hosted_tools_are_shown_only_if_included(bench: Bench, kind: str, field: str) -> None:
    shown = bench.ask(**KINDS[kind])["output"][0]
    hidden = bench.ask(**KINDS[kind] | {"include": []})["output"][0]
    assert (bool(shown[field]), hidden[field]) == (True, None)


def test_reasoning_is_encrypted_only_if_included(bench: Bench) -> None:
    plain = bench.ask(input="Hello", reasoning={"summary": "auto"})
    encrypted = bench.ask(input="Hello", reasoning={"summary": "auto"}, include=EVERYTHING)
    assert [item["type"] for item in plain["output"]] == ["reasoning", "message"]
    assert ("encrypted_content" in plain["output"][0], "encrypted_content" in encrypted["output"][0]) == (False, True)
    assert plain["usage"]["output_tokens_details"]["reasoning_tokens"] > 0


@pytest.mark.parametrize(("approve", "types"), [(True, ["mcp_call", "message"]), (False, ["message"])])
def test_an_mcp_call_waits_for_its_approval(bench: Bench, approve: bool, types: list[str]) -> None:
    asked = bench.ask(input="emulate:mcp hello", tools=[MCP])
    assert [item["type"] for item in asked["output"]] == ["mcp_list_tools", "mcp_approval_request"]
    given = {"type": "mcp_approval_response", "approval_request_id": asked["output"][1]["id"], "approve": approve}
    done = bench.ask(input=[given], previous_response_id=asked["id"], tools=[MCP])
    assert [item["type"] for item in done["output"]] == types
    assert "The MCP tool `echo` of `docs` was " + ("approved" if approve else "refused") in text_of(done)


@pytest.mark.parametrize(
    ("rule", "waits"),
    [("always", True), ("never", False), ({"never": {"tool_names": ["echo"]}}, False), ({"always": {}}, True)],
)
def test_require_approval_decides_whether_an_mcp_call_waits(bench: Bench, rule: Any, waits: bool) -> None:
    response = bench.ask(input="emulate:mcp", tools=[MCP | {"require_approval": rule}])
    assert (response["output"][1]["type"] == "mcp_approval_request") == waits


def test_an_approval_without_a_request_is_refused(bench: Bench) -> None:
    error = bench.refused(input=[{"type": "mcp_approval_response", "approval_request_id": "mcpr_x", "approve": True}])
    assert (error.status, error.message) == (400, "No approval request found with id 'mcpr_x'.")


def test_an_mcp_server_s_secrets_are_not_echoed(bench: Bench) -> None:
    response = bench.ask(input="Hello", tools=[MCP | {"authorization": "secret", "headers": {"X-Key": "secret"}}])
    assert response["tools"] == [MCP]


def test_strict_is_echoed_as_true_only_where_the_schema_fits(bench: Bench) -> None:
    loose = {"type": "function", "name": "loose", "parameters": {"type": "object", "properties": {"a": {}}}}
    fitting = {key: value for key, value in WEATHER.items() if key != "strict"}
    assert [tool["strict"] for tool in bench.ask(input="Hello", tools=[loose, fitting])["tools"]] == [False, True]
