"""The client over a real socket: statuses, retries, error shapes and everything that SSE may look like on the wire."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.answer.answer import Answer
from cometresp.client.client import Client
from cometresp.client.connection import ServerConfig
from cometresp.errors import CometrespError, UnreachableError
from tests.conftest import Command
from tests.properties import examples
from tests.scripted import (
    STREAM_HEAD,
    Request,
    Wire,
    created,
    delta,
    ended,
    error_reply,
    json_reply,
    message,
    reply,
    response,
    serving,
    sse,
    text_stream,
)
from tests.waiting import in_time

GOOD = text_stream("ok")
SOON = {"retry_after_ms": "1"}


@pytest.mark.parametrize(
    ("status", "error_code", "exit_code", "requests"),
    [
        (400, "bad", 65, 1),
        (401, None, 77, 1),
        (402, None, 77, 1),
        (403, "insufficient_user_quota", 77, 1),
        (404, None, 65, 1),
        (408, None, 69, 3),
        (409, None, 69, 3),
        (413, None, 65, 1),
        (422, None, 65, 1),
        (429, None, 75, 3),
        (429, "insufficient_quota", 77, 1),
        (500, None, 69, 3),
        (500, "invalid_request", 65, 1),
        (502, None, 69, 3),
        (503, None, 69, 3),
        (503, "model_not_found", 65, 1),
        (524, None, 69, 3),
    ],
)
def test_each_http_status_has_its_exit_code_and_is_tried_again_or_not(
    ask: Command, wire: Wire, status: int, error_code: str | None, exit_code: int, requests: int
) -> None:
    wire.answer(error_reply(status, "why", error_code, **SOON))
    result = ask("ask", "hi")
    shown = f"HTTP {status}" + (f" {error_code}" if error_code else "") + ": why"
    assert (result.code, result.text, len(wire.requests)) == (exit_code, "", requests)
    assert result.err.splitlines()[0] == f"cometresp: error: {shown}"


@pytest.mark.parametrize(
    ("script", "exit_code"),
    [
        (reply(401, "<html>", "text/html"), 77),
        (reply(404, "<html>", "text/html"), 76),
        (reply(404, "", ""), 76),
        (reply(400, "not json", "text/plain"), 76),
        (reply(301, "", "", location="https://other.example/v1"), 76),
        (reply(200, "", "text/event-stream"), 69),
        (reply(200, "", ""), 76),
        (reply(200, "{broken", "application/json"), 76),
        (json_reply({"object": "chat.completion", "choices": []}), 76),
        (json_reply({"error": {"message": "no"}}), 1),
        (json_reply({"success": False, "message": "no"}), 1),
        (STREAM_HEAD + b"data: {broken\n\ndata: {}\n\n", 76),
        (STREAM_HEAD + b"data: [DONE]\n\n", 69),
    ],
)
def test_a_reply_of_another_kind_has_its_exit_code(ask: Command, wire: Wire, script: bytes, exit_code: int) -> None:
    wire.answer(script)
    result = ask("ask", "--retries", "0", "hi")
    assert (result.code, result.text) == (exit_code, "")
    assert result.err.startswith("cometresp: error: ")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"error": {"message": "a", "code": 7}}, "HTTP 400 7: a"),
        ({"error": {"message": "a", "code": 400}}, "HTTP 400: a"),
        ({"error": {"message": "a", "code": None, "param": "model"}}, "HTTP 400: a"),
        ({"error": "a"}, "HTTP 400: a"),
        ({"message": "a", "code": "x"}, "HTTP 400 x: a"),
        ({"detail": "a"}, "HTTP 400: a"),
        ({"detail": [{"loc": ["body", "input"], "msg": "a"}]}, "HTTP 400: body.input: a"),
        ({"type": "about:blank", "title": "t", "detail": "a"}, "HTTP 400: a"),
        ({"success": False, "message": "a (request id: r7)"}, "HTTP 400: a (request id: r7)"),
        ({}, "HTTP 400: {}"),
    ],
)
def test_an_error_body_of_any_shape_is_told(ask: Command, wire: Wire, body: Any, shown: str) -> None:
    wire.answer(json_reply(body, 400))
    assert ask("ask", "hi").err.splitlines()[0] == f"cometresp: error: {shown}"


def test_the_request_id_comes_from_the_headers(ask: Command, wire: Wire) -> None:
    wire.answer(error_reply(400, "no", x_cometapi_request_id="req-1"))
    assert ask("ask", "hi").err == "cometresp: error: HTTP 400: no (request id: req-1)\n"


def test_an_html_error_is_told_without_its_tags(ask: Command, wire: Wire) -> None:
    wire.answer(reply(502, "<html><style>b{}</style><h1>Bad\x1b[2J</h1>\n<p>gateway</p></html>", "text/html"))
    assert ask("ask", "--retries", "0", "hi").err == (
        "cometresp: error: HTTP 502: Bad\\x1b[2J gateway\nhint: the server is overloaded or down: try again later\n"
    )


def test_a_request_that_failed_in_passing_is_sent_again_unchanged(ask: Command, wire: Wire) -> None:
    wire.answer(error_reply(503, **SOON), b"", error_reply(429, **SOON), GOOD)
    assert list(ask("ask", "--retries", "3", "hi")) == [0, "ok\n", ""]
    assert wire.bodies() == [{"model": "m", "input": "hi", "stream": True}] * 4


def test_a_pause_longer_than_two_minutes_is_not_waited_for(ask: Command, wire: Wire) -> None:
    wire.answer(error_reply(503, "later", retry_after="600"))
    result = ask("ask", "hi")
    assert (result.code, len(wire.requests)) == (75, 1)
    assert result.err == "cometresp: error: HTTP 503: later; the server asks to come back in 600 s\n"


def test_nothing_is_sent_again_once_events_have_come(ask: Command, wire: Wire) -> None:
    def reset(_: Request, connection: socket.socket) -> None:
        connection.sendall(sse(created(), delta("half")))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    wire.answer(reset)
    assert ask("ask", "hi").code == 69
    assert [request.method for request in wire.requests].count("POST") == 1


def test_an_address_where_nothing_listens_is_unreachable(ask: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = ask("ask", "--retries", "1", "hi", env={"COMETAPI_BASE_URL": f"http://127.0.0.1:{port}"})
    assert (result.code, result.err) == (
        69,
        f"cometresp: error: http://127.0.0.1:{port}/v1 can't be reached: Connection refused\n"
        "hint: the address is from COMETAPI_BASE_URL\n",
    )


def hang(_: Request, connection: socket.socket) -> None:
    connection.sendall(sse(created(), delta("half")))
    connection.recv(1)


@pytest.mark.slow
def test_silence_longer_than_the_timeout_ends_the_run_with_what_came(ask: Command, wire: Wire) -> None:
    wire.answer(hang)
    given, result = in_time(
        lambda seconds: (seconds, ask("ask", "--timeout", seconds, "hi")),
        lambda ended: not ended[1].text,
    )
    assert (result.code, result.text) == (69, "half\n")
    assert f"no data for {given} s (--timeout)" in result.err


@pytest.mark.slow
def test_max_time_bounds_the_whole_run_though_bytes_keep_coming(ask: Command, wire: Wire) -> None:
    def drip(_: Request, connection: socket.socket) -> None:
        connection.sendall(sse(created(), delta("half")))
        while True:
            connection.sendall(b": ping\n\n")
            time.sleep(0.02)

    wire.answer(drip)
    given, result = in_time(
        lambda seconds: (seconds, ask("stream", "--max-time", seconds, "hi")), lambda ended: not ended[1].text
    )
    assert (result.code, result.text) == (69, "half\n")
    assert result.err.splitlines()[0] == f"cometresp: error: not finished within the {given} s of --max-time"


def test_loopback_never_goes_through_a_proxy_nor_needs_certificates(ask: Command, wire: Wire) -> None:
    wire.answer(GOOD)
    proxies = {"HTTP_PROXY": "http://127.0.0.1:1", "ALL_PROXY": "socks5://127.0.0.1:1", "SSL_CERT_FILE": "/none"}
    assert list(ask("ask", "hi", env=proxies)) == [0, "ok\n", ""]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ALL_PROXY", "socks9://127.0.0.1:1"),
        ("HTTPS_PROXY", "foo://u:secret@127.0.0.1:1"),
        ("HTTPS_PROXY", "http://u:secret@127.0.0.1:99999"),
        ("HTTPS_PROXY", "http://u:secret/x@127.0.0.1:1"),
        ("HTTPS_PROXY", "http://"),
        ("SSL_CERT_FILE", "/none"),
    ],
)
def test_a_proxy_or_certificate_that_cant_be_used_is_a_setting_at_fault(ask: Command, setting: str, value: str) -> None:
    result = ask("ask", "hi", env={"COMETAPI_BASE_URL": "https://nowhere.invalid", setting: value})
    assert result.code == 78
    assert result.err.startswith(f"cometresp: error: {setting}")
    assert "secret" not in result.err


def test_debug_shows_requests_and_replies_without_secrets(ask: Command, wire: Wire) -> None:
    wire.answer(GOOD)
    result = ask("ask", "--debug", "-H", "X-Api-Key: topsecret", "hi")
    assert (result.code, result.text) == (0, "ok\n")
    assert wire.requests[0].headers["x-api-key"] == "topsecret"
    assert [line for line in result.err.splitlines() if "***" in line] == ["> authorization: ***", "> x-api-key: ***"]
    assert "sk-test" not in result.err
    assert "topsecret" not in result.err


def test_following_asks_for_what_comes_after_an_event_and_takes_a_whole_reply_too(wire: Wire) -> None:
    wire.answer(sse(delta("b"), ended(response(message("ab")))), json_reply(response(status="queued")))
    with connected(wire) as client:
        for after in (7, None):
            with client.follow("r/1", after, include=("x",)) as events:
                seen = [(event.type, event.whole) for event in events]
            wanted = [("response.output_text.delta", False), ("response.completed", False)]
            assert seen == (wanted if after else [("response.queued", True)])
    path = "/v1/responses/r%2F1?stream=true&include%5B%5D=x"
    assert [request.path for request in wire.requests] == [f"{path}&starting_after=7", path]
    assert {request.headers["accept"] for request in wire.requests} == {"text/event-stream"}


@pytest.mark.parametrize(
    ("script", "passes"),
    [
        (error_reply(503), True),
        (error_reply(429), True),
        (b"", True),
        (reply(200, "{", "application/json").replace(b"Content-Length: 1", b"Content-Length: 9"), True),
        (error_reply(503, "no", "model_not_found"), False),
        (error_reply(429, "no", "insufficient_quota"), False),
        (error_reply(503, retry_after="600"), False),
        (error_reply(404), False),
        (reply(200, "<html>", "text/html"), False),
    ],
)
def test_an_error_says_whether_it_may_pass(wire: Wire, script: bytes, passes: bool) -> None:
    wire.answer(script)
    with connected(wire) as client, pytest.raises(CometrespError) as caught, client.get("r1"):
        pass
    assert caught.value.passing is passes


def test_a_stream_that_breaks_is_our_error_where_it_is_read(wire: Wire) -> None:
    wire.answer(sse(delta("a")).replace(b"Connection: close", b"Content-Length: 9999"))
    with connected(wire) as client, client.create({"stream": True}) as events:
        assert next(events).type == "response.output_text.delta"
        with pytest.raises(UnreachableError, match="broke before the answer was complete") as caught:
            next(events)
        assert caught.value.passing


def test_the_pause_that_a_reply_asks_for_is_known_whatever_its_status(wire: Wire) -> None:
    wire.answer(json_reply(response(), retry_after="3"), error_reply(503, retry_after_ms="250"), b"")
    asked = []
    with connected(wire) as client:
        for _ in range(3):
            try:
                with client.get("r1"):
                    asked.append(client.retry_after)
            except CometrespError:
                asked.append(client.retry_after)
    assert asked == [3.0, 0.25, None]


# framing ----------------------------------------------------------------------------------------------------------

EVENTS = [
    created(),
    delta("Grüße 😀 "),
    {"type": "keepalive"},
    delta("x\u2028y"),
    ended(response(message("Grüße 😀 x\u2028y"))),
]


def frame(event: dict[str, Any], ending: str, style: int) -> str:
    """One event in any of the forms that servers write (API 7.1)."""
    text = json.dumps(event, ensure_ascii=style % 2 == 0)
    head = f"event: {event['type']}{ending}" if style & 2 else ""
    if style & 4:
        first, second = text[:1], text[1:]
        data = f"data:{first}{ending}data: {second}{ending}"
    else:
        data = f"data: {text}{ending}"
    noise = f": ping{ending}id: 7{ending}{ending}retry: 10{ending}" if style & 8 else ""
    return noise + head + data + ending


@contextmanager
def connected(wire: Wire) -> Iterator[Client]:
    with Client(ServerConfig(base_url=wire.url, loopback=True, retries=0)) as client:
        yield client


def streamed(client: Client) -> Answer:
    answer = Answer()
    with client.create({"stream": True}) as events:
        for event in events:
            answer.apply(event)
    return answer


@examples(60)
@given(
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(0, 15), min_size=len(EVENTS), max_size=len(EVENTS)),
    st.lists(st.integers(1, 900), max_size=12),
    st.booleans(),
    st.booleans(),
)
def test_the_answer_is_the_same_however_the_bytes_are_framed_and_cut(
    ending: str, styles: list[int], cuts: list[int], bom: bool, unterminated: bool
) -> None:
    text = ("\ufeff" if bom else "") + "".join(
        frame(event, ending, style) for event, style in zip(EVENTS, styles, strict=True)
    )
    data = text.encode()
    if unterminated:
        data = data.rstrip(b"\r\n")
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    chunks = [data[a:b] for a, b in pairwise(places)]
    with serving() as wire, connected(wire) as client:
        wire.answer([STREAM_HEAD, *chunks])
        answer = streamed(client)
    assert (answer.status, answer.read_new_text()) == ("completed", "Grüße 😀 x\u2028y")


@examples(40)
@given(st.binary(max_size=400))
def test_any_bytes_of_a_stream_end_in_events_or_in_one_of_our_errors(data: bytes) -> None:
    with serving() as wire, connected(wire) as client:
        wire.answer(STREAM_HEAD + data)
        try:
            streamed(client)
        except CometrespError as error:
            assert error.exit_code in (69, 76)  # noqa: PT017 - both ways out are right


def test_a_compressed_stream_is_read(ask: Command, wire: Wire) -> None:
    import gzip

    body = gzip.compress(GOOD.removeprefix(STREAM_HEAD))
    wire.answer(reply(200, body, "text/event-stream", content_encoding="gzip"))
    assert list(ask("ask", "hi")) == [0, "ok\n", ""]


@pytest.mark.parametrize("kind", [b"text/event-stream", b"text/plain", b"application/json"])
def test_deltas_leave_at_once(ask: Command, wire: Wire, kind: bytes) -> None:
    shown = threading.Event()

    def wait_between(_: Request, connection: socket.socket) -> None:
        connection.sendall(sse(created(), delta("one ")).replace(b"text/event-stream", kind))
        assert shown.wait(30)
        connection.sendall(sse(delta("two"), ended(response(message("one two")))).removeprefix(STREAM_HEAD))

    wire.answer(wait_between)
    process = ask.popen("stream", "hi")
    assert process.stdout is not None
    first = process.stdout.read(4)
    shown.set()
    out, err = process.communicate(timeout=30)
    assert (first, out, err, process.returncode) == (b"one ", b"two\n", b"", 0)
