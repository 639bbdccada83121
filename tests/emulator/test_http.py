import http.client
import json
import re
import signal
import socket
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from cometresp.emulator.server import Emulator

from .talk import connected

BODY = json.dumps({"model": "m", "input": "Hello"}).encode()
SLOW = json.dumps({"model": "m", "input": "emulate:slow", "stream": True}).encode()


def send(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection.request(method, path, body)
    reply = connection.getresponse()
    data = reply.read()
    return reply.status, json.loads(data) if data else None


def test_several_requests_share_a_connection(emulator: Emulator) -> None:
    with connected(emulator) as connection:
        status, created = send(connection, "POST", "/v1/responses", BODY)
        assert (status, created["status"]) == (200, "completed")
        assert send(connection, "POST", "/v1/nothing", BODY)[0] == 404
        assert send(connection, "GET", f"/v1/responses/{created['id']}") == (200, created)


def test_a_chunked_body_is_read(emulator: Emulator) -> None:
    with connected(emulator) as connection:
        status, created = send(connection, "POST", "/v1/responses", iter([BODY[:10], BODY[10:]]))
        assert (status, created["status"]) == (200, "completed")
        assert send(connection, "GET", "/v1/models")[0] == 200


def test_errors_have_the_gateway_s_shape_and_headers(emulator: Emulator) -> None:
    with connected(emulator) as connection:
        connection.request("GET", "/v1/responses/resp_x")
        reply = connection.getresponse()
        error = json.loads(reply.read())["error"]
    request_id = reply.getheader("x-request-id")
    assert request_id is not None
    assert re.fullmatch(r"[0-9a-f]{32}", request_id)
    assert reply.getheader("x-cometapi-request-id") == request_id
    assert (reply.status, error) == (
        404,
        {
            "message": f"Response with id 'resp_x' not found. (request id: {request_id})",
            "type": "comet_api_error",
            "param": "response_id",
            "code": "not_found",
        },
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/v1/models/unknown", 404),
        ("PUT", "/v1/responses", 405),
        ("HEAD", "/v1/models", 405),
        ("GET", "/v1/responses", 405),
        ("PATCH", "/v1/nothing", 405),
    ],
)
def test_unknown_paths_and_methods_are_errors(emulator: Emulator, method: str, path: str, status: int) -> None:
    with connected(emulator) as connection:
        assert send(connection, method, path)[0] == status
        assert send(connection, "GET", "/v1/models/emulator")[0] == 200


def test_models_are_listed_in_both_catalogues(emulator: Emulator) -> None:
    with connected(emulator) as connection:
        _, models = send(connection, "GET", "/v1/models")
        _, catalogue = send(connection, "GET", "/api/models")
        _, one = send(connection, "GET", "/v1/models/emulator")
    assert [model["id"] for model in models["data"]] == [entry["id"] for entry in catalogue["data"]]
    assert one == models["data"][0]


def test_a_stream_is_framed_as_server_sent_events(emulator: Emulator) -> None:
    with connected(emulator) as connection:
        connection.request("POST", "/v1/responses", json.dumps({"model": "m", "input": "Grüße", "stream": True}))
        reply = connection.getresponse()
        frames = reply.read().decode().split("\n\n")
        assert send(connection, "GET", "/v1/models")[0] == 200
    assert reply.getheader("Content-Type") == "text/event-stream; charset=utf-8"
    assert frames.pop() == ""
    lines = [frame.split("\n") for frame in frames]
    events = [json.loads(data.removeprefix("data: ")) for _, data in lines]
    assert [head for head, _ in lines] == [f"event: {event['type']}" for event in events]
    assert "Grüße" in "".join(frames)


def test_an_old_client_gets_an_unchunked_stream(emulator: Emulator) -> None:
    body = json.dumps({"model": "m", "input": "Hello", "stream": True}).encode()
    with connected(emulator) as connection:
        connection.connect()
        connection.sock.sendall(b"POST /v1/responses HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        answer = b"".join(iter(lambda: connection.sock.recv(4096), b""))
    assert answer.partition(b"\r\n\r\n")[2].startswith(b"event: response.created\ndata: {")


def test_a_lone_surrogate_is_returned_unchanged(emulator: Emulator) -> None:
    with connected(emulator) as connection:
        _, created = send(connection, "POST", "/v1/responses", json.dumps({"model": "m", "input": "x \ud800 x"}))
    assert "x \ud800 x" in created["output"][0]["content"][0]["text"]


def test_a_bug_is_an_error_of_the_api_s_shape_and_its_traceback_is_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise LookupError("of \x1b]0;x\x07")

    monkeypatch.setattr("cometresp.emulator.store.Store.get", broken)
    with Emulator() as emulator, connected(emulator) as connection:
        status, body = send(connection, "GET", "/v1/responses/resp_1")
        assert send(connection, "GET", "/v1/models")[0] == 200
    assert (status, body["error"]["code"], body["error"]["type"]) == (500, "emulator_bug", "comet_api_error")
    assert body["error"]["message"].startswith("The emulator has a bug: LookupError: of \x1b]0;x\x07 (request id: ")
    out, err = capfd.readouterr()
    lines = err.splitlines()
    assert (out, lines[:2]) == ("", ["emulator: a request failed", "Traceback (most recent call last):"])
    assert lines[-1] == r"LookupError: of \x1b]0;x\x07"


def test_a_client_that_disconnects_is_not_reported(capfd: pytest.CaptureFixture[str]) -> None:
    with Emulator(delay=0.001) as emulator:
        with connected(emulator) as connection:
            connection.request("POST", "/v1/responses", json.dumps({"model": "m", "input": "Hello", "stream": True}))
            connection.getresponse().read(10)
        with connected(emulator) as connection:
            assert send(connection, "GET", "/v1/models")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_the_emulator_stops_without_waiting_for_a_stream() -> None:
    with Emulator() as emulator:
        connection = http.client.HTTPConnection(emulator.base_url.split("/")[2], timeout=60)
        connection.request("POST", "/v1/responses", SLOW)
        reply = connection.getresponse()
        reply.read(10)
    with pytest.raises(http.client.IncompleteRead) as caught:  # the whole stream takes seconds
        reply.read()
    assert b"response.completed" not in caught.value.partial
    connection.close()


def test_a_taken_port_is_an_oserror(emulator: Emulator) -> None:
    port = int(emulator.base_url.split(":")[2].removesuffix("/v1"))
    with pytest.raises(OSError, match="in use"):
        Emulator(port=port)


def test_only_loopback_is_served(emulator: Emulator) -> None:
    assert emulator.base_url.startswith("http://127.0.0.1:")
    port = int(emulator.base_url.split(":")[2].removesuffix("/v1"))
    socket.create_connection(("127.0.0.1", port)).close()
    for elsewhere in ("127.0.0.2", "::1"):  # a server on all addresses would answer here
        with pytest.raises(OSError, match=r"refused|[Aa]ssign|[Aa]vailable|reachable|supported"):
            socket.create_connection((elsewhere, port))


def to_main_thread() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def to_another_thread() -> None:
    """The system may do so too; it leaves the main thread waiting."""
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("kill", [to_main_thread, to_another_thread])
def test_serving_in_the_foreground_passes_an_exception_on(kill: Callable[[], None]) -> None:
    emulator = Emulator()

    def interrupt() -> None:
        with connected(emulator) as connection:
            assert send(connection, "GET", "/v1/models")[0] == 200  # it serves
        kill()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    client = threading.Thread(target=interrupt)
    client.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            emulator.serve_forever()
    finally:
        signal.signal(signal.SIGINT, before)
    client.join()
    Emulator(port=int(emulator.base_url.split(":")[2].removesuffix("/v1"))).__exit__()


def test_the_exception_of_a_signal_ends_the_server_also_while_a_request_arrives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class StopError(Exception):
        """As the command's signal handlers raise it."""

    def interrupted(*_: object) -> None:
        raise StopError

    monkeypatch.setattr(ThreadingHTTPServer, "process_request", interrupted)
    emulator = Emulator()
    address = ("127.0.0.1", int(emulator.base_url.rpartition(":")[2].partition("/")[0]))
    with socket.create_connection(address), pytest.raises(StopError):
        emulator.serve_forever()
