"""The requests of a run with tools, after a turn that ends on calls (API 3.2, 4.2)."""

from typing import Any

import pytest

from cometresp.calls.conversation import Conversation, add_usage, without_force
from tests.calls.fakes import function_call

REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
OUTPUT = [{"type": "function_call_output", "call_id": "call_1", "output": "4"}]
BASE = {"model": "m", "input": "hi", "instructions": "be brief", "tools": [], "tool_choice": "required", "stream": True}


def test_a_stored_turn_is_continued_by_its_id() -> None:
    conversation = Conversation(BASE | {"previous_response_id": "resp_0"}, stateless=False)
    body = conversation.follow({"id": "resp_1"}, [function_call("read")], OUTPUT)
    assert body == BASE | {"tool_choice": "auto", "previous_response_id": "resp_1", "input": OUTPUT}
    conversation.stateless = True  # the server turns out not to know ids
    items = [{"role": "user", "content": "hi"}, function_call("read"), *OUTPUT]
    assert conversation.body() == BASE | {"previous_response_id": "resp_0", "tool_choice": "auto", "input": items}


@pytest.mark.parametrize(
    ("base", "response"),
    [
        (BASE | {"store": False}, {"id": "resp_1"}),
        (BASE, {"id": "resp_1", "store": False}),
        (BASE, {}),
    ],
)
def test_if_nothing_is_stored_the_items_are_sent_with_their_reasoning_in_place(
    base: dict[str, Any], response: dict[str, Any]
) -> None:
    conversation = Conversation(base, stateless=False)
    plain = {"type": "reasoning", "id": "rs_2", "summary": []}
    conversation.follow(response, [REASONING, function_call("read"), plain], OUTPUT)
    body = conversation.follow(response | {"id": ""}, [function_call("read", 2)], OUTPUT)
    items = [{"role": "user", "content": "hi"}, REASONING, function_call("read"), *OUTPUT, function_call("read", 2)]
    assert body == base | {"tool_choice": "auto", "input": [*items, *OUTPUT]}


@pytest.mark.parametrize("more", [{}, {"store": False}])
def test_a_conversation_that_the_server_keeps_gets_only_the_outputs(more: dict[str, Any]) -> None:
    base = BASE | {"conversation": "conv_1"} | more
    body = Conversation(base, stateless=False).follow({"id": "resp_1"}, [function_call("read")], OUTPUT)
    assert body == base | {"tool_choice": "auto", "input": OUTPUT}


@pytest.mark.parametrize(
    ("choice", "then"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "auto"),
        ({"type": "function", "name": "read"}, "auto"),
        (
            {"type": "allowed_tools", "mode": "required", "tools": []},
            {"type": "allowed_tools", "mode": "auto", "tools": []},
        ),
    ],
)
def test_a_forced_choice_is_not_forced_again(choice: Any, then: Any) -> None:
    assert without_force(choice) == then


def test_usage_is_summed_whatever_the_server_counts() -> None:
    first = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 1}, "output_tokens": 2, "total_tokens": 3}
    second = {"input_tokens": 4, "input_tokens_details": None, "output_tokens": 5, "total_tokens": 9, "cost": 0.5}
    assert add_usage(add_usage({}, first), second) == {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 1},
        "output_tokens": 7,
        "total_tokens": 12,
        "cost": 0.5,
    }
