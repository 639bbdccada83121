"""The reducer: the answer that a sequence of events makes, however incomplete or odd it is (API 7 and 12)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.answer.answer import Answer
from cometresp.wire.events import Event
from cometresp.wire.items import open_calls, text_of
from tests.answer.transcripts.anything import KINDS, cuts, streams
from tests.answer.transcripts.build import (
    FULL,
    Json,
    added,
    at,
    end,
    ev,
    fed,
    finished,
    full,
    msg,
    opened,
    part,
    shown,
    text,
)
from tests.api import EVENTS

# finding the item ------------------------------------------------------------------------------------------------


def test_items_are_found_by_output_index_whatever_their_ids_say() -> None:
    events = [added(opened("a"), output_index=0), added(opened("b"), output_index=1)]
    events += [text(word, **at(n, item_id=f"x{k}")) for k, (n, word) in enumerate([(1, "C"), (0, "A"), (0, "B")])]
    assert fed(*events, end()).output == [msg(part("AB"), name="a"), msg(part("C"), name="b")]


def test_items_are_found_by_id_if_there_is_no_index_added_or_not() -> None:
    events = [added(opened("a")), added(opened("b")), text("A", item_id="a"), text("B", item_id="b")]
    whole = [msg(part("A"), name="a"), msg(part("B"), name="b")]
    for sent in (events, events[2:], [*events, *map(finished, whole)]):
        assert fed(*sent, end()).output == whole


def test_an_event_without_index_and_id_refers_to_the_item_opened_last() -> None:
    call: Json = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "", "status": "in_progress"}
    events = [
        added({"type": "reasoning", "summary": []}),
        ev("reasoning_text.delta", delta="hm"),
        added({"type": "message", "role": "assistant", "status": "in_progress", "content": []}),
        ev("content_part.added", part=part("")),
        *map(text, ("A", "B")),
        ev("output_text.done", text="AB"),
        ev("content_part.done", part=part("AB")),
        added(call),
        ev("function_call_arguments.delta", delta="{}"),
    ]
    answer = fed(*events, end())
    assert answer.output == [
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
        {"type": "message", "role": "assistant", "status": "completed", "content": [part("AB")]},
        call | {"arguments": "{}", "status": "completed"},
    ]
    assert answer.reasoning == "hm"
    assert shown(*events)[0] == ["A", "B"]


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "never closed"])
def test_several_items_that_all_have_index_0_are_kept_apart(closed: bool) -> None:
    thought: Json = {"id": "rs", "type": "reasoning", "summary": [], "status": "completed"}
    events = [added(thought, output_index=0), finished(thought, output_index=0)][: 1 + closed]
    for name, word in (("a", "A"), ("b", "B")):
        events += [added(opened(name), output_index=0), text(word, **at(0, item_id=name))]
        events += [ev("output_text.done", text=word + "!", **at(0, item_id=name))]
        events += [finished(msg(part(word + "!"), name=name), output_index=0)] * closed
    assert fed(*events, end()).output == [thought, msg(part("A!"), name="a"), msg(part("B!"), name="b")]


def test_a_finished_item_with_unknown_id_and_index_completes_the_open_item_of_its_type() -> None:
    answer = fed(added(opened("a")), text("A", item_id="z"), finished(msg(part("A"), name="y")), end())
    assert answer.output == [msg(part("A"), name="y")]


def test_an_item_added_after_its_first_delta_is_the_same_item() -> None:
    answer = fed(text("A", **at(0, item_id="x")), added(opened("a"), output_index=0), text("B", **at(0)), end())
    assert answer.output == [msg(part("AB"), name="a")]


def test_a_repeated_event_counts_once_unless_its_number_is_0() -> None:
    assert fed(text("A", sequence_number=1), text("A", sequence_number=1)).text == "A"
    assert fed(text("A", sequence_number=0), text("A", sequence_number=0)).text == "AA"


@pytest.mark.parametrize("wrong", [None, True, -1, "0", 0.0, [0], {}], ids=repr)
def test_an_index_that_is_no_natural_number_is_ignored(wrong: Any) -> None:
    answer = fed(
        added(opened("a"), output_index=wrong),
        text("A", output_index=wrong, content_index=wrong, sequence_number=wrong),
        ev("output_text.annotation.added", output_index=wrong, annotation_index=wrong, annotation={"n": 1}),
    )
    expected = opened("a", content=[part("A", annotations=[{"n": 1}])])
    assert (answer.output, answer.last_sequence) == ([expected], None)


# the full value --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "contradicted"), [("AB", False), ("ABC", False), ("X", True)])
@pytest.mark.parametrize("kind", FULL)
def test_the_full_value_wins_over_what_came_before_it(value: str, contradicted: bool, kind: str) -> None:
    event = full(kind, part(value))
    events = [added(opened("msg"), output_index=0), text("A", **at(0)), text("B", **at(0)), event]
    assert fed(*events, text("late", **at(0)) if kind in ("text", "part") else event, end()).text == value
    assert shown(*events, end()) == (["A", "B", "C"] if value == "ABC" else ["A", "B"], contradicted)


@pytest.mark.parametrize("kind", FULL)
@pytest.mark.parametrize("content", [part("No."), {"type": "refusal", "refusal": "No."}], ids=lambda part: part["type"])
def test_text_or_a_refusal_may_come_without_deltas(kind: str, content: Json) -> None:
    events = [full(kind, content), end()]
    answer = fed(*events)
    assert (answer.text, answer.refused, shown(*events)) == ("No.", content["type"] == "refusal", (["No."], False))


@pytest.mark.parametrize("output", [[], None, "none", [None, 1]], ids=repr)
def test_a_terminal_response_without_output_is_filled_in_from_the_events(output: Any) -> None:
    note = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1}
    started: Json = {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": ""}
    answer = fed(
        ev("reasoning_summary_part.added", item_id="rs", output_index=0, summary_index=0, part={"text": ""}),
        ev("reasoning_summary_text.delta", item_id="rs", output_index=0, summary_index=0, delta="one"),
        ev("reasoning_summary_text.delta", item_id="rs", output_index=0, summary_index=1, delta="two"),
        text("A", **at(1, item_id="m")),
        ev("output_text.annotation.added", **at(1, item_id="m"), annotation_index=0, annotation=note),
        added(started | {"status": "in_progress"}, output_index=2),
        ev("function_call_arguments.delta", item_id="fc", output_index=2, delta='{"a":'),
        ev("function_call_arguments.delta", item_id="fc", output_index=2, delta="1}"),
        ev("completed", response={"id": "r", "status": "completed", "output": output, "usage": {"total_tokens": 3}}),
    )
    parts = [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}]
    call = started | {"arguments": '{"a":1}', "status": "completed"}
    expected = [
        {"type": "reasoning", "id": "rs", "status": "completed", "summary": parts},
        msg(part("A", annotations=[note]), name="m"),
        call,
    ]
    assert (answer.output, answer.as_response()["output"]) == (expected, expected)
    assert (answer.reasoning, answer.usage, answer.open_calls) == ("one\n\ntwo", {"total_tokens": 3}, [call])


@pytest.mark.parametrize(
    "kind", ["function_call_arguments", "mcp_call_arguments", "custom_tool_call_input", "code_interpreter_call_code"]
)
def test_the_fields_of_a_call_come_as_deltas_or_whole_and_need_no_item(kind: str) -> None:
    name, _, key = kind.rpartition("_")
    deltas = [ev(f"{kind}.delta", output_index=0, delta=half) for half in ("ab", "c")]
    done = ev(f"{kind}.done", output_index=0, **{key: "abcd"})
    assert fed(*deltas).output == [{"type": name, "status": "in_progress", key: "abc"}]
    assert fed(*deltas, done).output == fed(done).output == [{"type": name, "status": "in_progress", key: "abcd"}]
    for empty in ({}, {key: ""}, {key: None}):
        whole = {"type": name, "id": "x", **empty}
        assert fed(*deltas, finished(whole, output_index=0)).output == [whole | {key: "abc"}]
        assert fed(*deltas, end(whole)).output == [whole | {key: "abc"}]
    assert fed(*deltas, finished({"type": name, key: "z"}, output_index=0), done).output == [{"type": name, key: "z"}]
    assert fed(added({"type": name, key: "{}"}, output_index=0), *deltas).output == [{"type": name, key: "abc"}]


def test_content_that_the_full_item_leaves_out_remains() -> None:
    for content in (None, [], "", 1, [{"type": "output_text", "text": None}]):
        whole: Json = {"id": "m", "type": "message", "status": "completed", "content": content}
        for last in (finished(whole, output_index=0), end(whole)):
            assert shown(text("A", **at(0, item_id="m")), last, end()) == (["A"], False)


def test_full_items_are_kept_unchanged() -> None:
    items: list[Json] = [
        {"type": "novelty", "status": "odd", "x": [None, {"type": 1}]},
        {"type": "message", "content": [{"type": "output_text", "text": ""}, {"type": "output_hologram", "y": None}]},
        {"type": "reasoning", "summary": [], "content": None, "status": None, "encrypted_content": None},
        {"type": "compaction", "encrypted_content": "x"},
    ]
    assert fed(*(finished(item, output_index=n) for n, item in enumerate(items))).output == items
    assert fed(end(*items)).output == fed(end(*items)).as_response()["output"] == items


def test_the_terminal_response_decides_the_items_and_their_order() -> None:
    answer = fed(added(opened("a"), output_index=1), added(opened("b"), output_index=7), end(msg(name="b"), msg()))
    assert [item.as_dict() for item in answer.items] == answer.output == [msg(name="b"), msg()]
    assert [item.is_closed for item in answer.items] == [True, True]


def test_encrypted_reasoning_is_taken_from_the_full_item_only() -> None:
    started = {"id": "rs", "type": "reasoning", "summary": [], "encrypted_content": "piece"}
    assert fed(added(started), end()).output == [{"id": "rs", "type": "reasoning", "summary": []}]
    whole = started | {"encrypted_content": "all"}
    assert fed(added(started), finished(whole), end()).output == [whole]


def test_reasoning_is_the_summary_or_else_the_text() -> None:
    hollow = ev("reasoning_summary_part.added", output_index=0, summary_index=0, part={"type": "summary_text"})
    thought = ev("reasoning_text.delta", **at(0), delta="deep")
    whole = finished({"type": "reasoning", "summary": [{"type": "summary_text", "text": "short"}]}, output_index=0)
    assert (fed(hollow, thought).reasoning, fed(thought, whole).reasoning) == ("deep", "short")


def test_image_previews_are_not_kept() -> None:
    image = {"id": "ig", "type": "image_generation_call", "status": "completed", "result": "all"}
    preview = ev("image_generation_call.partial_image", output_index=0, partial_image_b64="half", sequence_number=1)
    working = ev("image_generation_call.generating", output_index=0, item_id="ig", sequence_number=2)
    answer = fed(added(image | {"status": "in_progress", "result": None}, output_index=0), preview, working)
    assert answer.output == [image | {"status": "generating", "result": None}]
    assert "half" not in repr(vars(answer))
    assert fed(finished(image, output_index=0), working).output == [image]


# the text shown --------------------------------------------------------------------------------------------------


def test_text_is_shown_in_the_order_of_the_output() -> None:
    events = [
        added(opened("a"), output_index=0),
        added({"type": "web_search_call", "id": "ws", "status": "in_progress"}, output_index=1),
        added(opened("b"), output_index=2),
        *(text(word, **at(n)) for n, word in [(0, "A"), (2, "C"), (0, "B"), (2, "D")]),
        ev("output_text.done", text="AB!", **at(0)),
        finished(msg(part("AB!"), name="a"), output_index=0),
        text("E", **at(2)),
    ]
    assert shown(*events) == (["A", "B", "!", "\nCD", "E"], False)


def test_parts_of_other_types_are_not_part_of_the_text() -> None:
    odd = ev("content_part.done", part={"type": "output_hologram", "text": "no"}, **at(0))
    assert shown(odd, text("A", output_index=0, content_index=1), end()) == (["A"], False)
    assert (
        text_of([{"type": "message", "content": [{"type": "output_text", "text": 5}, {"type": ["x"]}, part("A")]}])
        == "A"
    )


def test_a_refusal_may_come_in_deltas() -> None:
    events = [ev("refusal.delta", delta=word, **at(0)) for word in ("No", ".")]
    assert (fed(*events).refused, shown(*events, end())) == (True, (["No", "."], False))


def test_halves_of_a_character_in_two_deltas_are_joined() -> None:
    events = [text("a\ud83d", **at(0)), text("\ude00b", **at(0))]
    assert shown(*events, end(msg(part("a😀b")))) == shown(*events, end()) == (["a", "😀b"], False)
    assert fed(*events, end()).text == "a😀b"


# the end ---------------------------------------------------------------------------------------------------------


def test_a_response_may_start_with_only_id_object_and_status() -> None:
    created = ev("created", response={"id": "r", "object": "response", "status": "queued"})
    answer = fed(created, ev("keepalive", sequence_number=5), ev("novelty", x=1))
    assert (answer.id, answer.status, answer.ended, answer.last_sequence) == ("r", "queued", False, 5)
    assert (answer.output, answer.text, answer.usage, answer.incomplete_reason) == ([], "", {}, "")
    answer.close(cut=True)
    assert (answer.was_cut, answer.as_response()) == (True, created["response"] | {"output": []})


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (ev("cancelled", response={"id": "r", "status": "cancelled"}), "cancelled"),
        (ev("done", response={"id": "r", "status": "completed"}), "completed"),
        (ev("completed", response={"id": "r", "status": None, "output": None, "usage": None}), "completed"),
        (ev("incomplete", response=None), "incomplete"),
        (ev("failed", response={"id": "r", "status": "failed", "error": "boom"}), "failed"),
        (ev("done", response={"id": "r", "status": "in_progress"}), "in_progress"),
        (ev("done", response=None), "in_progress"),
    ],
)
def test_a_terminal_status_ends_the_stream_whatever_the_event_is_called(event: Json, status: str) -> None:
    answer = fed(event)
    answer.close(cut=True)
    assert (answer.status, answer.was_cut) == (status, status == "in_progress")
    assert answer.error == ({"message": "boom"} if status == "failed" else None)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (ev("error", code="c", message="m"), {"type": "error", "code": "c", "message": "m"}),
        (ev("error", error=None, message="m"), {"type": "error", "error": None, "message": "m"}),
        (ev("error", error={"code": "c", "message": "m"}), {"code": "c", "message": "m"}),
        ({"error": {"message": "m"}}, {"message": "m"}),
        ({"error": "m"}, {"message": "m"}),
    ],
)
def test_an_error_of_any_shape_ends_the_stream_and_keeps_the_text(event: Json, error: Json) -> None:
    answer = fed(ev("created", response={"id": "r", "status": "in_progress"}), text("A"), event)
    assert (answer.id, answer.status, answer.ended, answer.error, answer.text) == ("r", "failed", True, error, "A")
    assert answer.as_response()["error"] == error


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (end(msg(), status="incomplete", incomplete_details={"reason": "length"}), "length"),
        (end(status="incomplete", incomplete_details=None), "no reason given"),
        (end(msg(status="incomplete")), "an item is incomplete"),
        (end(msg()), ""),
    ],
)
def test_a_cut_answer_has_a_reason(response: Json, reason: str) -> None:
    assert fed(response).incomplete_reason == reason


def test_open_calls_are_those_without_an_answer_that_only_the_client_can_give() -> None:
    one, two = ({"type": "function_call", "call_id": name} for name in "ab")
    ask = {"type": "mcp_approval_request", "id": "q"}
    local, hosted = ({"type": "shell_call", "call_id": "s", "environment": {"type": t}} for t in ("local", "container"))
    search = {"type": "tool_search_call", "call_id": "t", "execution": "client"}
    other: Json = {"type": ["function_call"], "call_id": {}}
    names: list[Any] = ["b", {}]
    answers: list[Json] = [{"type": "function_call_output", "call_id": name} for name in names]
    calls: list[Json] = [one, two, ask, local, hosted, search, search | {"execution": "server"}, other]
    assert open_calls([*calls, *answers]) == [one, ask, local, search]


# any sequence of events ------------------------------------------------------------------------------------------


def test_every_documented_event_can_be_applied() -> None:
    assert len(set(KINDS)) == 59
    nulls = dict.fromkeys(("response", "item", "part", "delta", "text", "error", "output_index"))
    for more in ({}, nulls, at(0, delta="x", text="x", item={}, part={}, response={})):
        fed(*({**more, "type": kind} for kind in sorted(KINDS, key="error".__eq__)))


def test_the_list_of_events_is_the_one_in_the_reference() -> None:
    assert EVENTS == KINDS


@pytest.mark.slow
@given(streams)
def test_no_sequence_of_events_raises_and_the_text_shown_is_the_text_or_contradicted(events: list[Json]) -> None:
    answer, read = Answer(), ""
    for data in events:
        answer.apply(Event(data["type"], data, ""))
        read += answer.read_new_text()
        values = [answer.as_response(), answer.output, answer.reasoning, answer.open_calls, answer.usage]
        assert json.dumps([*values, answer.refused, answer.incomplete_reason])
    answer.close(cut=True)
    read += answer.read_new_text()
    assert answer.contradicted or read == answer.printed_text


@given(st.text(), st.lists(st.integers(0, 500)), st.booleans())
def test_the_answer_is_the_same_however_its_text_is_cut_into_deltas(whole: str, places: list[int], ends: bool) -> None:
    deltas = [text(piece, **at(0)) for piece in cuts(whole, places)]
    calls = [ev("function_call_arguments.delta", output_index=1, delta=piece) for piece in cuts(whole, places)]
    last = end() if ends else ev("output_text.done", text=whole, **at(0))
    one = [text(whole, **at(0)), ev("function_call_arguments.delta", output_index=1, delta=whole)]
    assert fed(*deltas, *calls, last).output == fed(*one, last).output
    texts, contradicted = shown(*deltas, last)
    assert ("".join(texts), contradicted) == (whole, False)
