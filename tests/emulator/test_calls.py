"""The `emulate:` words that make the emulator call the user's tools, over a real socket, in a tool loop."""

import json
from typing import Any

import pytest

from cometresp.emulator.server import Emulator

from .bench import WEATHER, text_of
from .talk import Json, Talk, outputs, request

TIME: Json = {"type": "function", "name": "get_time", "parameters": None}
SHOUT: Json = {"type": "custom", "name": "shout"}
OSLO = ("get_weather", '{"city":"text","days":1}')
NOW = ("get_time", "{}")
MODES = [(False, False), (True, False), (False, True), (True, True)]
modes = pytest.mark.parametrize(("stateless", "stream"), MODES)


def calls_of(response: Json) -> list[tuple[str, str]]:
    calls = [item for item in response["output"] if item["type"] in ("function_call", "custom_tool_call")]
    return [(call["name"], call.get("arguments", call.get("input"))) for call in calls]


def loop(talk: Talk, prompt: str, rounds: int = 10, **more: Any) -> tuple[list[list[tuple[str, str]]], str]:
    """Send outputs until a response has no calls; the calls of each response, and the text of the last."""
    response = talk.say(prompt, **more)
    made: list[list[tuple[str, str]]] = []
    while (calls := calls_of(response)) and len(made) < rounds:
        made.append(calls)
        response = talk.say(outputs(response, f"round {len(made)}"), **more)
    return made, text_of(response)


def answers_in(text: str) -> list[str]:
    """The outputs that an answer quotes."""
    return [line.partition("`: ")[2] for line in text.splitlines() if line.startswith("- `call_")]


@modes
@pytest.mark.parametrize(
    ("prompt", "made", "quoted"),
    [
        ("emulate:call", [[OSLO]], ["round 1 1"]),
        ("emulate:call get_time", [[NOW]], ["round 1 1"]),
        ("emulate:call get_time and get_weather", [[NOW]], ["round 1 1"]),
        ("emulate:calls=2", [[OSLO, NOW]], ["round 1 1", "round 1 2"]),
        ("emulate:calls", [[OSLO, NOW]], ["round 1 1", "round 1 2"]),
        ("emulate:calls=2 get_time", [[NOW, NOW]], ["round 1 1", "round 1 2"]),
        ("emulate:call_chain=3", [[OSLO], [NOW], [OSLO]], ["round 1 1", "round 2 1", "round 3 1"]),
        ("emulate:call_chain get_time", [[NOW], [NOW], [NOW]], ["round 1 1", "round 2 1", "round 3 1"]),
        (
            "emulate:calls=2 emulate:call_chain=2",
            [[OSLO, NOW], [OSLO, NOW]],
            ["round 1 1", "round 1 2", "round 2 1", "round 2 2"],
        ),
        ("emulate:unknown_call", [[("no_such_function", OSLO[1])]], ["round 1 1"]),
        ("emulate:broken_call", [[("get_weather", OSLO[1][:-1])]], ["round 1 1"]),
        ("emulate:broken_call get_time", [[("get_time", "{")]], ["round 1 1"]),
        (
            "emulate:unknown_call emulate:call_chain=2",
            [[("no_such_function", OSLO[1])], [("no_such_function", "{}")]],
            ["round 1 1", "round 2 1"],
        ),
    ],
)
def test_a_command_makes_its_calls_and_then_comes_the_answer(
    emulator: Emulator, prompt: str, made: list[Any], quoted: list[str], stateless: bool, stream: bool
) -> None:
    talk = Talk(emulator.base_url, {"tools": [WEATHER, TIME]}, stateless, stream)
    calls, text = loop(talk, prompt)
    assert (calls, answers_in(text)) == (made, quoted)


@modes
def test_an_endless_call_is_made_again_after_each_output(emulator: Emulator, stateless: bool, stream: bool) -> None:
    talk = Talk(emulator.base_url, {"tools": [WEATHER, TIME]}, stateless, stream)
    assert loop(talk, "emulate:endless_call", rounds=8) == ([[OSLO]] * 8, "")
    call_ids = [item["call_id"] for item in talk.items if item.get("type") == "function_call"]
    assert len(set(call_ids)) == 9


def transcript(talk: Talk) -> str:
    """All items and texts, with the ids that differ from run to run numbered in the order of their first use."""
    text = json.dumps([{key: item[key] for key in sorted(item)} for item in talk.items])
    for item in talk.items:
        for key in ("id", "call_id"):
            text = text.replace(item.get(key) or "\0", f"{key} {talk.items.index(item)}")
    return text


@pytest.mark.parametrize("prompt", ["emulate:call_chain=3 emulate:reasoning", "emulate:calls=2", "get_weather Oslo"])
def test_a_conversation_is_the_same_with_and_without_stored_responses(emulator: Emulator, prompt: str) -> None:
    transcripts = []
    for stateless in (False, True):
        settings: Json = {"tools": [WEATHER, TIME], "include": ["reasoning.encrypted_content"]}
        talk = Talk(emulator.base_url, settings, stateless)
        talk.say("Hello")
        loop(talk, prompt)
        talk.say("Thank you")
        transcripts.append(transcript(talk))
    assert transcripts[0] == transcripts[1]


def test_words_of_an_earlier_prompt_have_no_effect(emulator: Emulator) -> None:
    talk = Talk(emulator.base_url, {"tools": [WEATHER]})
    first = talk.say("emulate:endless_call")
    second = talk.say([*outputs(first), {"role": "user", "content": "Enough"}])
    third = talk.say("Sure?")
    assert (calls_of(second), answers_in(text_of(second)), answers_in(text_of(third))) == ([], ["done 1"], [])


@pytest.mark.parametrize("stateless", [False, True])
@pytest.mark.parametrize(
    ("prompt", "made"),
    [
        ("emulate:calls=2", [[OSLO], [NOW]]),
        ("emulate:calls=2 emulate:call_chain=2", [[OSLO], [NOW], [OSLO], [NOW]]),
        ("get_time get_weather", [[NOW]]),
    ],
)
def test_without_parallel_calls_they_come_one_by_one(
    emulator: Emulator, prompt: str, made: list[Any], stateless: bool
) -> None:
    talk = Talk(emulator.base_url, {"tools": [WEATHER, TIME], "parallel_tool_calls": False}, stateless)
    assert loop(talk, prompt)[0] == made


def test_a_pair_may_be_replayed_as_call_output_call_output(emulator: Emulator) -> None:
    settings: Json = {"tools": [WEATHER]}
    talk = Talk(emulator.base_url, settings, stateless=True)
    first = talk.say("emulate:calls=2 emulate:call_chain=2")
    prompt, *calls = talk.items
    mixed = [item for pair in zip(calls, outputs(first), strict=True) for item in pair]
    again = Talk(emulator.base_url, settings, stateless=True, items=(prompt,))
    assert calls_of(again.say(mixed)) == calls_of(first)


@pytest.mark.parametrize(
    ("prompt", "made"),
    [
        ('emulate:call get_weather {"city":"Oslo"}', [("get_weather", '{"city":"Oslo"}')]),
        ('emulate:call {"city":"Oslo"}', [("get_weather", '{"city":"Oslo"}')]),
        ('emulate:call get_time\n{ "zone" : "CET" }', [("get_time", '{ "zone" : "CET" }')]),
        ('get_weather {"city":"Ås"}', [("get_weather", '{"city":"Ås"}')]),
        ('get_weather for {"city":"Oslo"}', [("get_weather", '{"city":"for","days":1}')]),
        ('get_weather {"city":', [("get_weather", '{"city":"city","days":1}')]),
        ('emulate:call get_time {"tool":"get_weather"}', [("get_time", '{"tool":"get_weather"}')]),
        (
            'emulate:calls=2 get_weather {"city":"Oslo"} get_time {"zone":"CET"}',
            [("get_weather", '{"city":"Oslo"}'), ("get_time", '{"zone":"CET"}')],
        ),
        (
            'emulate:calls=2 get_weather {"city":"Oslo"} {"city":"Rome"}',
            [("get_weather", '{"city":"Oslo"}'), ("get_weather", '{"city":"Rome"}')],
        ),
        ('emulate:calls=2 {"city":"Oslo"}', [("get_weather", '{"city":"Oslo"}')] * 2),
        ('emulate:unknown_call {"city":"Oslo"}', [("no_such_function", '{"city":"Oslo"}')]),
        ('emulate:broken_call get_weather {"city":"Oslo"}', [("get_weather", '{"city":"Oslo"')]),
        ("emulate:call shout hello there", [("shout", "hello there")]),
        ('emulate:call shout {"loud":1}', [("shout", '{"loud":1}')]),
        ("emulate:broken_call shout hello", [("get_weather", '{"city":"shout","days":1')]),
    ],
)
def test_a_json_object_after_the_command_or_the_name_is_the_arguments(
    emulator: Emulator, prompt: str, made: list[tuple[str, str]]
) -> None:
    talk = Talk(emulator.base_url, {"tools": [WEATHER, TIME, SHOUT]})
    assert calls_of(talk.say(prompt)) == made


@pytest.mark.parametrize("stateless", [False, True])
def test_custom_tools_are_called_and_answered_too(emulator: Emulator, stateless: bool) -> None:
    talk = Talk(emulator.base_url, {"tools": [SHOUT]}, stateless)
    calls, text = loop(talk, "emulate:call_chain=2 shout hello")
    assert (calls, answers_in(text)) == ([[("shout", "hello")]] * 2, ["round 1 1", "round 2 1"])


@pytest.mark.parametrize("tools", [[], [{"type": "web_search"}]])
def test_without_function_or_custom_tools_nothing_is_called(emulator: Emulator, tools: list[Json]) -> None:
    talk = Talk(emulator.base_url, {"tools": tools})
    assert [item["type"] for item in talk.say("emulate:calls=2 emulate:unknown_call")["output"]] == ["message"]


@pytest.mark.parametrize("stateless", [False, True])
@pytest.mark.parametrize(
    "choice",
    [
        "required",
        {"type": "function", "name": "get_weather"},
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "get_weather"}]},
    ],
)
def test_a_demanded_call_is_made_in_every_response_until_the_choice_is_auto(
    emulator: Emulator, choice: Any, stateless: bool
) -> None:
    talk = Talk(emulator.base_url, {"tools": [WEATHER, TIME]}, stateless)
    response = talk.say("Oslo", tool_choice=choice)
    for _ in range(4):
        assert calls_of(response) == [("get_weather", '{"city":"Oslo","days":1}')]
        response = talk.say(outputs(response), tool_choice=choice)
    assert calls_of(talk.say(outputs(response))) == []


def test_tool_choice_none_prevents_every_call(emulator: Emulator) -> None:
    talk = Talk(emulator.base_url, {"tools": [WEATHER], "tool_choice": "none"})
    assert calls_of(talk.say("emulate:endless_call get_weather")) == []


@modes
def test_reasoning_comes_before_each_call_and_is_encrypted_where_it_is_included(
    emulator: Emulator, stateless: bool, stream: bool
) -> None:
    settings: Json = {"tools": [WEATHER], "include": ["reasoning.encrypted_content"]}
    talk = Talk(emulator.base_url, settings, stateless, stream)
    loop(talk, "emulate:reasoning emulate:call_chain=2")
    turn = ["reasoning", "function_call", "function_call_output"]
    assert [item.get("type") for item in talk.items] == [None, *turn, *turn, "reasoning", "message"]
    assert all("encrypted_content" in item for item in talk.items if item.get("type") == "reasoning")
    plain = Talk(emulator.base_url, {"tools": [WEATHER]}).say("emulate:reasoning emulate:call")
    assert [("encrypted_content" in item) for item in plain["output"]] == [False, False]


CALL: Json = {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"}
OUTPUT: Json = {"type": "function_call_output", "call_id": "call_1", "output": "4"}
CUSTOM: Json = {"type": "custom_tool_call_output", "call_id": "call_1", "output": "4"}
NO_CALL = "No tool call found for function call output with call_id call_1."
NO_OUTPUT = "No tool output found for function call call_1."


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([OUTPUT], NO_CALL),
        ([OUTPUT, CALL], NO_CALL),
        ([CALL], NO_OUTPUT),
        ([CALL, {"role": "user", "content": "Hello"}], NO_OUTPUT),
        ([CALL, CUSTOM], "No tool call found for custom tool call output with call_id call_1."),
    ],
)
def test_a_call_requires_its_output_and_an_output_its_call(emulator: Emulator, items: list[Json], message: str) -> None:
    body = {"model": "m", "input": items, "store": False}
    reply = request(emulator.base_url, "POST", "/responses", body)
    error = reply.json()["error"]
    assert (reply.status, error["param"], error["message"].partition(" (request")[0]) == (400, "input", message)


@pytest.mark.parametrize("stateless", [False, True])
def test_every_open_call_requires_an_output(emulator: Emulator, stateless: bool) -> None:
    talk = Talk(emulator.base_url, {"tools": [WEATHER]}, stateless)
    first = talk.say("emulate:calls=2")
    given = outputs(first)
    missing = f"No tool output found for function call {given[1]['call_id']}."
    assert [talk.refused("Never mind"), talk.refused(given[:1])] == [
        missing.replace(given[1]["call_id"], given[0]["call_id"]),
        missing,
    ]
    assert answers_in(text_of(talk.say(given))) == ["done 1", "done 2"]
