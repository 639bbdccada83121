from typing import Any

import pytest

from .bench import STREAMED_KINDS, Bench, types_of

START = ["response.created", "response.in_progress", "response.output_item.added"]
TEXT = [
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
]
CITED = [*TEXT[:2], "response.output_text.annotation.added", *TEXT[2:]]
REASONING = [
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.done",
    "response.reasoning_summary_part.done",
    "response.output_item.done",
    "response.output_item.added",
]
ORDERS = {
    "text": [*START, *TEXT, "response.completed"],
    "refusal": [
        *START,
        "response.content_part.added",
        "response.refusal.delta",
        "response.refusal.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ],
    "incomplete": [*START, *TEXT, "response.incomplete"],
    "failed": [*START, *TEXT[:2], "response.failed"],
    "error": [*START, *TEXT[:2], "error"],
    "reasoning": [*START, *REASONING, *TEXT, "response.completed"],
    "function calls": [
        *START,
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ],
    "custom call": [
        *START,
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.output_item.done",
        "response.completed",
    ],
    "web search": [
        *START,
        "response.web_search_call.in_progress",
        "response.web_search_call.searching",
        "response.web_search_call.completed",
        "response.output_item.done",
        "response.output_item.added",
        *CITED,
        "response.completed",
    ],
    "code": [
        *START,
        "response.code_interpreter_call.in_progress",
        "response.code_interpreter_call_code.delta",
        "response.code_interpreter_call_code.done",
        "response.code_interpreter_call.interpreting",
        "response.code_interpreter_call.completed",
        "response.output_item.done",
        "response.output_item.added",
        *TEXT,
        "response.completed",
    ],
    "image": [
        *START,
        "response.image_generation_call.in_progress",
        "response.image_generation_call.generating",
        "response.image_generation_call.partial_image",
        "response.image_generation_call.completed",
        "response.output_item.done",
        "response.output_item.added",
        *TEXT,
        "response.completed",
    ],
    "mcp approval": [
        *START,
        "response.mcp_list_tools.in_progress",
        "response.mcp_list_tools.completed",
        "response.output_item.done",
        "response.output_item.added",
        "response.output_item.done",
        "response.completed",
    ],
    "mcp call": [
        *START,
        "response.mcp_list_tools.in_progress",
        "response.mcp_list_tools.completed",
        "response.output_item.done",
        "response.output_item.added",
        "response.mcp_call.in_progress",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.completed",
        "response.output_item.done",
        "response.output_item.added",
        *TEXT,
        "response.completed",
    ],
    "background": ["response.created", "response.queued", *START[1:], *TEXT, "response.completed"],
}


@pytest.mark.parametrize("kind", ORDERS)
def test_events_come_in_the_documented_order(bench: Bench, kind: str) -> None:
    assert types_of(bench.stream(**STREAMED_KINDS[kind])) == ORDERS[kind]


@pytest.mark.parametrize("kind", STREAMED_KINDS)
def test_sequence_numbers_rise_by_one_from_zero(bench: Bench, kind: str) -> None:
    events = bench.stream(**STREAMED_KINDS[kind])
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


@pytest.mark.parametrize("kind", STREAMED_KINDS)
def test_deltas_add_up_to_the_text_of_the_done_event(bench: Bench, kind: str) -> None:
    deltas: dict[Any, str] = {}
    done: dict[Any, str] = {}
    for event in bench.stream(**STREAMED_KINDS[kind]):
        name, _, state = event["type"].rpartition(".")
        key = (name, event.get("output_index"), event.get("content_index"), event.get("summary_index"))
        if state == "delta":
            deltas[key] = deltas.get(key, "") + event["delta"]
        full = next(
            (event[field] for field in ("text", "refusal", "arguments", "input", "code") if field in event), None
        )
        if state == "done" and full is not None:
            done[key] = full
    assert deltas == done or kind in ("failed", "failed in background", "error")


def test_the_last_event_has_the_items_of_the_done_events(bench: Bench) -> None:
    events = bench.stream(**STREAMED_KINDS["mcp call"])
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert events[-1]["response"]["output"] == done


def test_a_failed_response_has_the_text_that_was_sent(bench: Bench) -> None:
    *events, failed = bench.stream(input="emulate:failed")
    sent = "".join(event.get("delta", "") for event in events)
    response = failed["response"]
    assert (response["status"], response["error"]["code"], "usage" in response) == ("failed", "server_error", False)
    assert response["output"][0]["content"][0]["text"] == sent
    assert response["output"][0]["status"] == "incomplete"


def test_an_error_event_is_flat(bench: Bench) -> None:
    last = bench.stream(input="emulate:error")[-1]
    assert last == {
        "type": "error",
        "code": "server_error",
        "message": "The emulator failed because the prompt asked it to.",
        "param": None,
        "sequence_number": last["sequence_number"],
    }


@pytest.mark.parametrize(("options", "padded"), [({}, True), ({"include_obfuscation": False}, False)])
def test_only_deltas_are_obfuscated_unless_turned_off(bench: Bench, options: dict[str, bool], padded: bool) -> None:
    events = bench.stream(input="Hello", stream_options=options)
    obfuscated = {event["type"] for event in events if "obfuscation" in event}
    assert obfuscated == ({"response.output_text.delta"} if padded else set())


def test_the_delay_is_waited_between_deltas() -> None:
    bench = Bench(delay=0.05)
    events = bench.stream(input="Hello")
    deltas = sum(1 for event in events if event["type"].endswith(".delta"))
    assert sum(bench.clock.waits) == pytest.approx(0.05 * deltas)
    bench.store.close()


def test_a_slow_stream_takes_a_tenth_of_a_second_for_each_delta(bench: Bench) -> None:
    events = bench.stream(input="emulate:slow")
    deltas = sum(1 for event in events if event["type"].endswith(".delta"))
    assert sum(bench.clock.waits) == pytest.approx(0.1 * deltas)
