"""The emulator's replies, read by OpenAI's own client."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from openai.types.conversations import (
    Conversation,
    ConversationDeletedResource,
    ConversationItem,
    ConversationItemList,
)
from openai.types.responses import (
    CompactedResponse,
    InputTokenCountResponse,
    Response,
    ResponseFunctionToolCall,
    ResponseStreamEvent,
)
from pydantic import BaseModel, TypeAdapter

from cometresp.emulator.server import Emulator

from .bench import KINDS, STREAMED_KINDS, WEATHER

UNION: tuple[Any, ...] = get_args(get_args(ResponseStreamEvent)[0])
CLASSES = {get_args(cls.model_fields["type"].annotation)[0]: cls for cls in UNION}


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> Iterator[OpenAI]:
    with OpenAI(base_url=emulator.base_url, api_key="x", max_retries=0) as made:
        yield made


def create(client: OpenAI, **request: Any) -> Any:
    return client.responses.create(**{"model": "m", **request})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "background" not in kind])
def test_a_whole_response_is_valid_by_the_client_s_own_types(client: OpenAI, kind: str) -> None:
    response = create(client, **KINDS[kind])
    assert type(response) is Response
    TypeAdapter(Response).validate_python(response.to_dict())


@pytest.mark.parametrize("kind", [kind for kind in STREAMED_KINDS if "background" not in kind])
def test_every_event_loads_as_its_own_type(client: OpenAI, kind: str) -> None:
    for event in create(client, stream=True, **STREAMED_KINDS[kind]):
        assert type(event) is CLASSES[event.type]
        type(event).model_validate(event.to_dict())


def test_a_stream_is_retrieved_from_after_an_event(client: OpenAI) -> None:
    events = list(create(client, input="Hello", stream=True))
    response_id = events[0].response.id
    assert client.responses.retrieve(response_id) == events[-1].response
    assert list(client.responses.retrieve(response_id, stream=True, starting_after=7)) == events[8:]


def test_the_client_s_own_stream_gathers_the_final_response(client: OpenAI) -> None:
    with client.responses.stream(model="m", input="Hello") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == text


def test_a_background_response_is_cancelled(client: OpenAI) -> None:
    response = create(client, input="emulate:slow", background=True)
    assert client.responses.cancel(response.id).status == "cancelled"
    assert client.responses.retrieve(response.id).status == "cancelled"


def test_a_deleted_response_is_gone(client: OpenAI) -> None:
    response = create(client, input="Hello")
    client.responses.delete(response.id)
    with pytest.raises(NotFoundError):
        client.responses.retrieve(response.id)


def test_input_items_are_listed_page_by_page(client: OpenAI) -> None:
    items = [{"role": "user", "content": str(number)} for number in range(5)]
    response = create(client, input=items)
    listed = client.responses.input_items.list(response.id, limit=2, order="asc")
    assert [item.to_dict()["content"] for item in listed] == [
        [{"type": "input_text", "text": str(number)}] for number in range(5)
    ]


def test_a_function_call_is_answered_on_the_next_turn(client: OpenAI) -> None:
    first = create(client, input="get_weather Oslo 3", tools=[WEATHER])
    (call,) = first.output
    assert type(call) is ResponseFunctionToolCall
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Oslo", "days": 3})
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "4 degrees"}
    second = create(client, input=[output], previous_response_id=first.id, tools=[WEATHER])
    assert f"`{call.call_id}`: 4 degrees" in second.output_text
    assert second.previous_response_id == first.id


def said(text: str) -> Any:
    return {"role": "user", "content": text}


def test_a_compaction_is_sent_in_place_of_the_turns(client: OpenAI) -> None:
    first = create(client, input="One")
    compacted = client.responses.compact(model="m", previous_response_id=first.id)
    assert type(compacted) is CompactedResponse
    # The client's class for the output knows no messages of the user, though its documentation says that they come.
    received: Any = compacted.to_dict(warnings=False)
    TypeAdapter(CompactedResponse).validate_python(received | {"output": received["output"][1:]})
    TypeAdapter(ConversationItem).validate_python(received["output"][0])
    second = create(client, input=[*received["output"], said("Two")])
    assert second.output_text.endswith("Earlier you said:\n\n1. One")
    assert create(client, input="Three", previous_response_id=second.id).output_text.endswith("1. One\n2. Two")


def test_input_tokens_are_counted_as_the_response_counts_them(client: OpenAI) -> None:
    request: Any = {"model": "m", "input": "get_weather Oslo 3", "tools": [WEATHER], "instructions": "Be short."}
    count = client.responses.input_tokens.count(**request)
    TypeAdapter(InputTokenCountResponse).validate_python(count.to_dict())
    assert count.input_tokens == create(client, **request).usage.input_tokens


def test_a_conversation_has_the_items_of_its_responses(client: OpenAI) -> None:
    conversation = client.conversations.create(metadata={"k": "v"}, items=[said("Zero")])
    TypeAdapter(Conversation).validate_python(conversation.to_dict())
    call = create(client, input="get_weather Oslo 3", conversation=conversation.id, tools=[WEATHER]).output[0]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "4 degrees"}
    answer = create(client, input=[output], conversation={"id": conversation.id}, tools=[WEATHER])
    assert (answer.conversation.id, "1. Zero" in answer.output_text) == (conversation.id, True)
    assert f"`{call.call_id}`: 4 degrees" in answer.output_text
    items = list(client.conversations.items.list(conversation.id, limit=2, order="asc"))
    assert [item.type for item in items] == ["message", "message", "function_call", "function_call_output", "message"]
    for item in items:
        TypeAdapter(ConversationItem).validate_python(item.to_dict())
    assert client.conversations.items.retrieve(items[2].id or "", conversation_id=conversation.id) == items[2]
    updated = client.conversations.update(conversation.id, metadata={"k": "w"})
    assert updated == client.conversations.retrieve(conversation.id)
    assert updated.metadata == {"k": "w"}


def test_a_conversation_s_items_are_added_and_deleted(client: OpenAI) -> None:
    conversation = client.conversations.create()
    added = client.conversations.items.create(conversation.id, items=[said("One"), said("Two")])
    TypeAdapter(ConversationItemList).validate_python(added.to_dict())
    assert client.conversations.items.delete(added.first_id, conversation_id=conversation.id) == conversation
    with pytest.raises(NotFoundError):
        client.conversations.items.retrieve(added.first_id, conversation_id=conversation.id)
    assert [item.id for item in client.conversations.items.list(conversation.id)] == [added.last_id]
    deleted = client.conversations.delete(conversation.id)
    TypeAdapter(ConversationDeletedResource).validate_python(deleted.to_dict())
    with pytest.raises(NotFoundError) as caught:
        create(client, input="Hello", conversation=conversation.id)
    assert (caught.value.param, caught.value.code) == ("conversation", "not_found")


def test_the_phases_of_messages_are_streamed(client: OpenAI) -> None:
    with client.responses.stream(model="m", input="emulate:commentary") as stream:
        for _ in stream:
            pass
        response = stream.get_final_response()
    phases = [item.phase for item in response.output if item.type == "message"]
    assert phases == ["commentary", "final_answer"]
    again: Any = [said("emulate:commentary"), *(item.to_dict() for item in response.output), said("More")]
    assert create(client, input=again).output_text.endswith("1. emulate:commentary")


def test_an_answer_is_parsed_into_a_class(client: OpenAI) -> None:
    class Person(BaseModel):
        name: str
        age: int

    assert client.responses.parse(model="m", input="Ada, 36", text_format=Person).output_parsed == Person(
        name="Ada", age=36
    )


def test_an_error_has_its_code_and_parameter(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as caught:
        create(client, input="Hello", temperature=3)
    error = caught.value
    assert (error.status_code, error.param, error.code) == (400, "temperature", "decimal_above_max_value")
    assert error.request_id is not None
    assert f"(request id: {error.request_id})" in error.message


def test_models_are_listed(client: OpenAI) -> None:
    names = "emulator emulator-mini emulator-large emulator-free emulator-unpriced emulator-image emulator-chat"
    assert [model.id for model in client.models.list()] == names.split()
    assert client.models.retrieve("emulator").owned_by == "cometresp"
