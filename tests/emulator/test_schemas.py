from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.api import schema, validator

from .bench import KINDS, START, STREAMED_KINDS, WEATHER, Bench


@cache
def event_schema(kind: str) -> Draft202012Validator:
    """The schema of one type of event. Validating against the union of all takes seconds."""
    whole = schema("stream_event")
    union = whole["$defs"]["ResponseStreamEvent"]["anyOf"]
    names = [branch["$ref"].rpartition("/")[2] for branch in union]
    found = [name for name in names if kind in whole["$defs"][name]["properties"]["type"]["enum"]]
    assert len(found) == 1, kind
    return Draft202012Validator({"$ref": f"#/$defs/{found[0]}", "$defs": whole["$defs"]})


def problems(known: Draft202012Validator, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:300]}" for error in known.iter_errors(value)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_response_fits_the_schema(bench: Bench, kind: str) -> None:
    assert problems(validator("response"), bench.ask(**KINDS[kind])) == []


@pytest.mark.parametrize("kind", STREAMED_KINDS)
def test_every_event_fits_the_schema(bench: Bench, kind: str) -> None:
    for event in bench.stream(**STREAMED_KINDS[kind]):
        assert problems(event_schema(event["type"]), event) == []


@pytest.mark.parametrize("moment", [0.0, 0.5, 2.0])
def test_a_background_response_fits_the_schema_at_any_time(bench: Bench, moment: float) -> None:
    response_id = bench.ask(input="Hello", background=True)["id"]
    bench.clock.now = START + moment
    assert problems(validator("response"), bench.call("GET", response_id)) == []


def test_a_cancelled_response_fits_the_schema(bench: Bench) -> None:
    response_id = bench.ask(input="Hello", background=True)["id"]
    assert problems(validator("response"), bench.call("POST", f"{response_id}/cancel")) == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "input" in KINDS[kind] and kind != "not stored"])
def test_input_items_fit_the_schema(bench: Bench, kind: str) -> None:
    response_id = bench.ask(**KINDS[kind])["id"]
    assert problems(validator("response_item_list"), bench.call("GET", f"{response_id}/input_items")) == []


def test_replayed_items_and_tool_outputs_fit_the_schema(bench: Bench) -> None:
    first = bench.ask(input="get_weather Oslo", tools=[WEATHER])
    output = {"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": "4"}
    said = [{"role": "user", "content": "get_weather Oslo"}, {"role": "assistant", "content": "One moment."}]
    second = bench.ask(input=[*said, *first["output"], output])
    assert problems(validator("response_item_list"), bench.call("GET", f"{second['id']}/input_items")) == []


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in ("background", "failed", "failed in background")]
)
def test_the_items_of_a_conversation_fit_the_schema(bench: Bench, kind: str) -> None:
    conversation = bench.send("POST", "conversations")["id"]
    response = bench.ask(**KINDS[kind], conversation=conversation)
    page = bench.send("GET", f"conversations/{conversation}/items", order="asc")
    assert page["data"][len(page["data"]) - len(response["output"]) :] == response["output"]
    assert problems(validator("response_item_list"), page) == []
    assert problems(validator("response"), response) == []


def test_a_compaction_fits_the_schema(bench: Bench) -> None:
    compacted = bench.send("POST", "responses/compact", {"model": "m", "input": "Hello"})["output"]
    response = bench.ask(input=[*compacted, {"role": "user", "content": "More"}])
    assert problems(validator("response_item_list"), bench.call("GET", f"{response['id']}/input_items")) == []
    assert problems(validator("create_response"), {"model": "m", "input": compacted}) == []


def test_added_items_fit_the_schema(bench: Bench) -> None:
    conversation = bench.send("POST", "conversations")["id"]
    said = [{"role": role, "content": "Hello"} for role in ("user", "assistant", "developer", "system")]
    added = bench.send("POST", f"conversations/{conversation}/items", {"items": said})
    assert problems(validator("response_item_list"), added) == []
    assert problems(validator("response_item_list"), bench.send("GET", f"conversations/{conversation}/items")) == []
