from typing import Any

import pytest

from cometresp.emulator.errors import ApiError

from .bench import PNG, WEATHER, Bench, text_of


def test_an_answer_names_the_emulator_and_quotes_the_prompt(bench: Bench) -> None:
    assert text_of(bench.ask(input="Hello,\nworld", instructions="Be short.")) == (
        "This is the **emulator**: no model was asked.\n\n"
        "You said:\n\n> Hello,\n> world\n\n"
        "Your instructions: Be short."
    )


def test_a_chained_turn_quotes_the_earlier_prompts(bench: Bench) -> None:
    first = bench.ask(input="One")
    second = bench.ask(input="Two", previous_response_id=first["id"])
    third = bench.ask(input="Three", previous_response_id=second["id"])
    assert text_of(third) == (
        "This is the **emulator**: no model was asked.\n\nYou said:\n\n> Three\n\nEarlier you said:\n\n1. One\n2. Two"
    )
    assert third["previous_response_id"] == second["id"]


def test_replayed_items_and_a_conversation_give_the_same_answer_as_a_chain(bench: Bench) -> None:
    first = bench.ask(input="One")
    chained = bench.ask(input="Two", previous_response_id=first["id"])
    replayed = bench.ask(
        input=[{"role": "user", "content": "One"}, *first["output"], {"role": "user", "content": "Two"}]
    )
    conversation = bench.send("POST", "conversations", {})["id"]
    bench.ask(input="One", conversation=conversation)
    conversing = bench.ask(input="Two", conversation={"id": conversation})
    assert text_of(chained) == text_of(replayed) == text_of(conversing)
    assert chained["usage"] == replayed["usage"] == conversing["usage"]
    assert conversing["conversation"] == {"id": conversation}


def test_a_reference_to_a_stored_item_stands_for_the_item(bench: Bench) -> None:
    call = bench.ask(input="get_weather Oslo 3", tools=[WEATHER])["output"][0]
    answered = [
        {"role": "user", "content": "get_weather Oslo 3"},
        {"type": "item_reference", "id": call["id"]},
        {"type": "function_call_output", "call_id": call["call_id"], "output": "4 degrees"},
    ]
    response = bench.ask(input=answered, tools=[WEATHER])
    assert f"`{call['call_id']}`: 4 degrees" in text_of(response)
    assert bench.call("GET", f"{response['id']}/input_items", order="asc")["data"][1] == call
    assert "1. get_weather" in text_of(bench.ask(input=[{"id": answered[1]["id"]}, *answered[::2], answered[0]]))


def test_a_reference_to_an_item_that_isn_t_stored_is_a_404(bench: Bench) -> None:
    hidden = bench.ask(input="One", store=False)["output"][0]["id"]
    deleted = bench.ask(input="One")
    bench.call("DELETE", deleted["id"])
    for item_id in (hidden, deleted["output"][0]["id"], "msg_x", "msg_\ud800"):
        error = bench.refused(input=[{"type": "item_reference", "id": item_id}])
        assert (error.status, error.param, error.message) == (
            404,
            "input",
            f"Item with id '{item_id}' not found. Items are not persisted when 'store' is false.",
        )


def test_earlier_turns_count_as_input_tokens(bench: Bench) -> None:
    first = bench.ask(input="One two three four")
    second = bench.ask(input="One two three four", previous_response_id=first["id"])
    read = first["usage"]["input_tokens"]
    assert read == 5
    assert second["usage"]["input_tokens"] == 2 * read + first["usage"]["output_tokens"]


def test_instructions_are_not_inherited(bench: Bench) -> None:
    first = bench.ask(input="One", instructions="Be short.")
    second = bench.ask(input="Two", previous_response_id=first["id"])
    assert (second["instructions"], "Be short" in text_of(second)) == (None, False)


def test_a_long_prompt_is_quoted_in_part_with_its_length(bench: Bench) -> None:
    text = text_of(bench.ask(input="word " * 1000))
    assert "word … (5000 characters in all)" in text
    assert len(text) < 1000


def test_attachments_are_named(bench: Bench) -> None:
    content = [
        {"type": "input_text", "text": "Look."},
        {"type": "input_image", "image_url": PNG},
        {"type": "input_image", "image_url": "https://example.org/a.png"},
        {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,aGVsbG8="},
        {"type": "input_file", "file_id": "file-1"},
    ]
    assert text_of(bench.ask(input=[{"role": "user", "content": content}])).endswith(
        "Attached:\n\n"
        "- image (image/png, 8 bytes)\n"
        "- image https://example.org/a.png\n"
        '- file `a.txt` (text/plain, 5 bytes): "hello"\n'
        "- file file-1"
    )


@pytest.mark.parametrize("reason", ["never stored", "deleted", "unknown"])
def test_a_missing_previous_response_is_a_400(bench: Bench, reason: str) -> None:
    response_id = bench.ask(input="One", store=reason != "never stored")["id"]
    if reason == "deleted":
        assert bench.call("DELETE", response_id) == {"id": response_id, "object": "response", "deleted": True}
    if reason == "unknown":
        response_id = "resp_x"
    error = bench.refused(input="Two", previous_response_id=response_id)
    assert (error.status, error.code, error.param, error.message) == (
        400,
        "previous_response_not_found",
        "previous_response_id",
        f"Previous response with id '{response_id}' not found.",
    )


@pytest.mark.parametrize(
    ("method", "action"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")]
)
def test_a_response_that_isn_t_stored_is_a_404(bench: Bench, method: str, action: str) -> None:
    hidden = bench.ask(input="One", store=False)["id"]
    for response_id in (hidden, "resp_x"):
        with pytest.raises(ApiError) as caught:
            bench.call(method, response_id + action)
        assert (caught.value.status, caught.value.message) == (404, f"Response with id '{response_id}' not found.")


def test_a_stored_response_is_fetched_as_it_was_sent(bench: Bench) -> None:
    sent = bench.ask(input="One \ud800", metadata={"k": "v"})
    assert bench.call("GET", sent["id"]) == sent


def listed(bench: Bench, response_id: str, **query: str) -> tuple[list[str], bool]:
    page = bench.call("GET", f"{response_id}/input_items", **query)
    assert (page["object"], page["first_id"], page["last_id"]) == (
        "list",
        page["data"][0]["id"],
        page["data"][-1]["id"],
    )
    return [item["content"][0]["text"] for item in page["data"]], page["has_more"]


def test_input_items_are_paged(bench: Bench) -> None:
    items = [{"role": "user", "content": str(number)} for number in range(25)]
    response_id = bench.ask(input=items)["id"]
    newest_first = [str(number) for number in range(24, -1, -1)]
    assert listed(bench, response_id) == (newest_first[:20], True)
    assert listed(bench, response_id, limit="100", order="asc") == (newest_first[::-1], False)
    page: dict[str, Any] = bench.call("GET", f"{response_id}/input_items", limit="10")
    assert listed(bench, response_id, after=page["last_id"]) == (newest_first[10:], False)


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"order": "up"}, {"after": "msg_x"}])
def test_an_invalid_page_query_is_refused(bench: Bench, query: dict[str, str]) -> None:
    response_id = bench.ask(input="One")["id"]
    with pytest.raises(ApiError) as caught:
        bench.call("GET", f"{response_id}/input_items", **query)
    assert (caught.value.status, caught.value.param) == (400, next(iter(query)))


def test_a_response_without_input_lists_no_items(bench: Bench) -> None:
    response_id = bench.ask(prompt={"id": "pmpt_1"})["id"]
    expected = {"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False}
    assert bench.call("GET", f"{response_id}/input_items") == expected


def test_a_failed_turn_can_be_continued(bench: Bench) -> None:
    failed = bench.ask(input="emulate:failed")
    assert bench.ask(input="Again", previous_response_id=failed["id"], tools=[WEATHER])["status"] == "completed"
