"""The faults that send what some servers send: the bytes of their replies over a real socket."""

import json
from typing import Any

import pytest

from .bench import WEATHER
from .talk import Json, Reply, request
from .test_faults import HELLO, STREAM, faulted, faulty, plain, post

REASON = "The emulator misbehaves because --fault asked it to."
CALL: Json = {"model": "m", "input": "get_weather Oslo 3", "tools": [WEATHER]}


def message_of(error: Json) -> str:
    return str(error["message"]).partition(" (request id: ")[0]


def without_request_id(reply: Reply) -> Json:
    error: Json = reply.json()["error"]
    assert error["message"].endswith(f" (request id: {reply.headers['x-request-id']})")
    return error | {"message": message_of(error)}


def final(reply: Reply, body: Json) -> Json:
    """The ended response of a reply."""
    response: Json = reply.events()[-1]["response"] if body.get("stream") else reply.json()
    return response


# in place of a reply --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [HELLO, STREAM])
@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("quota_type", {"message": REASON, "type": "insufficient_quota", "param": None, "code": None}),
        ("usage_limit", {"type": "usage_limit_reached", "message": REASON, "resets_in_seconds": 3600}),
        ("usage_limit=90", {"type": "usage_limit_reached", "message": REASON, "resets_in_seconds": 90}),
    ],
)
def test_an_exhausted_limit_is_named_by_the_type_of_the_error(spec: str, error: Json, body: Json) -> None:
    reply = faulted(spec, body)
    assert (reply.status, reply.headers["content-type"], "retry-after" in reply.headers) == (
        429,
        "application/json",
        False,
    )
    assert without_request_id(reply) == error


@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_an_error_may_be_bare_json_in_the_place_of_a_stream(body: Json) -> None:
    reply = faulted("sse_error", body)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    error = {"message": REASON, "type": "comet_api_error", "param": "", "code": "server_error"}
    assert without_request_id(reply) == error


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("spec", "status"), [("forgotten", 404), ("forgotten=502", 502)])
def test_a_previous_response_is_refused_and_other_requests_are_answered(spec: str, status: int, stream: bool) -> None:
    with faulty(spec) as emulator:
        first = post(emulator, HELLO).json()
        reply = post(emulator, {**HELLO, "previous_response_id": first["id"], "stream": stream})
        assert request(emulator.base_url, "GET", f"/responses/{first['id']}").status == 200
    assert reply.status == status
    assert without_request_id(reply) == {
        "message": f"Response with id '{first['id']}' not found.",
        "type": "comet_api_error",
        "param": "response_id",
        "code": "not_found",
    }


def test_a_fault_that_has_no_effect_on_a_request_leaves_the_next_one_to_act() -> None:
    with faulty("forgotten", "503") as emulator:
        assert post(emulator, HELLO).status == 503
        assert post(emulator, {**HELLO, "previous_response_id": "resp_1"}).status == 404
        for path in ("/responses", "/responses/compact"):
            assert request(emulator.base_url, "POST", path, None).status == 503


def test_requests_to_conversations_are_counted_too() -> None:
    with faulty("503@2") as emulator:
        places = ["/conversations", "/conversations", "/models", "/conversations"]
        statuses = [request(emulator.base_url, "POST" if "c" in place else "GET", place).status for place in places]
    assert statuses == [200, 503, 200, 200]


# how a good reply is sent ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "content_type"), [("text_plain", "text/plain; charset=utf-8"), ("untyped", None)])
@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_a_good_reply_has_another_type_or_none(spec: str, content_type: str | None, body: Json) -> None:
    reply = faulted(spec, body)
    assert (reply.status, reply.headers.get("content-type")) == (200, content_type)
    if body is STREAM:
        assert [event["type"] for event in reply.events()] == plain(STREAM)
    assert final(reply, body)["status"] == "completed"


@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_a_whole_response_may_be_sent_as_a_stream_without_events(body: Json) -> None:
    with faulty("sse_json@1") as emulator:
        reply = post(emulator, body)
        stored = request(emulator.base_url, "GET", f"/responses/{reply.json()['id']}")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert reply.body == stored.body
    assert reply.json()["status"] == "completed"


def test_the_error_of_a_stream_may_be_sent_without_events_too() -> None:
    with faulty("sse_json", "error") as emulator:
        error = post(emulator, STREAM).json()["error"]
    assert (error["type"], error["message"]) == ("error", "The emulator failed because --fault asked it to.")


# odd responses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_an_answer_may_be_cut_by_length(body: Json) -> None:
    with faulty("length@1") as emulator:
        response = final(post(emulator, body), body)
        assert request(emulator.base_url, "GET", f"/responses/{response['id']}").json() == response
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "length"})
    assert response["output"][0]["status"] == "incomplete"


def test_the_response_of_the_last_event_is_not_nested() -> None:
    with faulty("bare@1") as emulator:
        events = post(emulator, STREAM).events()
        stored = request(emulator.base_url, "GET", f"/responses/{events[0]['response']['id']}").json()
    assert [event["type"] for event in events] == plain(STREAM)
    number = len(events) - 1
    assert events[-1] == {"type": "response.completed", "sequence_number": number, **stored}
    assert faulted("bare", HELLO).json()["object"] == "response"


@pytest.mark.parametrize("body", [HELLO, CALL])
def test_the_last_item_comes_twice_with_the_same_id(body: Json) -> None:
    whole = faulted("twin", body).json()["output"]
    assert (len(whole), whole[0]) == (2, whole[1])
    events = faulted("twin", {**body, "stream": True}).events()
    output = events[-1]["response"]["output"]
    assert (len(output), output[0]) == (2, output[1])
    assert events[-3:-1] == [
        {"type": f"response.output_item.{state}", "output_index": 1, "item": output[0]} for state in ("added", "done")
    ]
    assert [event["type"] for event in events[:-3]] == plain({**body, "stream": True})[:-1]


@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_a_response_fails_without_an_error(body: Json) -> None:
    reply = faulted("failed_null", body)
    response = reply.events()[-2]["response"] if body is STREAM else reply.json()
    assert (response["status"], response["error"], response["completed_at"]) == ("failed", None, None)
    assert (response["incomplete_details"], "usage" in response) == (None, False)
    if body is STREAM:
        events = reply.events()
        assert [event["type"] for event in events] == [*plain(STREAM)[:-1], "response.failed", "error"]
        assert events[-1] == {
            "type": "error",
            "sequence_number": len(events) - 1,
            "error": {
                "code": "server_error",
                "message": "The emulator failed because --fault asked it to.",
                "param": None,
            },
        }


@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_a_completed_response_has_no_output_although_it_counts_tokens(body: Json) -> None:
    reply = faulted("no_output", body)
    response = final(reply, body)
    assert (response["status"], response["output"]) == ("completed", [])
    assert response["usage"]["output_tokens"] > 10
    if body is STREAM:
        assert [event["type"] for event in reply.events()] == [
            "response.created",
            "response.in_progress",
            "response.completed",
        ]


def test_the_arguments_of_a_call_are_an_object() -> None:
    arguments = {"city": "Oslo", "days": 3}
    (call,) = faulted("object_arguments", CALL).json()["output"]
    assert call["arguments"] == arguments
    events = faulted("object_arguments", {**CALL, "stream": True}).events()
    done = [event for event in events if event["type"].endswith(".done")]
    assert [event.get("arguments", event.get("item", {}).get("arguments")) for event in done] == [arguments] * 2
    assert events[-1]["response"]["output"][0]["arguments"] == arguments
    deltas = [event["delta"] for event in events if event["type"] == "response.function_call_arguments.delta"]
    assert json.loads("".join(deltas)) == arguments
    broken = faulted("object_arguments", {**CALL, "input": "emulate:broken_call"}).json()
    assert isinstance(broken["output"][0]["arguments"], str)


@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_a_logprob_is_not_a_number(body: Json) -> None:
    reply = faulted("nan", body)
    odd = [json.loads(line.removeprefix("data: ")).get("type") for line in reply.lines() if '"logprob":NaN' in line]
    ((part,),) = [item["content"] for item in final(reply, body)["output"]]
    ((token, number, rest),) = [(entry["token"], entry["logprob"], len(entry)) for entry in part["logprobs"]]
    assert (token, number != number, rest) == (part["text"], True, 4)  # noqa: PLR0124 - NaN differs from itself
    if body is HELLO:
        assert odd == [None]
    else:
        quiet = ("response.created", "response.in_progress", "response.output_item.added")
        assert odd == [kind for kind in plain(STREAM) if kind not in quiet]


@pytest.mark.parametrize("body", [HELLO, STREAM])
@pytest.mark.parametrize(
    ("spec", "status"),
    [("status", "expired"), ("status=expired", "expired"), ("status=requires_action", "requires_action")],
)
def test_an_ended_response_has_a_status_of_no_known_kind(spec: str, status: str, body: Json) -> None:
    reply = faulted(spec, body)
    assert final(reply, body)["status"] == status
    assert body is HELLO or [event["type"] for event in reply.events()] == plain(STREAM)


def test_a_reply_that_isn_t_streamed_may_be_queued() -> None:
    with faulty("queued") as emulator:
        queued = post(emulator, HELLO).json()
        stored = request(emulator.base_url, "GET", f"/responses/{queued['id']}").json()
        streamed = [event["type"] for event in post(emulator, STREAM).events()]
    assert (queued["status"], queued["output"], queued["completed_at"], "usage" in queued) == (
        "queued",
        [],
        None,
        False,
    )
    assert (queued["background"], stored["status"], streamed) == (False, "completed", plain(STREAM))


def test_a_response_is_fetched_under_another_id() -> None:
    with faulty("other_id") as emulator:
        events = post(emulator, STREAM).events()
        response = events[-1]["response"]
        place = f"/responses/{response['id']}"
        whole = request(emulator.base_url, "GET", place).json()
        followed = request(emulator.base_url, "GET", f"{place}?stream=true").events()
        items = request(emulator.base_url, "GET", f"{place}/input_items").status
    assert response["id"] != "resp_emulated_other"
    assert whole == response | {"id": "resp_emulated_other"}
    ids = {event["response"]["id"] for event in followed if "response" in event}
    assert (ids, len(followed), items) == ({"resp_emulated_other"}, len(events), 200)


def test_odd_replies_can_be_combined() -> None:
    def odd(*specs: str) -> Any:
        with faulty(*specs) as emulator:
            return post(emulator, STREAM).events()[-1]

    assert odd("twin", "unknown", "bare")["output"][-1]["type"] == "emulated_unknown"
    assert odd("no_output", "twin", "status")["response"]["output"] == []


@pytest.mark.parametrize("kind", ["unknown", "twin", "no_output", "status", "failed_null", "nan", "object_arguments"])
def test_replies_that_are_no_responses_stay_as_they_are(kind: str) -> None:
    with faulty(kind) as emulator:
        response_id = post(emulator, HELLO).json()["id"]
        deleted = request(emulator.base_url, "DELETE", f"/responses/{response_id}").json()
    assert deleted == {"id": response_id, "object": "response", "deleted": True}
