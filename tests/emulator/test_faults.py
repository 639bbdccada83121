"""The meaning of `--fault`, and its effect on replies over a real socket."""

import http.client
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cometresp.emulator.faults import KINDS, Fault, Faults, parse
from cometresp.emulator.server import Emulator

from .bench import MCP, WEATHER, Bench, text_of
from .talk import Json, Reply, request

HELLO: Json = {"model": "m", "input": "Hello"}
STREAM: Json = {**HELLO, "stream": True}
WIDE = {"model": "m", "input": "Grüße an 👩‍👧 und alle anderen"}
LISTED = ", ".join(KINDS)


@contextmanager
def faulty(*specs: str, seed: int | None = None, delay: float = 0.0) -> Iterator[Emulator]:
    with Emulator(faults=specs, fault_seed=seed, delay=delay) as emulator:
        yield emulator


def post(emulator: Emulator, body: Json, version: str = "HTTP/1.1") -> Reply:
    return request(emulator.base_url, "POST", "/responses", body, version)


def faulted(spec: str, body: Json, version: str = "HTTP/1.1") -> Reply:
    with faulty(spec) as emulator:
        return post(emulator, body, version)


def plain(body: Json) -> list[str]:
    """The types of the events without a fault."""
    with faulty() as emulator:
        return [event["type"] for event in post(emulator, body).events()]


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("refusal", Fault("refusal")),
        ("503@2", Fault("503", None, 2)),
        ("429=1@1", Fault("429", "1", 1)),
        ("429=0.5%20", Fault("429", "0.5", None, 20.0)),
        ("cut=0", Fault("cut", "0")),
        ("stall=2.5%0.5", Fault("stall", "2.5", None, 0.5)),
        ("drop%100", Fault("drop", None, None, 100.0)),
    ],
)
def test_a_fault_is_a_kind_an_argument_and_when(spec: str, fault: Fault) -> None:
    assert parse(spec) == fault


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", f"no such kind; there are {LISTED} and the statuses 400 to 599"),
        ("boom", f"no such kind; there are {LISTED} and the statuses 400 to 599"),
        ("200", f"no such kind; there are {LISTED} and the statuses 400 to 599"),
        ("503@1%2", "must be KIND[=ARG][@N|%P]"),
        ("html=1", "html takes no argument"),
        ("stall=", "stall takes a number of seconds, not ''"),
        ("stall=-1", "stall takes a number of seconds, not '-1'"),
        ("cut=1.5", "cut takes a whole number of bytes, not '1.5'"),
        ("usage_limit=1.5", "usage_limit takes a whole number of seconds, not '1.5'"),
        ("forgotten=200", "forgotten takes a status from 400 to 599, not '200'"),
        ("status=Expired", "status takes a status, such as expired or requires_action, not 'Expired'"),
        ("429=soon", "429 takes a number of seconds, for Retry-After, not 'soon'"),
        ("503@0", "@ takes the number of a request, from 1, not '0'"),
        ("503@", "@ takes the number of a request, from 1, not ''"),
        ("503%100.5", "% takes a number from 0 to 100, not '100.5'"),
        ("503%x", "% takes a number from 0 to 100, not 'x'"),
    ],
)
def test_an_invalid_fault_is_refused_with_the_reason(spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(f'{spec!r}: {message}')}$"):
        Emulator(faults=[spec])


# which requests -------------------------------------------------------------------------------------------------------


def statuses(emulator: Emulator, number: int) -> list[int]:
    return [post(emulator, HELLO).status for _ in range(number)]


def test_a_fault_applies_to_every_request_or_to_one() -> None:
    with faulty("503") as always, faulty("503@2", "401@3") as some:
        assert (statuses(always, 3), statuses(some, 4)) == ([503] * 3, [200, 503, 401, 200])


def test_requests_are_counted_whatever_their_method_but_only_those_to_responses() -> None:
    with faulty("503@3") as emulator:
        response_id = post(emulator, HELLO).json()["id"]
        places = [("GET", "/models"), ("GET", f"/responses/{response_id}/input_items"), ("GET", "/models")]
        assert [request(emulator.base_url, *place).status for place in places] == [200] * 3
        assert request(emulator.base_url, "GET", f"/responses/{response_id}").status == 503
        assert request(emulator.base_url, "GET", f"/responses/{response_id}").status == 200


def test_a_percentage_of_requests_is_random_and_a_seed_repeats_it() -> None:
    drawn = []
    for seed in (1, 1, 2):
        with faulty("503%50", seed=seed) as emulator:
            drawn.append(statuses(emulator, 30))
    assert (drawn[0] == drawn[1], drawn[0] == drawn[2], set(drawn[0])) == (True, False, {200, 503})
    with faulty("503%0") as never, faulty("503%100") as always:
        assert (statuses(never, 5), statuses(always, 5)) == ([200] * 5, [503] * 5)


def test_faults_add_up_and_the_first_that_replaces_the_reply_counts() -> None:
    with faulty("503@1", "html", "503") as emulator:
        assert statuses(emulator, 2) == [503, 200]
    with faulty("401", "drop") as emulator:
        assert statuses(emulator, 1) == [401]
    with faulty("refusal", "duplicate", "unfinished") as emulator:
        types = [event["type"] for event in post(emulator, STREAM).events()]
    assert (types[:2], "response.refusal.delta" in types, types[-1]) == (
        ["response.created"] * 2,
        True,
        "response.output_item.done",
    )


# the answer -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        ("refusal", "completed", None),
        ("incomplete", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
        ("failed", "failed", None),
    ],
)
@pytest.mark.parametrize("more", [{}, {"tools": [WEATHER], "tool_choice": "required"}, {"tools": [MCP]}])
def test_a_fault_of_the_answer_overrides_the_prompt_and_the_tools(
    kind: str, status: str, reason: Any, more: Json, stream: bool
) -> None:
    with faulty(f"{kind}@1") as emulator:
        reply = post(emulator, {**HELLO, "input": "emulate:mcp get_weather", "stream": stream, **more})
        response = reply.events()[-1]["response"] if stream else reply.json()
        stored = request(emulator.base_url, "GET", f"/responses/{response['id']}").json()
    assert (response["status"], response["incomplete_details"], stored == response) == (status, reason, True)
    (part,) = response["output"][0]["content"]
    if kind == "refusal":
        assert part == {"type": "refusal", "refusal": "The emulator refuses because --fault asked it to."}
    else:
        assert "This is the **emulator**".startswith(part["text"][:10])


def test_an_error_is_an_event_in_a_stream_and_a_500_otherwise() -> None:
    last = faulted("error", STREAM).events()[-1]
    whole = faulted("error", HELLO)
    assert (last["type"], last["message"]) == ("error", "The emulator failed because --fault asked it to.")
    assert (whole.status, whole.json()["error"]["code"]) == (500, "server_error")


# in place of a reply --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "status", "code", "after"),
    [
        ("503", 503, "emulated_fault", None),
        ("599", 599, "emulated_fault", None),
        ("404", 404, "emulated_fault", None),
        ("401", 401, "invalid_api_key", None),
        ("429", 429, "rate_limit_exceeded", None),
        ("429=1", 429, "rate_limit_exceeded", "1"),
        ("503=0.5", 503, "emulated_fault", "0.5"),
        ("quota", 429, "insufficient_quota", None),
    ],
)
@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_a_status_comes_with_an_error_in_the_gateway_s_shape(
    spec: str, status: int, code: str, after: str | None, body: Json
) -> None:
    reply = faulted(spec, body)
    error = reply.json()["error"]
    request_id = reply.headers["x-request-id"]
    assert (reply.status, reply.headers.get("retry-after"), error) == (
        status,
        after,
        {
            "message": f"The emulator misbehaves because --fault asked it to. (request id: {request_id})",
            "type": "comet_api_error",
            "param": "",
            "code": code,
        },
    )


@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_a_reply_is_replaced_by_a_page_nothing_or_a_redirect(body: Json) -> None:
    html, empty, moved = (faulted(spec, body) for spec in ("html", "empty", "redirect"))
    assert (html.status, html.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert html.body.startswith(b"<!DOCTYPE html>")
    assert (empty.status, empty.headers["content-type"], empty.body) == (200, "application/json", b"")
    assert (moved.status, moved.headers["location"], moved.body) == (301, "https://redirected.invalid/", b"")


def test_a_dropped_connection_has_no_reply() -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        faulted("drop", HELLO)


def test_a_request_whose_reply_is_replaced_is_not_carried_out() -> None:
    with faulty("503@2") as emulator:
        response_id = post(emulator, HELLO).json()["id"]
        assert request(emulator.base_url, "DELETE", f"/responses/{response_id}").status == 503
        assert request(emulator.base_url, "GET", f"/responses/{response_id}").status == 200


def test_the_connection_can_be_used_after_a_fault() -> None:
    with faulty("503@1", "html@2", "broken_json@3") as emulator:
        connection = http.client.HTTPConnection(emulator.base_url.split("/")[2], timeout=60)
        replies = []
        for _ in range(4):
            connection.request("POST", "/v1/responses", json.dumps(STREAM))
            reply = connection.getresponse()
            replies.append((reply.status, len(reply.read()) > 0))
        connection.close()
    assert replies == [(503, True), (200, True), (200, True), (200, True)]


# the bytes of a reply -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("size", [0, 1, 100, 5000])
@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_a_cut_reply_has_the_given_number_of_bytes(body: Json, size: int, kind: str) -> None:
    whole = faulted("503@2", body, kind)
    reply = faulted(f"cut={size}", body, kind)
    assert len(reply.body) == min(size, len(whole.body))
    # Without chunks the end of the connection is the end of the stream.
    unnoticed = kind == "HTTP/1.0" if body is STREAM else size >= len(whole.body)
    assert reply.broken != unnoticed


@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_a_cut_is_in_the_middle(body: Json) -> None:
    reply = faulted("cut", body)
    *frames, rest = reply.body.split(b"\n\n")
    assert reply.broken
    if body is HELLO:
        assert abs(len(reply.body) - int(reply.headers["content-length"]) // 2) <= 1
    else:
        assert (len(frames), rest.startswith(b"event: response.output_text.delta\ndata: {")) == (
            len(plain(body)) // 2,
            True,
        )


@pytest.mark.parametrize("body", [WIDE, {**WIDE, "stream": True}])
def test_a_cut_is_inside_a_character_of_several_bytes_if_the_text_has_one(body: Json) -> None:
    reply = faulted("cut", body)
    with pytest.raises(UnicodeDecodeError) as caught:
        reply.body.decode()
    assert (reply.broken, caught.value.end) == (True, len(reply.body))
    assert body is WIDE or b"response.output_text.delta" in reply.body.split(b"\n\n")[-1]


@pytest.mark.parametrize("spec", ["cut", "cut=4000", "unfinished"])
def test_the_response_of_a_cut_stream_can_be_fetched_whole(spec: str) -> None:
    with faulty(f"{spec}@1") as emulator:
        received = post(emulator, STREAM).body
        response_id = json.loads(received.split(b"\n")[1].removeprefix(b"data: "))["response"]["id"]
        assert request(emulator.base_url, "GET", f"/responses/{response_id}").json()["status"] == "completed"


def test_an_unfinished_stream_lacks_its_last_event_and_ends_properly() -> None:
    reply = faulted("unfinished", STREAM)
    assert ([event["type"] for event in reply.events()], reply.broken) == (plain(STREAM)[:-1], False)


def test_one_event_of_a_stream_isn_t_json() -> None:
    lines = [line for line in faulted("broken_json", STREAM).lines() if line.startswith("data: ")]
    broken = []
    for number, line in enumerate(lines):
        try:
            json.loads(line.removeprefix("data: "))
        except ValueError:
            broken.append(number)
    assert broken == [len(plain(STREAM)) // 2]


def test_a_whole_reply_isn_t_json() -> None:
    reply = faulted("broken_json", HELLO)
    assert (reply.status, reply.broken, reply.headers["content-length"]) == (200, False, str(len(reply.body)))
    with pytest.raises(ValueError, match="delimiter"):
        reply.json()


def test_each_event_comes_twice() -> None:
    events = faulted("duplicate", STREAM).events()
    assert events[::2] == events[1::2]
    assert [event["type"] for event in events[::2]] == plain(STREAM)


def test_unknown_events_and_items_are_added_to_a_stream() -> None:
    events = faulted("unknown", STREAM).events()
    unknown = [event for event in events if "sequence_number" not in event]
    assert [event["type"] for event in unknown] == [
        "response.emulated_unknown",
        "keepalive",
        "response.output_item.added",
        "response.output_item.done",
    ]
    assert [event["type"] for event in events if "sequence_number" in event] == plain(STREAM)
    output = events[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["message", "emulated_unknown"]
    assert [(event["output_index"], event["item"]) for event in unknown[2:]] == [(1, output[1])] * 2


def test_a_whole_reply_has_an_item_of_no_known_type_that_may_be_sent_back() -> None:
    with faulty("unknown") as emulator:
        first = post(emulator, HELLO).json()
        assert [item["type"] for item in first["output"]] == ["message", "emulated_unknown"]
        again = [{"role": "user", "content": "Hello"}, *first["output"], {"role": "user", "content": "More"}]
        assert "1. Hello" in text_of(post(emulator, {**HELLO, "input": again}).json())


@pytest.mark.parametrize("body", [HELLO, STREAM])
def test_a_stall_is_silence_and_then_the_rest(bench: Bench, body: Json) -> None:
    start = time.monotonic()
    reply = faulted("stall=0.5", body)
    assert (time.monotonic() - start >= 0.5, reply.status, reply.broken) == (True, 200, False)
    assert body is HELLO or [event["type"] for event in reply.events()] == plain(STREAM)
    faults = Faults(["stall=7"]).next_request("POST", "/v1/responses")
    made = bench.api.handle("POST", "/v1/responses", {}, json.dumps(body).encode())
    assert not isinstance(made, bytes)
    assert faults.body(made, bench.clock.wait) if isinstance(made, dict) else [*faults.frames(made, bench.clock.wait)]
    assert bench.clock.waits == [7.0]


def test_a_stall_is_in_the_middle_of_a_stream_and_ends_with_the_emulator() -> None:
    with faulty("stall") as emulator:
        connection = http.client.HTTPConnection(emulator.base_url.split("/")[2], timeout=60)
        connection.request("POST", "/v1/responses", json.dumps(STREAM))
        reply = connection.getresponse()
        received = b""
        while received.count(b"\n\n") < len(plain(STREAM)) // 2:
            received += reply.read1()
    assert (received.count(b"\n\n"), received.endswith(b"\n\n")) == (len(plain(STREAM)) // 2, True)
    reply.close()
    connection.close()
