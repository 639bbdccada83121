"""Limits on what a server may make the command read, hold and wait for."""

import gzip
import json
import os
import socket
import subprocess
import sys
import time
import zlib
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conftest import AT_THE_START, Command, Result
from tests.scripted import (
    STREAM_HEAD,
    Request,
    Script,
    Wire,
    created,
    delta,
    ended,
    error_reply,
    frames,
    json_reply,
    message,
    repeating,
    reply,
    response,
    serving,
    sse,
)
from tests.waiting import in_time

ERROR, HINT = "cometresp: error: ", "\nhint: a larger --max-reply-size takes it\n"
MIB = 1 << 20
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"


def zipped(size: int, start: bytes = b"") -> bytes:
    """So many bytes of blanks behind `start`, compressed."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(start) + b"".join(packer.compress(b" " * MIB) for _ in range(size // MIB)) + packer.flush()


def endless(head: bytes, piece: bytes) -> Script:
    """A reply without an end."""

    def script(_: Request, connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece * (65536 // len(piece) + 1))

    return script


LARGE = [
    ("a reply", json_reply(response(message("x" * 3000))), "the reply"),
    ("a compressed reply", reply(200, zipped(8 * MIB, b"{"), content_encoding="gzip"), "the reply"),
    ("an endless reply", endless(JSON, b'["x",'), "the reply"),
    ("endless blanks", endless(JSON, b" "), "the reply"),
    ("a line", sse(delta("x" * 300_000)), "an event of the stream"),
    ("an endless line", endless(STREAM_HEAD, b"data: x"), "an event of the stream"),
    ("endless lines", endless(STREAM_HEAD, b"data: x\n"), "an event of the stream"),
    ("endless empty lines of data", endless(STREAM_HEAD, b"data\r"), "an event of the stream"),
]


@pytest.mark.parametrize(("script", "what"), [row[1:] for row in LARGE], ids=[row[0] for row in LARGE])
def test_what_is_larger_than_the_limit_is_not_read(ask: Command, wire: Wire, script: Script, what: str) -> None:
    wire.answer(script)
    result = ask("ask", "--max-reply-size", "2K", "hi")
    assert list(result) == [76, "", f"{ERROR}{what} is larger than 2K (--max-reply-size){HINT}"]
    assert len(wire.requests) == 1


def test_text_that_came_before_a_large_event_is_printed_and_recorded(ask: Command, wire: Wire) -> None:
    wire.answer(sse(created(), delta("half "), delta("done"), delta("x" * 300_000)), error_reply(404))
    result = ask("ask", "--max-reply-size", "2K", "hi")
    assert (result.code, result.text) == (76, "half done\n")
    assert result.err.startswith(f"{ERROR}an event of the stream is larger than 2K (--max-reply-size)\n")
    [turn] = json.loads(ask("log", "--json").out)
    assert (turn["status"], turn["output"][0]["content"][0]["text"]) == ("cut", "half done")


@pytest.mark.parametrize("ending", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("cut", [True, False])
def test_a_stream_may_be_longer_than_its_events_may_be(ask: Command, wire: Wire, ending: str, cut: bool) -> None:
    events = [created(), *[delta("x" * 500)] * 20, ended(response(message("x" * 10_000)))]
    body = (b": ping\n\nid: 1\n\n" * 10_000 + frames(events)).replace(b"\n", ending.encode())
    lines = body[-30_000:].splitlines(keepends=True) if cut else [body[-30_000:]]
    wire.answer([STREAM_HEAD, body[:-30_000], *lines])
    assert list(ask("ask", "--max-reply-size", "12K", "hi")) == [0, "x" * 10_000 + "\n", ""]


@pytest.mark.parametrize(
    ("given", "bytes_of_reply", "code"),
    [("2500", 2000, 0), ("2k", 2500, 76), ("3K", 2500, 0), ("1M", MIB, 76), ("2MB", MIB, 0), ("1g", MIB, 0)],
)
def test_the_limit_is_in_bytes_or_in_units(
    ask: Command, wire: Wire, given: str, bytes_of_reply: int, code: int
) -> None:
    wire.answer(json_reply(response(message("x" * bytes_of_reply))))
    assert ask("ask", "-o", "out", "--max-reply-size", given, "hi").code == code


@pytest.mark.parametrize("given", ["", "0", "-1", "1T", "x", "1.5M", "9" * 5000, "٣"])
def test_a_limit_that_is_no_size_is_refused(ask: Command, given: str) -> None:
    must = f"--max-reply-size: {given[:40]!r} must be a number of bytes, such as 500000, 10M or 1G"
    assert list(ask("ask", "--max-reply-size", given, "hi")) == [2, "", f"{ERROR}{must}\n"]


PAGE = b"<html><h1>Bad</h1>" + b"x" * 30 * MIB
NO_ANSWER = [
    (200, PAGE, "text/html", 76, "not the Responses API: the reply to POST /v1/responses is text/html"),
    (200, b"x" * 30 * MIB, "application/octet-stream", 76, "not the Responses API: the reply to POST"),
    (401, b"x" * 30 * MIB, "text/plain", 77, "HTTP 401: xxx"),
    (500, PAGE, "text/html", 69, "HTTP 500: Bad xxx"),
]


def peak(ask: Command, *words: str) -> tuple[int, str, str, int]:
    """(exit code, stdout, stderr, most MiB of memory) of a run."""
    measure = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode;"
        "sys.stderr.write(f'\\n{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024}'); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", measure, sys.executable, "-m", "cometresp", *words],
        env=ask.environ,
        cwd=ask.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    err, _, size = done.stderr.rpartition("\n")
    return done.returncode, done.stdout, err, int(size)


@pytest.mark.parametrize(("status", "body", "kind", "code", "told"), NO_ANSWER, ids=["page", "bytes", "401", "500"])
@pytest.mark.parametrize("packed", [True, False], ids=["compressed", "plain"])
def test_of_what_is_no_answer_only_the_start_is_read(
    ask: Command, wire: Wire, status: int, body: bytes, kind: str, code: int, told: str, packed: bool
) -> None:
    sent: list[int] = []

    def script(_: Request, connection: socket.socket) -> None:
        data = gzip.compress(body, 1) if packed else body
        headers = {"content_encoding": "gzip"} if packed else {}
        whole = reply(status, data, kind, **headers)
        for place in range(0, len(whole), 65536):
            connection.sendall(whole[place : place + 65536])
            sent.append(65536)

    wire.answer(script)
    result = ask("ask", "--retries", "0", "hi")
    assert (result.code, result.text) == (code, "")
    assert result.err.startswith(ERROR + told)
    assert packed or sum(sent) < 15 * MIB  # what the buffers of the sockets hold


@cache
def idle_peak(*words: str) -> int:
    """The most MiB of memory of an ordinary run with these words."""
    with TemporaryDirectory() as folder, serving() as wire:
        wire.answer(json_reply(response(message("hi"))))
        environ = {"PATH": os.environ["PATH"], "HOME": folder, **AT_THE_START}
        server = {"COMETAPI_KEY": "sk-test", "COMETAPI_BASE_URL": wire.url, "COMETAPI_DEFAULT_MODEL": "m"}
        return peak(Command(Path(folder), environ | server), "ask", *words, "--no-save", "hi")[3]


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--no-stream",)], ids=["stream", "whole"])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_is_unpacked_piece_by_piece(ask: Command, wire: Wire, words: tuple[str, ...], layers: int) -> None:
    body = zipped(80 * MIB, b'{"x": "')
    names = "gzip"
    if layers > 1:
        body, names = gzip.compress(body), "gzip, gzip"
    wire.answer(reply(200, body, content_encoding=names))
    code, out, err, most = peak(ask, "ask", *words, "--max-reply-size", "10M", "hi")
    assert (code, out, err) == (76, "", f"{ERROR}the reply is larger than 10M (--max-reply-size){HINT}")
    assert most - idle_peak(*words) < 30


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (200, "application/json", "the reply's compression is broken: 3000 encodings, of which at most 5 are undone"),
        (200, "text/event-stream", "the reply's compression is broken: 3000 encodings, of which at most 5 are undone"),
        (
            400,
            "application/json",
            "not the Responses API: HTTP 400: a body whose compression (gzip, gzip, gzip, gzip, gzip, …) is broken",
        ),
    ],
)
def test_a_body_of_more_encodings_than_anyone_sends_is_not_read(
    ask: Command, wire: Wire, status: int, kind: str, told: str
) -> None:
    wire.answer(reply(status, b"x", kind, content_encoding=", ".join(["gzip"] * 3000)))
    assert tuple(ask("ask", "hi")) == (76, "", f"{ERROR}{told}\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", [b": ping\n", b": ping\n\n", b"id: 1\n\n", b"event: x\n\n", b"data:\n\n", b"\n", b" "]
)
def test_an_endless_stream_of_nothing_takes_no_memory(ask: Command, wire: Wire, piece: bytes) -> None:
    wire.answer(endless(STREAM_HEAD, piece))
    code, out, err, most = peak(ask, "ask", "--max-time", "1", "--max-reply-size", "1G", "hi")
    late = f"{ERROR}not finished within the 1 s of --max-time"
    assert (code, out, err.splitlines()[:1]) == (69, "", [late])
    assert most - idle_peak() < 40


# time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [(401, 77, "HTTP 401: not you"), (402, 77, "HTTP 402: not you"), (500, 69, "HTTP 500: not you")],
)
@pytest.mark.slow
def test_an_error_whose_body_drips_is_told_by_its_status(
    ask: Command, wire: Wire, status: int, code: int, told: str
) -> None:
    head = reply(status, b"not you", "text/plain").replace(b"Content-Length: 7", b"Content-Length: 9999")
    wire.answer(repeating(head))
    result = ask("ask", "--retries", "0", "hi")
    assert (result.code, result.text, result.err.splitlines()[0]) == (code, "", ERROR + told)


def test_an_error_whose_body_outlasts_max_time_is_told_by_its_status(ask: Command, wire: Wire) -> None:
    head = reply(401, b"not you", "text/plain").replace(b"Content-Length: 7", b"Content-Length: 9999")
    wire.answer(repeating(head))
    result = in_time(lambda seconds: ask("ask", "--max-time", seconds, "hi"), lambda result: result.ran_out)
    assert (result.code, result.err.splitlines()[0]) == (77, f"{ERROR}HTTP 401: not you")


HEADS = [
    (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
    (b"HTTP/1.1 200 ", b"O"),
]


@pytest.mark.parametrize(("head", "piece"), HEADS, ids=["102", "103", "a header", "headers", "a status line"])
def test_a_reply_whose_head_has_no_end_is_given_up_after_the_timeout(
    ask: Command, wire: Wire, head: bytes, piece: bytes
) -> None:
    def run(seconds: str) -> tuple[str, Result]:
        wire.restart(repeating(head, piece))
        return seconds, ask("ask", "--timeout", seconds, "hi")

    seconds, result = in_time(run, lambda tried: "no data" in tried[1].err)
    assert list(result) == [69, "", f"{ERROR}{wire.url}: no reply within {seconds} s (--timeout)\n"]
    assert len(wire.requests) == 1


@pytest.mark.slow
def test_comments_are_progress_of_a_stream(ask: Command, wire: Wire) -> None:
    def run(seconds: str) -> Result:
        def script(_: Request, connection: socket.socket) -> None:
            connection.sendall(STREAM_HEAD)
            for _number in range(15 * int(seconds)):
                connection.sendall(b": ping\n\n")
                time.sleep(0.1)
            connection.sendall(frames([ended(response(message("late")))]))

        wire.restart(script)
        return ask("ask", "--timeout", seconds, "hi")

    result = in_time(run, lambda result: "no data" in result.err)
    assert list(result) == [0, "late\n", ""]


# what is sent back ------------------------------------------------------------------------------------------------


def test_a_cookie_of_a_reply_is_never_sent_back(ask: Command, wire: Wire) -> None:
    cookie = {"set_cookie": "session=1; Path=/", "retry_after_ms": "1"}
    wire.answer(
        error_reply(429, **cookie), error_reply(503, **cookie), reply(200, "{", **cookie), json_reply(response())
    )
    assert ask("ask", "hi").code == 76
    assert ask("ask", "-H", "Cookie: mine=1", "hi").code == 0
    assert [request.headers.get("cookie") for request in wire.requests] == [None, None, None, "mine=1"]


# integers ---------------------------------------------------------------------------------------------------------


def counted(digits: int, *, streamed: bool) -> bytes:
    """A reply with integers of so many digits, wherever servers have integers."""
    whole = response(message("hi", logprob="@"), created_at="@", usage={"input_tokens": "@", "output_tokens": 1})
    events = [{**event, "sequence_number": "@"} for event in (created(), delta("hi"), ended(whole))]
    body = frames(events) if streamed else json.dumps(whole).encode()
    return reply(200, body.replace(b'"@"', b"9" * digits), "text/event-stream" if streamed else "application/json")


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("digits", [30, 5000, 10_000])
def test_integers_of_any_usual_length_pass_through_unchanged(
    ask: Command, wire: Wire, digits: int, streamed: bool
) -> None:
    wire.answer(counted(digits, streamed=streamed))
    number = "9" * digits
    shown, events = ask("ask", "--json", "hi"), ask("ask", "--events", "hi")
    assert (shown.code, events.code, ask("continue", "--replay", "-u", "more").code) == (0, 0, 0)
    assert f'"logprob": {number}' in shown.text
    assert f'"created_at": {number}' in shown.text
    assert events.text.count(number) == (6 if streamed else 3)
    assert f'"input_tokens": {number}' in ask("log", "--json").text


@pytest.mark.parametrize("digits", [10_001, 1_000_000])
def test_an_integer_that_is_too_long_to_read_is_told(ask: Command, wire: Wire, digits: int) -> None:
    what = "an integer of more than 10000 digits\n"
    wire.answer(counted(digits, streamed=True), counted(digits, streamed=False))
    assert list(ask("ask", "hi")) == [76, "", f"{ERROR}an event of the stream holds {what}"]
    told = f"not the Responses API: the reply to POST /v1/responses is JSON with {what}"
    assert list(ask("ask", "hi")) == [76, "", ERROR + told]
