"""The reducer compared with the official client: both make the same answer from the same stream."""

from typing import Any

import pytest
from openai import OpenAI
from openai.types.responses import Response

from tests.answer.transcripts.build import Json, fed
from tests.answer.transcripts.streams import STREAMS, USAGE, stream
from tests.scripted import Wire, sse


def read_by_the_client(wire: Wire, events: list[Json]) -> tuple[Response, Response]:
    """The response as the client passes on its last event, and as it accumulates it from all of them."""
    wire.answer(sse(*events))
    with OpenAI(base_url=wire.url, api_key="x", max_retries=0) as client:
        *_, passed = client.responses.create(model="m", input="hi", stream=True)
        with client.responses.stream(model="m", input="hi") as followed:
            *_, accumulated = followed
    return (passed.response, accumulated.response)  # type: ignore[union-attr]


def without_nulls(value: Any) -> Any:
    """The client adds fields of its own that are null."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def output_of(response: Response) -> Any:
    return without_nulls(response.to_dict()["output"])


def refusals(output: list[Json]) -> str:
    parts = [part for item in output for part in item.get("content", ())]
    return "".join(part["refusal"] for part in parts if part["type"] == "refusal")


@pytest.mark.parametrize("name", STREAMS)
def test_the_final_answer_is_the_one_that_the_official_client_makes(wire: Wire, name: str) -> None:
    items, how = STREAMS[name]
    events = stream(*items, **how)
    answer = fed(*events)
    assert answer.last_sequence == len(events) - 1
    assert answer.as_response() == events[-1]["response"]
    for theirs in read_by_the_client(wire, events):
        assert without_nulls(answer.output) == output_of(theirs)
        assert answer.text == theirs.output_text + refusals(answer.output)
        assert answer.usage == (theirs.usage.to_dict() if theirs.usage else {})
        assert (answer.id, answer.status) == (theirs.id, theirs.status)


@pytest.mark.parametrize("output", [[], None], ids=["empty", "null"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_terminal_response_without_output_makes_the_same_answer(wire: Wire, name: str, output: Any) -> None:
    items, how = STREAMS[name]
    complete, hollow = stream(*items, **how), stream(*items, **how, output=output)
    answer = fed(*hollow)
    assert answer.as_response() == complete[-1]["response"]
    # The client fills in what is null, but takes an empty list for the answer.
    _, theirs = read_by_the_client(wire, complete if output == [] else hollow)
    assert without_nulls(answer.output) == output_of(theirs)
    assert answer.text == theirs.output_text + refusals(answer.output)
    assert answer.usage == (theirs.usage.to_dict() if theirs.usage else {})
    assert answer.status == theirs.status


@pytest.mark.parametrize("name", [name for name, (_, how) in STREAMS.items() if "status" not in how])
def test_a_stream_of_which_only_the_deltas_came_makes_the_same_text_and_calls(name: str) -> None:
    items, how = STREAMS[name]
    events = stream(*items, **how, output=None)
    kept = [
        event
        for event in events
        if "delta" in event or event["type"] in ("response.completed", "response.output_item.added")
    ]
    whole, answer = fed(*events), fed(*kept)
    assert (answer.text, answer.reasoning, answer.usage) == (whole.text, whole.reasoning, USAGE)
    assert answer.open_calls == whole.open_calls
    assert [item["type"] for item in answer.output] == [item["type"] for item in whole.output]
