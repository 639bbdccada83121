"""The emulator's replies, read by OpenAI's own client."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from openai.types.responses import Response, ResponseFunctionToolCall, ResponseStreamEvent
from pydantic import TypeAdapter

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


def test_an_error_has_its_code_and_parameter(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as caught:
        create(client, input="Hello", temperature=3)
    error = caught.value
    assert (error.status_code, error.param, error.code) == (400, "temperature", "decimal_above_max_value")
    assert error.request_id is not None
    assert f"(request id: {error.request_id})" in error.message


def test_models_are_listed(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["emulator", "emulator-mini"]
    assert client.models.retrieve("emulator").owned_by == "cometresp"
