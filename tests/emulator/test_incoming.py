"""Requests as bytes: whose pages are answered, framing that is wrong, sizes, slow clients, and any bytes at all."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import reduce
from operator import getitem
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.emulator.server import Emulator
from tests.conftest import Command

from .talk import connected

BODY = json.dumps({"model": "m", "input": "Hello"}).encode()


def raw(emulator: Emulator, sent: bytes) -> tuple[int, Any]:
    """The status of the reply to these bytes, and the code of the error in it, once the server has closed.

    What is sent has to be one request: after its reply the client sends nothing more.
    """
    with connected(emulator) as connection:
        connection.connect()
        connection.sock.sendall(sent)
        connection.sock.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.sock.recv(4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 "), answer
    assert b"\r\nContent-Type: application/json\r\n" in head
    error = json.loads(body).get("error")
    assert error is None or error.keys() == {"message", "type", "param", "code"}
    return int(head.split()[1]), error and error["code"]


def posted(emulator: Emulator, head: str, body: bytes = b"") -> tuple[int, Any]:
    lines = "\r\n".join(["POST /v1/responses HTTP/1.1", *filter(None, ["Host: 127.0.0.1", head]), "", ""])
    return raw(emulator, lines.encode("latin-1") + body)


CHUNKED = "Transfer-Encoding: chunked"
WHOLE = f"Content-Length: {len(BODY)}"
IN_CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        *((f"Content-Length: {length}", BODY) for length in ("x", "-1", "+2", "1_0", "0x2", "2.0", "", "5, 5", "\xb2")),
        ("Content-Length: 2\r\nContent-Length: 2", b"{}"),
        (f"{WHOLE}\r\n{CHUNKED}", IN_CHUNKS),
        ("Transfer-Encoding: gzip", BODY),
        ("Transfer-Encoding: gzip, chunked", IN_CHUNKS),
        (f"{CHUNKED}\r\n{CHUNKED}", IN_CHUNKS),
        *(
            (CHUNKED, b"%b\r\n{}\r\n0\r\n\r\n" % size)
            for size in (b"x", b"", b"-2", b"+2", b"0x2", b"2_0", b" 2", b"2 2", b"2,", b"2\r")
        ),
        (CHUNKED, b"2\n{}\r\n0\r\n\r\n"),
        (CHUNKED, b"2\r\n{}0\r\n\r\n"),
        (CHUNKED, b"2\r\n{} \r\n0\r\n\r\n"),
        (CHUNKED, b"2;" + b"x" * 2000 + b"\r\n{}\r\n0\r\n\r\n"),
        (CHUNKED, b"2\r\n{}\r\n0\r\n" + b"X: x\r\n" * 200),
        ("Content-Length : 2", b"{}"),
        ("Host: localhost", b""),
    ],
)
def test_a_request_whose_framing_is_wrong_is_a_400(emulator: Emulator, head: str, body: bytes) -> None:
    assert posted(emulator, head, body) == (400, "bad_request_body")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (WHOLE, BODY),
        (f"content-length:\t{len(BODY)} ", BODY),
        (CHUNKED, IN_CHUNKS),
        ("Transfer-Encoding: Chunked", b"%x ;note=x\r\n%b\r\n000\r\nX: x\r\n\r\n" % (len(BODY), BODY)),
    ],
)
def test_a_request_whose_framing_is_right_is_answered(emulator: Emulator, head: str, body: bytes) -> None:
    assert posted(emulator, f"Connection: close\r\n{head}", body) == (200, None)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Length: 750000001", b""),
        (f"Content-Length: {'9' * 5000}", b""),
        (CHUNKED, b"2cb41781\r\n"),
        (CHUNKED, b"f" * 900 + b"\r\n"),
        (CHUNKED, b"2\r\n{}\r\n2cb41780\r\n"),
    ],
)
def test_a_body_over_the_limit_is_a_413_before_it_is_read(emulator: Emulator, head: str, body: bytes) -> None:
    assert posted(emulator, head, body) == (413, "body_too_large")


def test_the_reply_to_a_body_over_the_limit_reaches_a_client_that_goes_on_sending(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cometresp.emulator.incoming.MAX_BODY", 1000)
    assert posted(emulator, "Content-Length: 20000000", bytes(20_000_000)) == (413, "body_too_large")


def test_a_client_that_expects_it_is_told_to_continue_only_if_the_head_is_right(emulator: Emulator) -> None:
    expects = "Expect: 100-continue"
    assert posted(emulator, f"{expects}\r\nContent-Length: 750000001") == (413, "body_too_large")
    with connected(emulator) as connection:
        connection.connect()
        connection.sock.sendall(
            f"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\n{expects}\r\n{WHOLE}\r\n\r\n".encode()
        )
        assert connection.sock.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sock.sendall(BODY)
        assert connection.sock.recv(4096).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"GET /v1/models HTTP/1.1\r\nHost: ::1\r\nX: " + b"x" * 66_000 + b"\r\n\r\n", (431, "bad_request_head")),
        (b"GET /v1/models HTTP/1.1\r\n" + b"X: x\r\n" * 200 + b"\r\n", (431, "bad_request_head")),
        (b"GET /v1/models HTTP/1.1\r\n" + (b"X: " + b"x" * 900 + b"\r\n") * 90 + b"\r\n", (431, "headers_too_large")),
        (b"GET /" + b"x" * 66_000 + b" HTTP/1.1\r\n\r\n", (414, "bad_request_head")),
        (b"GET /v1/models HTTP/1.1\r\n\r\n", (400, "bad_request_body")),
        (b"GET /v1/models\r\n\r\n", (400, "bad_request_head")),
        (b"GET /v1/models HTTP/x\r\n\r\n", (400, "bad_request_head")),
        (b"GET /v1/models HTTP/2.0\r\n\r\n", (505, "bad_request_head")),
        (b"\x16\x03\x01\x02\x00 \xff\r\n\r\n", (400, "bad_request_head")),
        (b"BREW /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", (501, "bad_request_head")),
        (b"GET http://[::1/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", (400, "bad_request_body")),
    ],
)
def test_a_head_that_is_wrong_is_an_error_of_the_api_s_shape(
    emulator: Emulator, sent: bytes, expected: tuple[int, str]
) -> None:
    assert raw(emulator, sent) == expected


HOSTS = ["localhost", "LocalHost:80", "127.0.0.1", "127.9.9.9:8123", "127.1", "[::1]", "[::1]:8123", "127.0.0.1:"]
FOREIGN = [
    "evil.example",
    "evil.example:8123",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "x.localhost",
    "127.0.0.1@evil.example",
    "evil.example#localhost",
    "localhost/",
    "0.0.0.0",
    "[::]",
    "[::ffff:10.0.0.1]",
    "10.0.0.1",
    "128.0.0.1",
    "127.0.0.256",
    "",
    "localhost:80:80",
    "localhost localhost",
    "loc\xe4lhost",
]


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_of_this_machine_is_served(emulator: Emulator, host: str) -> None:
    get = "GET /v1/models HTTP/1.1\r\nConnection: close"
    assert raw(emulator, f"{get}\r\nHost: {host}\r\n\r\n".encode()) == (200, None)
    assert raw(emulator, f"{get}\r\nHost: localhost\r\nOrigin: http://{host}\r\n\r\n".encode()) == (200, None)
    assert raw(emulator, f"{get.replace('/v1', f'http://{host}/v1')}\r\nHost: x\r\n\r\n".encode())[0] == 403


@pytest.mark.parametrize("host", FOREIGN)
def test_another_host_is_a_403(emulator: Emulator, host: str) -> None:
    get = "GET /v1/models HTTP/1.1"
    assert raw(emulator, f"{get}\r\nHost: {host}\r\n\r\n".encode("latin-1")) == (403, "forbidden_host")
    with_origin = f"{get}\r\nHost: localhost\r\nOrigin: https://{host}\r\n\r\n"
    assert raw(emulator, with_origin.encode("latin-1")) == (403, "forbidden_origin")


@pytest.mark.parametrize("origin", ["null", "", "file://", "chrome-extension://abc", "localhost", "ftp://localhost"])
def test_a_page_without_an_address_of_this_machine_is_a_403(emulator: Emulator, origin: str) -> None:
    sent = f"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n{WHOLE}\r\n\r\n".encode() + BODY
    assert raw(emulator, sent) == (403, "forbidden_origin")


def test_the_host_of_a_target_that_is_a_url_counts_too(emulator: Emulator) -> None:
    for target, status in (("http://localhost/v1/models", 200), ("http://evil.example/v1/models", 403), ("*", 403)):
        head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        assert raw(emulator, head.encode())[0] == status


def test_a_refused_page_changes_nothing_and_counts_as_no_request() -> None:
    with Emulator(faults=["500@1"]) as emulator:
        head = f"POST /v1/responses HTTP/1.1\r\nHost: evil.example\r\n{WHOLE}\r\n\r\n"
        assert raw(emulator, head.encode() + BODY) == (403, "forbidden_host")
        assert posted(emulator, f"Connection: close\r\n{WHOLE}", BODY)[0] == 500


def test_curl_and_the_command_are_served_under_every_name_of_this_machine(emulator: Emulator, run: Command) -> None:
    for host in ("localhost", "127.0.0.1"):
        url = emulator.base_url.replace("127.0.0.1", host)
        assert run("ask", "--base-url", url, "-m", "emulator", "--no-save", "hi").code == 0
        if curl := shutil.which("curl"):
            words = [curl, "-s", "-o", os.devnull, "-w", "%{http_code}", "--noproxy", "*", f"{url}/models"]
            assert subprocess.run(words, capture_output=True, check=False).stdout == b"200"


def test_a_slow_client_holds_no_other_and_is_given_up(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        waiting = [stack.enter_context(connected(emulator)) for _ in range(30)]
        for number, connection in enumerate(waiting):
            connection.connect()
            connection.sock.sendall(
                f"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\n{WHOLE}\r\n\r\n".encode()[: 30 + 5 * number]
            )
        assert posted(emulator, f"Connection: close\r\n{WHOLE}", BODY) == (200, None)
    monkeypatch.setattr("cometresp.emulator.listening._READ_SECONDS", 0.05)
    with connected(emulator) as connection:
        connection.connect()
        connection.sock.sendall(f"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\n{WHOLE}\r\n\r\n".encode())
        assert connection.sock.recv(4096).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("depth", [150, 400, 900, 3000, 100_000])
@pytest.mark.parametrize("strict", ["true", "false"])
def test_deep_json_and_deep_schemas_are_a_400(emulator: Emulator, depth: int, strict: str) -> None:
    opened, closed = '{"type":"object","properties":{"a":', '},"required":["a"],"additionalProperties":false}'
    schema = opened * depth + '{"type":"string"}' + closed * depth
    name = f'"name":"f","strict":{strict}'
    fields = [
        f'"tools":[{{"type":"function",{name},"parameters":{schema}}}]',
        f'"text":{{"format":{{"type":"json_schema",{name},"schema":{schema}}}}}',
        f'"unknown":{"[" * depth}{"]" * depth}',
    ]
    for field in fields:
        body = f'{{"model":"m","input":"f",{field}}}'.encode()
        status, _ = posted(emulator, f"Connection: close\r\nContent-Length: {len(body)}", body)
        assert status == 400 or (status == 200 and depth < 1000)


def received(emulator: Emulator, sent: bytes) -> bytes:
    with connected(emulator) as connection:
        connection.connect()
        connection.sock.sendall(sent)
        connection.sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.sock.recv(65_536), b""))


REQUESTS = [
    b"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY),
    b"POST /v1/responses HTTP/1.1\r\nHost: [::1]:80\r\nOrigin: http://localhost\r\nExpect: 100-continue\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n%b" % IN_CHUNKS,
    b"GET /v1/responses/resp_x/input_items?limit=2&after=%41 HTTP/1.1\r\nHost: 127.0.0.1:8\r\n\r\n" * 2,
    b"DELETE http://localhost/v1/conversations/conv_1/items/i?x=%zz HTTP/1.0\r\n\r\n",
]
HEADERS = [b"Content-Length: ", b"Content-Type: multipart/mixed; boundary=x\r\n", b"Content-Type: message/rfc822\r\n"]
PIECES = st.binary(max_size=8) | st.sampled_from(
    [b"\r\n", b"\n", b"\0", b":", b" ", b"//", b"?", b"9" * 50, b"0x2", b"+2", b"[", b"HTTP/1.1", b"Host: ", *HEADERS]
)
CHANGES = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 20), PIECES), max_size=5)


@given(st.binary(max_size=200) | st.sampled_from(REQUESTS), CHANGES)
def test_any_bytes_are_answered_by_http_and_by_no_bug(
    emulator: Emulator, sent: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    for place, length, piece in changes:
        sent = sent[:place] + piece + sent[place + length :]
    answer = received(emulator, sent)
    assert answer.startswith(b"HTTP/1.1 ") or not answer  # nothing where a body was cut short
    assert b"emulator_bug" not in answer


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "auto", "#", "object", "array", "string", "f", "data:,", "(a+)+$", "\ud800", "\0"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)
SCHEMA: Any = {
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/a"}, "b": {"type": "array", "items": {"type": "number", "minimum": 3}}},
    "$defs": {"a": {"anyOf": [{"type": "string", "pattern": "(a+)+$", "minLength": 2}, {"enum": ["x"]}]}},
}
WHOLE_BODY: Any = {
    "model": "m",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": f"{'a' * 40}! f emulate:mcp emulate:reasoning"}]},
        {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}]},
        {"role": "user", "content": [{"type": "input_file", "filename": "x", "file_data": "data:a/b;base64,AA=="}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "x"}]},
        {"type": "reasoning", "summary": []},
        {"type": "mcp_approval_request", "id": "a", "name": "n", "server_label": "l", "arguments": "{}"},
        {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True, "reason": "r"},
    ],
    "tools": [
        {"type": "function", "name": "f", "strict": False, "parameters": SCHEMA},
        {
            "type": "mcp",
            "server_label": "l",
            "server_url": "u",
            "require_approval": {"never": {"tool_names": ["echo"]}},
        },
        {"type": "code_interpreter", "container": {"type": "auto"}},
    ],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}},
    "reasoning": {"summary": "auto"},
    "metadata": {"a": "b"},
    "stream": False,
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(inner, (*path, key))


@given(st.lists(st.tuples(st.sampled_from(list(places(WHOLE_BODY))), VALUES), max_size=2))
def test_any_values_in_a_body_are_answered_and_by_no_bug(
    emulator: Emulator, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    body = json.loads(json.dumps(WHOLE_BODY))
    for path, value in changes:
        with suppress(LookupError, TypeError):  # the first change may have replaced what the second is about
            reduce(getitem, path[:-1], body)[path[-1]] = value
    data = json.dumps(body).encode()
    status, code = posted(emulator, f"Connection: close\r\nContent-Length: {len(data)}", data)
    assert status in (200, 400, 404) or (status, code) == (500, "invalid_request")  # as the gateway has it (API 8.2)
