"""The recorder passes on what comes as it comes; the replayer answers what it knows, and says what it doesn't."""

import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from cometresp.emulator.listening import Server
from tests.emulator.talk import request
from tests.matrix.tls import behind
from tests.scripted import (
    STREAM_HEAD,
    Request,
    Wire,
    created,
    delta,
    ended,
    error_reply,
    frames,
    json_reply,
    message,
    reply,
    response,
    text_stream,
)
from tests.waiting import until

from .conftest import Tape

Json = dict[str, Any]

HELLO: Json = {"model": "m", "input": "Hello"}


@contextmanager
def connected(url: str) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(url.split("/")[2], timeout=60)
    yield connection
    connection.close()


def errors(url: str, *bodies: Json | None, method: str = "POST", path: str = "/responses") -> list[str]:
    """The messages of the errors that requests get, without the request id."""
    replies = [request(url, method, path, body) for body in bodies or (None,)]
    return [reply.json()["error"]["message"].partition(" (request id")[0] for reply in replies]


# recording ----------------------------------------------------------------------------------------------------------


def test_a_request_arrives_as_the_client_sent_it(tape: Tape, wire: Wire) -> None:
    wire.answer(json_reply({"ok": True}, X_Request_Id="r1"))
    with tape.recording(wire.url) as url, connected(url) as connection:
        sent = {
            "Authorization": "Bearer sk-1",
            "X-Umlaut": "ü",
            "Accept": "a/b",
            "User-Agent": "me",
            "Connection": "x-hop",
        }
        connection.request(
            "POST", "/v1/responses?b=%2F&a", b'{"a": 1}', sent | {"X-Hop": "1", "Accept-Encoding": "gzip"}
        )
        answer = connection.getresponse()
        assert (answer.status, answer.read(), answer.headers["X-Request-Id"]) == (200, b'{"ok": true}', "r1")
    [got] = wire.requests
    assert (got.method, got.path, got.body) == ("POST", "/v1/responses?b=%2F&a", b'{"a": 1}')
    assert got.headers == {
        "host": f"127.0.0.1:{wire.port}",
        "authorization": "Bearer sk-1",
        "x-umlaut": "ü",
        "accept": "a/b",
        "user-agent": "me",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "content-length": "8",
    }


@pytest.mark.parametrize(
    ("base", "target", "path"),
    [
        ("/v1", "/v1/responses", "/v1/responses"),
        ("/v1", "/api/models", "/api/models"),
        ("/openai/v1", "/v1/models?limit=1", "/openai/v1/models?limit=1"),
        ("/openai/v1", "/api/models", "/openai/api/models"),
        ("/proxy", "/v1/models", "/proxy/models"),
        ("/v1?api-version=2", "/v1/models?limit=1", "/v1/models?api-version=2&limit=1"),
    ],
)
def test_paths_lead_below_the_base_url(tape: Tape, wire: Wire, base: str, target: str, path: str) -> None:
    wire.answer(json_reply({}))
    with tape.recording(wire.url.removesuffix("/v1") + base) as url, connected(url) as connection:
        connection.request("GET", target)
        assert connection.getresponse().status == 200
    assert [request.path for request in wire.requests] == [path]


def test_each_event_is_passed_on_at_once(tape: Tape, wire: Wire) -> None:
    goes_on = threading.Event()

    def script(_: Request, connection: socket.socket) -> None:
        connection.sendall(STREAM_HEAD + frames([created()]))
        assert goes_on.wait(60)
        connection.sendall(frames([delta("Hi"), ended(response(message("Hi")))]))

    wire.answer(script)
    with tape.recording(wire.url) as url, connected(url) as connection:
        connection.request("POST", "/v1/responses", json.dumps(HELLO))
        answer = connection.getresponse()
        assert answer.read1() == frames([created()])
        goes_on.set()
        assert answer.read() == frames([delta("Hi"), ended(response(message("Hi")))])
    [text] = tape.texts()
    first, second, last = (row[0] for row in json.loads(text)["reply"]["events"])
    assert 0 < first <= second <= last


def test_a_client_that_leaves_ends_the_request_and_what_came_is_recorded(tape: Tape, wire: Wire) -> None:
    left = threading.Event()

    def script(_: Request, connection: socket.socket) -> None:
        connection.sendall(STREAM_HEAD + frames([created(), delta("Hi")]))
        while connection.recv(1):
            pass
        left.set()

    wire.answer(script)
    with tape.recording(wire.url) as url:
        with connected(url) as connection:
            connection.request("POST", "/v1/responses", json.dumps(HELLO))
            answer = connection.getresponse()
            answer.read1()
            connection.close()
            answer.close()
        assert left.wait(60)
    assert [json.loads(text)["reply"]["ended"] for text in tape.texts()] == ["client"]
    with tape.replaying() as url, connected(url) as connection:
        connection.request("POST", "/v1/responses", json.dumps(HELLO))
        answer = connection.getresponse()
        assert answer.read1() + answer.read1() == frames([created(), delta("Hi")])
        assert connection.sock is not None
        connection.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            answer.read1()
        answer.close()


def test_a_client_that_leaves_before_a_reply_is_not_recorded(tape: Tape, wire: Wire) -> None:
    left = threading.Event()

    def script(_: Request, connection: socket.socket) -> None:
        while connection.recv(1):
            pass
        left.set()

    wire.answer(script)
    with tape.recording(wire.url) as url:
        with connected(url) as connection:
            connection.request("POST", "/v1/responses", json.dumps(HELLO))
            until(lambda: wire.requests)
        assert left.wait(60)
    assert tape.names() == []
    assert tape.said == ["not recorded: POST /v1/responses: the client closed the connection before there was a reply"]


def test_a_client_that_leaves_after_the_last_event_has_the_whole_reply(tape: Tape, wire: Wire) -> None:
    def script(_: Request, connection: socket.socket) -> None:
        connection.sendall(text_stream("Hi"))
        while connection.recv(1):
            pass

    wire.answer(script)
    with tape.recording(wire.url) as url, connected(url) as connection:
        connection.request("POST", "/v1/responses", json.dumps(HELLO))
        answer = connection.getresponse()
        received = b""
        while b"response.completed" not in received:
            piece = answer.read1()
            assert piece, received
            received += piece
        answer.close()
    assert ["ended" in json.loads(text)["reply"] for text in tape.texts()] == [False]


def test_compression_is_undone(tape: Tape, wire: Wire) -> None:
    body = json.dumps(response(message("hello")))
    wire.answer(reply(200, gzip.compress(body.encode()), Content_Encoding="gzip"))
    with tape.recording(wire.url) as url:
        recorded = request(url, "POST", "/responses", HELLO)
    with tape.replaying() as url:
        replayed = request(url, "POST", "/responses", HELLO)
    assert recorded.body == replayed.body == body.encode()
    assert "content-encoding" not in recorded.headers.keys() | replayed.headers.keys()


def test_replies_without_a_body_have_none(tape: Tape, wire: Wire) -> None:
    wire.answer(
        b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200 X\r\nContent-Length: 9\r\nX-A: b\r\n\r\n"
    )
    with tape.recording(wire.url) as url:
        recorded = [request(url, "DELETE", "/responses/r"), request(url, "HEAD", "/responses/r")]
    with tape.replaying() as url:
        replayed = [request(url, "DELETE", "/responses/r"), request(url, "HEAD", "/responses/r")]
    shown = [
        [(reply.status, reply.body, reply.headers.get("x-a")) for reply in replies] for replies in (recorded, replayed)
    ]
    assert shown == [[(204, b"", None), (200, b"", "b")]] * 2


def test_a_reply_cut_before_its_length_is_cut_there_again(tape: Tape, wire: Wire) -> None:
    wire.answer(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    with tape.recording(wire.url) as url:
        recorded = request(url, "POST", "/responses", HELLO)
    with tape.replaying() as url:
        replayed = request(url, "POST", "/responses", HELLO)
    assert (recorded.body, recorded.broken) == (replayed.body, replayed.broken) == (b"{", True)
    assert recorded.headers["content-length"] == replayed.headers["content-length"] == "100"


def test_a_date_to_come_back_at_is_recorded_in_seconds(tape: Tape, wire: Wire) -> None:
    at = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))
    wire.answer(error_reply(429, Retry_After=at))
    with tape.recording(wire.url) as url:
        assert request(url, "POST", "/responses", HELLO).headers["retry-after"] == at
    with tape.replaying() as url:
        assert 50 < int(request(url, "POST", "/responses", HELLO).headers["retry-after"]) <= 101


def test_a_server_that_cant_be_reached_is_a_502_and_not_recorded(tape: Tape, wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    wire.answer(lambda _, connection: connection.close())
    with tape.recording(closed) as url, tape.recording(wire.url) as other:
        assert request(url, "POST", "/responses", HELLO).status == 502
        assert errors(url) + errors(other) == [
            f"The recorder got no reply: {closed} can't be reached: Connection refused",
            f"The recorder got no reply: {wire.url} can't be reached: Server disconnected without sending a response",
        ]
    with behind("good")(tape.folder, wire) as env, tape.recording(secured := (env or {})["COMETAPI_BASE_URL"]) as url:
        assert errors(url) == [
            f"The recorder got no reply: {secured} can't be reached:"
            " certificate verify failed: unable to get local issuer certificate"
        ]
    assert (tape.names(), tape.said) == ([], [])


def test_a_large_body_arrives_and_leaves_a_small_file(tape: Tape, wire: Wire) -> None:
    wire.answer(json_reply({"ok": True}))
    body = {"input": "x" * 50_000_000}
    with tape.recording(wire.url) as url:
        assert request(url, "POST", "/responses", body).status == 200
    assert len(wire.requests[0].body) > 50_000_000
    assert [len(text) < 2000 for text in tape.texts()] == [True]
    with tape.replaying() as url:
        assert [request(url, "POST", "/responses", given).status for given in (body, HELLO)] == [200, 404]


def test_several_clients_are_served_at_once_and_the_folder_is_added_to(tape: Tape, wire: Wire) -> None:
    arrived = threading.Barrier(8)

    def script(asked: Request, connection: socket.socket) -> None:
        arrived.wait(60)
        connection.sendall(json_reply({"said": asked.json()["input"]}))

    wire.answer(script)
    for _ in range(2):
        with tape.recording(wire.url) as url, ThreadPoolExecutor(8) as clients:
            replies = clients.map(lambda n: request(url, "POST", "/responses", {"input": str(n)}).json(), range(8))
            assert list(replies) == [{"said": str(n)} for n in range(8)]
    assert [name.partition("-")[0] for name in tape.names()] == [f"{n:04}" for n in range(1, 17)]


# replaying ----------------------------------------------------------------------------------------------------------


def test_the_same_request_is_answered_in_order_then_with_the_last_again(tape: Tape, wire: Wire) -> None:
    wire.answer(*(json_reply({"n": n}) for n in (1, 2)))
    with tape.recording(wire.url) as url:
        recorded = [request(url, "GET", "/responses/r").json()["n"] for _ in range(2)]
    with tape.replaying() as url:
        assert [request(url, "GET", "/responses/r").json()["n"] for _ in range(3)] == [*recorded, 2] == [1, 2, 2]


def test_pauses_are_replayed_unless_it_has_to_be_fast(tape: Tape, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.answer(text_stream("Hi"))
    with tape.recording(wire.url) as url:
        request(url, "POST", "/responses", HELLO)
    [path] = tape.folder.iterdir()
    document = json.loads(path.read_text())
    for row, seconds in zip(document["reply"]["events"], (1000, 2000, 3000), strict=True):
        row[0] = seconds
    path.write_text(json.dumps(document))
    asked: list[float] = []

    def wait(_: Server, seconds: float) -> bool:
        asked.append(round(seconds, -3))
        return True

    monkeypatch.setattr(Server, "wait", wait)
    told = []
    for fast in (False, True):
        with tape.replaying(fast=fast) as url:
            assert b"response.completed" in request(url, "POST", "/responses", HELLO).body
            told.append([seconds for seconds in asked if seconds])
            asked.clear()
    assert told == [[1000, 2000, 3000], []]


def test_a_body_that_is_no_json_is_no_nearest_one(tape: Tape, wire: Wire) -> None:
    wire.answer(json_reply({}))
    with tape.recording(wire.url) as url:
        request(url, "POST", "/responses")
        request(url, "POST", "/responses", {"model": "m", "input": "Hi", "a": 1})
    name = tape.names()[1]
    with tape.replaying() as url:
        told = errors(url, {"model": "n", "input": 7, "a": 2})
    assert told == [
        f"POST /v1/responses was not recorded. The nearest recording, {name}, differs in model"
        ' ("m" there, "n" here), input ("Hi" there, 7 here), a (1 there, 2 here).'
    ]


def test_an_unknown_request_is_told_what_is_nearest_and_different(tape: Tape, wire: Wire) -> None:
    bodies: list[Json] = [
        {"model": "m", "input": "The weather in Oslo"},
        {"model": "m", "input": [{"role": "user", "content": "Hi"}], "tools": [1, 2]},
    ]
    wire.answer(json_reply({}))
    with tape.recording(wire.url) as url:
        for body in bodies:
            request(url, "POST", "/responses", body)
        request(url, "GET", "/responses/resp_1?stream=true")
    first, second, third = tape.names()
    with tape.replaying() as url:
        asked: list[Json] = [
            {"model": "m", "input": "The weather in Rome"},
            {"model": "n", "input": [{"role": "user", "content": "Ho"}], "tools": [1], "a": 1, "b": "x" * 100},
        ]
        told = errors(url, *asked) + errors(url, method="GET", path="/responses/resp_1")
    assert told == [
        f"POST /v1/responses was not recorded. The nearest recording, {first}, differs in input"
        ' ("The weather in Oslo" there, "The weather in Rome" here).',
        f"POST /v1/responses was not recorded. The nearest recording, {second}, differs in model"
        ' ("m" there, "n" here), input[0].content ("Hi" there, "Ho" here), tools ([1, 2] there, [1] here), 2 more.',
        f"GET /v1/responses/resp_1 was not recorded. The nearest recording, {third}, differs in query"
        ' ("stream=true" there, "" here).',
    ]
    assert tape.said == [message.removesuffix(".") for message in told]


def test_loose_replies_are_found_by_the_prompt_alone(tape: Tape, wire: Wire) -> None:
    user = {
        "role": "user",
        "content": [{"type": "input_text", "text": "And in "}, {"type": "input_text", "text": "Rome?"}],
    }
    outputs = [{"type": "function_call_output", "call_id": "call_1", "output": "sunny"}]
    recorded: list[Json] = [
        {"model": "m", "input": "Hi"},
        {"model": "m", "input": "Hi", "stream": True},
        {"model": "m", "input": [user], "previous_response_id": "resp_1", "instructions": "short"},
        {"model": "m", "input": [user, {"type": "function_call", "call_id": "call_1"}, *outputs]},
    ]
    wire.answer(*(json_reply({"n": n}) for n in range(4)))
    with tape.recording(wire.url) as url:
        for body in recorded:
            request(url, "POST", "/responses", body)
    asked: list[Json] = [
        {"model": "other", "input": [{"role": "user", "content": "Hi"}], "temperature": 1},
        {"input": "Hi", "stream": True},
        {"input": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, user]},
        {"input": [user, {"type": "reasoning"}, {**outputs[0], "call_id": "call_2"}]},
        {"input": outputs, "previous_response_id": "resp_2"},
        {"input": "Ho"},
    ]
    with tape.replaying(loose=True) as url:
        replies = [request(url, "POST", "/responses", body) for body in asked]
    assert [reply.json().get("n") for reply in replies] == [0, 1, 2, 3, None, None]
    with tape.replaying() as url:
        assert [request(url, "POST", "/responses", body).status for body in asked] == [404] * 6


def test_a_page_of_another_host_is_refused(tape: Tape, wire: Wire) -> None:
    wire.answer(json_reply({}))
    with tape.recording(wire.url) as url:
        request(url, "GET", "/models")
    with tape.recording(wire.url) as url, tape.replaying() as other:
        for server in (url, other):
            with connected(server) as connection:
                connection.request("GET", "/v1/models", headers={"Origin": "https://evil.example"})
                assert connection.getresponse().status == 403
    assert len(wire.requests) == 1
