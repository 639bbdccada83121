"""`POST /responses/compact` and `POST /responses/input_tokens`."""

import base64
from typing import Any

import pytest

from .bench import KINDS, MCP, PNG, START, WEATHER, Bench, text_of
from .talk import outputs

Json = dict[str, Any]


def compacted(bench: Bench, **body: Any) -> Json:
    return bench.send("POST", "responses/compact", {"model": "m", **body})


def counted(bench: Bench, **body: Any) -> Json:
    return bench.send("POST", "responses/input_tokens", {"model": "m", **body})


def talk(bench: Bench, *prompts: str) -> Json:
    """The last response of a chain."""
    previous = None
    for prompt in prompts:
        response = bench.ask(input=prompt, previous_response_id=previous)
        previous = response["id"]
    return response


def user(text: str) -> Json:
    return {"role": "user", "content": text}


def test_a_compaction_keeps_the_user_s_messages_and_ends_with_the_compaction_item(bench: Bench) -> None:
    last = talk(bench, "One", "Two")
    result = compacted(bench, previous_response_id=last["id"], instructions="Be short.")
    *kept, item = result["output"]
    content = item["encrypted_content"]
    read = last["usage"]["total_tokens"] + 3
    assert [(message["role"], message["content"][0]["text"]) for message in kept] == [("user", "One"), ("user", "Two")]
    assert item == {"id": item["id"], "type": "compaction", "encrypted_content": content}
    assert (item["id"][:4], result["id"][:5]) == ("cmp_", "resp_")
    assert result == {
        "id": result["id"],
        "object": "response.compaction",
        "created_at": int(START),
        "output": [*kept, item],
        "usage": {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": -(-len(content) // 4),
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read - (-len(content) // 4),
        },
    }
    assert bench.error("GET", f"responses/{result['id']}")[0] == 404


def test_equal_turns_are_compacted_into_equal_content(bench: Bench) -> None:
    by_id = compacted(bench, previous_response_id=talk(bench, "One", "Two")["id"])
    sent = [user("One"), {"role": "assistant", "content": "First answer."}, user("Two"), *talk(bench, "x")["output"]]
    by_items = compacted(bench, input=sent)
    content = by_id["output"][-1]["encrypted_content"]
    assert content == by_items["output"][-1]["encrypted_content"]
    assert base64.b64decode(content.removeprefix("emulated-"), validate=True)
    assert "One" not in content


@pytest.mark.parametrize("alone", [False, True])
def test_a_compaction_stands_for_its_turns(bench: Bench, alone: bool) -> None:
    output = compacted(bench, previous_response_id=talk(bench, "One", "Two")["id"])["output"]
    response = bench.ask(input=[*output[-1 if alone else 0 :], user("Three")])
    chained = talk(bench, "One", "Two", "Three")
    assert text_of(response) == text_of(chained)
    assert response["usage"]["input_tokens"] == 1 + 1 + 2
    assert response["usage"]["input_tokens"] < chained["usage"]["input_tokens"]
    # The compaction is part of the turn, so later turns know it too.
    later = bench.ask(input="Four", previous_response_id=response["id"])
    assert text_of(later).endswith("1. One\n2. Two\n3. Three")
    listed = bench.call("GET", f"{response['id']}/input_items", order="asc")["data"]
    assert [item["type"] for item in listed] == ["message"] * (0 if alone else 2) + ["compaction", "message"]


def test_a_compaction_of_a_compaction_knows_all_turns(bench: Bench) -> None:
    first = compacted(bench, input=[user("One"), {"role": "assistant", "content": "Yes."}])["output"]
    second = compacted(bench, input=[*first, user("Two")])["output"]
    assert [item["type"] for item in second] == ["message", "message", "compaction"]
    assert text_of(bench.ask(input=[second[-1], user("Three")])).endswith("1. One\n2. Two")
    assert text_of(bench.ask(input=[*second, user("Three")])).endswith("1. One\n2. Two")


def test_a_compaction_in_a_conversation_stands_for_its_turns(bench: Bench) -> None:
    item = compacted(bench, input=[user("One")])["output"][-1]
    conversation = bench.send("POST", "conversations", {"items": [item]})["id"]
    assert "1. One" in text_of(bench.ask(input="Two", conversation=conversation))
    assert text_of(bench.ask(input="Three", conversation=conversation)).endswith("1. One\n2. Two")


def test_a_compaction_of_the_turns_that_it_is_sent_after_counts_once(bench: Bench) -> None:
    last = talk(bench, "One", "Two")
    item = compacted(bench, previous_response_id=last["id"])["output"][-1]
    response = bench.ask(input=[item, user("Three")], previous_response_id=last["id"])
    assert text_of(response).endswith("1. One\n2. Two")


def test_other_messages_before_a_compaction_stay(bench: Bench) -> None:
    item = compacted(bench, input=[user("One")])["output"][-1]
    assert text_of(bench.ask(input=[user("Zero"), item, user("Two")])).endswith("1. Zero\n2. One")


def test_calls_and_outputs_since_the_prompt_survive_a_compaction(bench: Bench) -> None:
    first = bench.ask(input="emulate:call_chain=2 get_weather Oslo 3", tools=[WEATHER])
    answered = outputs(first, "4 degrees")
    item = compacted(bench, input=answered, previous_response_id=first["id"])["output"][-1]
    second = bench.ask(input=[item], tools=[WEATHER])
    assert [each["type"] for each in second["output"]] == ["function_call"]
    last = bench.ask(input=[item, *second["output"], *outputs(second, "5 degrees")], tools=[WEATHER])
    assert "4 degrees 1\n" in text_of(last)
    assert "5 degrees 1" in text_of(last)


def test_an_approval_survives_a_compaction(bench: Bench) -> None:
    first = bench.ask(input="emulate:mcp Hello", tools=[MCP])
    item = compacted(bench, previous_response_id=first["id"])["output"][-1]
    approval = {"type": "mcp_approval_response", "approval_request_id": first["output"][-1]["id"], "approve": True}
    second = bench.ask(input=[item, approval], tools=[MCP])
    assert [each["type"] for each in second["output"]] == ["mcp_call", "message"]


def test_an_attachment_is_known_if_its_message_is_sent_along(bench: Bench) -> None:
    look = {
        "role": "user",
        "content": [{"type": "input_text", "text": "Look."}, {"type": "input_image", "image_url": PNG}],
    }
    kept, item = compacted(bench, input=[look])["output"]
    assert "image (image/png, 8 bytes)" in text_of(bench.ask(input=[kept, item]))
    assert "Attached" not in text_of(bench.ask(input=[item]))


@pytest.mark.parametrize("content", ["gAAAAABpM0Yj", "emulated-!", "emulated-e30=", "emulated-W1", "bnVsbA==", ""])
def test_a_compaction_of_another_server_is_a_400(bench: Bench, content: str) -> None:
    error = bench.refused(input=[{"type": "compaction", "encrypted_content": content}, user("Two")])
    assert (error.status, error.param, error.code) == (400, "input", "invalid_encrypted_content")
    assert error.message == f"The encrypted content {content} could not be verified: it isn't the emulator's."


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"input": "One"}, (500, "model", "invalid_request")),
        ({"model": None, "input": "One"}, (500, "model", "invalid_request")),
        ({"model": "m"}, (500, "input", "invalid_request")),
        ({"model": "m", "input": []}, (500, "input", "invalid_request")),
        ({"model": "no-such", "input": "One"}, (503, "model", "model_not_found")),
        ({"model": "m", "input": 1}, (400, "input", "invalid_type")),
        ({"model": "m", "input": [{"role": "user"}]}, (400, "input[0].content", "missing_required_parameter")),
        ({"model": "m", "input": "One", "instructions": 1}, (400, "instructions", "invalid_type")),
        ({"model": "m", "input": "One", "service_tier": 1}, (400, "service_tier", "invalid_type")),
        (
            {"model": "m", "input": "One", "prompt_cache_key": "x" * 65},
            (400, "prompt_cache_key", "string_above_max_length"),
        ),
        ({"model": "m", "previous_response_id": "x"}, (400, "previous_response_id", "previous_response_not_found")),
    ],
)
def test_a_bad_compaction_names_its_field(bench: Bench, body: Json, error: tuple[int, str, str]) -> None:
    assert bench.error("POST", "responses/compact", body) == error


# input tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "background" not in kind and kind != "failed"])
def test_the_tokens_are_those_that_a_response_reports(bench: Bench, kind: str) -> None:
    expected = bench.ask(**KINDS[kind])["usage"]["input_tokens"]
    assert counted(bench, **KINDS[kind]) == {"object": "response.input_tokens", "input_tokens": expected}


def test_earlier_turns_count(bench: Bench) -> None:
    last = talk(bench, "One", "Two")
    conversation = bench.send("POST", "conversations", {"items": [user("One")]})["id"]
    for more in ({"previous_response_id": last["id"]}, {"conversation": conversation}):
        number = counted(bench, input="Three", **more)["input_tokens"]
        assert number == bench.ask(input="Three", **more)["usage"]["input_tokens"]
        assert number > 2
    assert bench.send("GET", f"conversations/{conversation}/items", order="asc")["data"][0]["role"] == "user"


def test_a_count_leaves_the_conversation_as_it_is(bench: Bench) -> None:
    conversation = bench.send("POST", "conversations")["id"]
    counted(bench, input="One", conversation=conversation)
    assert bench.send("GET", f"conversations/{conversation}/items")["data"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"input": "Hello", "temperature": 3},
        {"input": "Hello", "previous_response_id": "resp_x"},
        {"input": "Hello", "conversation": "conv_x"},
        {"input": "Hello", "model": "no-such"},
        {"input": []},
        {"input": [{"type": "function_call_output", "call_id": "c", "output": ""}]},
        {"input": [{"type": "item_reference", "id": "msg_x"}]},
        {"input": "Hello", "text": {"format": {"type": "json_object"}}},
    ],
)
def test_a_request_that_would_be_refused_isn_t_counted(bench: Bench, fields: Json) -> None:
    error = bench.refused(**fields)
    assert bench.error("POST", "responses/input_tokens", {"model": "m", **fields}) == (
        error.status,
        error.param,
        error.code,
    )
