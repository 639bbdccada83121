from typing import Any

import pytest

from .bench import START, WEATHER, Bench, text_of
from .talk import outputs

Json = dict[str, Any]


def made(bench: Bench, **body: Any) -> str:
    return str(bench.send("POST", "conversations", body)["id"])


def texts(bench: Bench, conversation: str, **query: Any) -> list[str]:
    """The first words of the messages of a page."""
    page = bench.send("GET", f"conversations/{conversation}/items", **query)
    return [item["content"][0]["text"].split("\n")[0] for item in page["data"] if item["type"] == "message"]


ANSWER = "This is the **emulator**: no model was asked."


def test_a_conversation_is_created_fetched_and_changed(bench: Bench) -> None:
    created = bench.send("POST", "conversations", {"metadata": {"k": "v"}})
    place = f"conversations/{created['id']}"
    assert created == {
        "id": created["id"],
        "object": "conversation",
        "created_at": int(START),
        "metadata": {"k": "v"},
    }
    assert created["id"].startswith("conv_")
    assert bench.send("GET", place) == created
    changed = created | {"metadata": {"other": "w"}}
    assert bench.send("POST", place, {"metadata": {"other": "w"}}) == changed
    assert bench.send("GET", place) == changed
    assert bench.send("POST", place, {"metadata": None})["metadata"] == {}


def test_a_conversation_may_be_created_without_a_body(bench: Bench) -> None:
    created = bench.send("POST", "conversations")
    assert created["metadata"] == {}
    assert bench.send("GET", f"conversations/{created['id']}/items") == {
        "object": "list",
        "data": [],
        "first_id": "",
        "last_id": "",
        "has_more": False,
    }


def test_a_response_reads_the_conversation_and_is_appended_to_it(bench: Bench) -> None:
    conversation = made(bench, items=[{"role": "user", "content": "Zero"}, {"role": "assistant", "content": "Yes?"}])
    first = bench.ask(input="One", conversation=conversation)
    second = bench.ask(input="Two", conversation={"id": conversation})
    assert text_of(first).endswith("> One\n\nEarlier you said:\n\n1. Zero")
    assert text_of(second).endswith("> Two\n\nEarlier you said:\n\n1. Zero\n2. One")
    assert (second["conversation"], second["previous_response_id"]) == ({"id": conversation}, None)
    assert texts(bench, conversation, order="asc") == ["Zero", "Yes?", "One", ANSWER, "Two", ANSWER]
    items = bench.send("GET", f"conversations/{conversation}/items", order="asc")["data"]
    assert [items[3], items[5]] == first["output"] + second["output"]
    assert [items[2]] == bench.call("GET", f"{first['id']}/input_items")["data"]


def test_a_streamed_response_is_appended_when_it_ends(bench: Bench) -> None:
    conversation = made(bench)
    stream = bench.opened(input="emulate:slow Hello", conversation=conversation)
    events = [next(stream) for _ in range(10)]
    assert (events[-1]["type"], texts(bench, conversation)) == ("response.output_text.delta", [])
    assert list(stream)[-1]["type"] == "response.completed"
    assert texts(bench, conversation) == [ANSWER, "emulate:slow Hello"]


def test_a_background_response_is_appended_when_it_ends(bench: Bench) -> None:
    conversation = made(bench)
    bench.ask(input="One", conversation=conversation, background=True)
    assert texts(bench, conversation) == []
    bench.clock.now += 1
    assert texts(bench, conversation) == [ANSWER, "One"]


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_a_response_that_doesn_t_complete_is_not_appended(bench: Bench, how: str) -> None:
    conversation = made(bench)
    if how == "cancelled":
        response = bench.ask(input="One", conversation=conversation, background=True)
        bench.call("POST", f"{response['id']}/cancel")
        bench.clock.now += 10
    else:
        bench.ask(input="emulate:failed", conversation=conversation)
    assert texts(bench, conversation) == []
    assert text_of(bench.ask(input="Two", conversation=conversation)).endswith("> Two")


@pytest.mark.parametrize("store", [True, False])
def test_a_conversation_keeps_the_turns_of_responses_that_are_gone(bench: Bench, store: bool) -> None:
    conversation = made(bench)
    response = bench.ask(input="One", conversation=conversation, store=store)
    if store:
        bench.call("DELETE", response["id"])
    assert bench.error("GET", f"responses/{response['id']}")[0] == 404
    assert "1. One" in text_of(bench.ask(input="Two", conversation=conversation))


def test_calls_of_a_conversation_are_answered_in_it(bench: Bench) -> None:
    conversation = made(bench)
    first = bench.ask(input="get_weather Oslo 3", conversation=conversation, tools=[WEATHER])
    assert bench.refused(input="Two", conversation=conversation).status == 400
    second = bench.ask(input=outputs(first, "4 degrees"), conversation=conversation, tools=[WEATHER])
    assert f"`{first['output'][0]['call_id']}`: 4 degrees 1" in text_of(second)


def test_items_are_added_listed_fetched_and_deleted(bench: Bench) -> None:
    conversation = made(bench)
    place = f"conversations/{conversation}/items"
    messages = [{"role": "user", "content": str(number)} for number in range(20)]
    added = bench.send("POST", place, {"items": messages})
    ids = [item["id"] for item in added["data"]]
    assert added == {
        "object": "list",
        "data": [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": str(number)}],
                "type": "message",
                "id": ids[number],
                "status": "completed",
            }
            for number in range(20)
        ],
        "first_id": ids[0],
        "last_id": ids[-1],
        "has_more": False,
    }
    bench.clock.now += 1
    (last,) = bench.send("POST", place, {"items": [{"role": "user", "content": "20"}]})["data"]
    assert texts(bench, conversation) == [str(number) for number in range(20, 0, -1)]
    page = bench.send("GET", place, limit="3", order="asc")
    assert (page["data"], page["has_more"]) == (added["data"][:3], True)
    assert texts(bench, conversation, limit="100", order="asc", after=ids[17]) == ["18", "19", "20"]
    assert bench.send("GET", f"{place}/{last['id']}") == last
    assert bench.send("DELETE", f"{place}/{ids[19]}") == bench.send("GET", f"conversations/{conversation}")
    assert bench.error("GET", f"{place}/{ids[19]}") == (404, "item_id", "not_found")
    assert texts(bench, conversation, limit="2") == ["20", "18"]
    assert bench.refused(input=[{"type": "item_reference", "id": ids[19]}]).status == 404


def test_an_item_that_is_taken_out_of_a_conversation_stays_in_its_response(bench: Bench) -> None:
    conversation = made(bench)
    response = bench.ask(input="One", conversation=conversation)
    message = response["output"][0]
    bench.send("DELETE", f"conversations/{conversation}/items/{message['id']}")
    assert texts(bench, conversation) == ["One"]
    assert bench.call("GET", response["id"]) == response
    assert bench.ask(input=[{"type": "item_reference", "id": message["id"]}])["status"] == "completed"


def test_a_deleted_conversation_is_gone_and_its_items_stay(bench: Bench) -> None:
    conversation = made(bench, items=[{"role": "user", "content": "One"}])
    (item,) = bench.send("GET", f"conversations/{conversation}/items")["data"]
    deleted = bench.send("DELETE", f"conversations/{conversation}")
    assert deleted == {"id": conversation, "object": "conversation.deleted", "deleted": True}
    assert bench.error("GET", f"conversations/{conversation}")[0] == 404
    again = [{"type": "item_reference", "id": item["id"]}, {"role": "user", "content": "Two"}]
    assert "1. One" in text_of(bench.ask(input=again))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "", {"metadata": {}}),
        ("DELETE", "", None),
        ("GET", "/items", None),
        ("POST", "/items", {"items": []}),
        ("GET", "/items/msg_1", None),
        ("DELETE", "/items/msg_1", None),
    ],
)
def test_an_unknown_conversation_is_a_404(bench: Bench, method: str, path: str, body: Json | None) -> None:
    for conversation in ("conv_x", "\ud800"):
        assert bench.error(method, f"conversations/{conversation}{path}", body) == (
            404,
            "conversation_id",
            "not_found",
        )


@pytest.mark.parametrize("value", ["conv_x", {"id": "conv_x"}])
@pytest.mark.parametrize("path", ["responses", "responses/input_tokens"])
def test_a_response_in_an_unknown_conversation_is_a_404(bench: Bench, value: Any, path: str) -> None:
    body = {"model": "m", "input": "Hello", "conversation": value}
    assert bench.error("POST", path, body) == (404, "conversation", "not_found")
    assert bench.refused(input="Hello", conversation=value).message == "Conversation with id 'conv_x' not found."


def test_a_conversation_excludes_a_previous_response(bench: Bench) -> None:
    error = bench.refused(input="Two", conversation=made(bench), previous_response_id=bench.ask(input="One")["id"])
    assert (error.status, error.param, error.code) == (400, "previous_response_id", "mutually_exclusive_parameters")


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("", {"metadata": "x"}, (400, "metadata", "invalid_type")),
        ("", {"metadata": {"k": 1}}, (400, "metadata.k", "invalid_type")),
        ("", {"items": "Hello"}, (400, "items", "invalid_type")),
        ("", {"items": [{"role": "user"}]}, (400, "items[0].content", "missing_required_parameter")),
        ("", {"items": [{"role": "user", "content": "x"}] * 21}, (400, "items", "array_above_max_length")),
        ("/{id}", {}, (400, "metadata", "missing_required_parameter")),
        ("/{id}", {"metadata": {"k" * 65: "v"}}, (400, "metadata", "invalid_value")),
        ("/{id}/items", {}, (400, "items", "missing_required_parameter")),
        ("/{id}/items", {"items": {}}, (400, "items", "invalid_type")),
        ("/{id}/items", {"items": [{"role": "user", "content": "x"}] * 21}, (400, "items", "array_above_max_length")),
        ("/{id}/items", {"items": [{"id": "msg_x"}]}, (404, "input", "not_found")),
    ],
)
def test_a_bad_request_names_its_field(bench: Bench, path: str, body: Json, error: tuple[int, str, str]) -> None:
    assert bench.error("POST", "conversations" + path.format(id=made(bench)), body) == error


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"order": "up"}, {"after": "msg_x"}])
def test_an_invalid_page_query_is_refused(bench: Bench, query: dict[str, Any]) -> None:
    place = f"conversations/{made(bench)}/items"
    assert bench.error("GET", place, **query)[:2] == (400, next(iter(query)))
