"""`batch`: what it sends and answers, when it tries again or ends, and what it shows of that."""

import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable

from cometresp.render.batch_bar import Progress, duration, progress_words
from tests.batch.asked import answering, lines_of, requests_in
from tests.conftest import Command, Forker, Result
from tests.scripted import Request, Wire, call, created, ended, error_reply, response, sse, text_stream
from tests.settings.test_defaults import with_config
from tests.terminals import on_terminal, plain
from tests.waiting import LONGEST


def test_failures_are_counted_by_exit_code_and_asked_again_when_that_is_asked_for(
    ask: Command, wire: Wire, batch: Callable[..., Result]
) -> None:
    worse = {
        "b": error_reply(400, "too long", "context_length_exceeded"),
        "c": sse(created("resp_c"), ended(response(status="failed", error={"code": "server_error", "message": "no"}))),
        "d": sse(created("resp_d"), ended(response(output=[call()]))),
    }

    def script(request: Request, connection: socket.socket) -> None:
        prompt = request.json()["input"]
        connection.sendall(worse.get(prompt) or text_stream("ok", response_id=f"resp_{prompt}"))

    wire.answer(script)
    source = requests_in(ask.home, *({"prompt": name, "custom_id": name} for name in "abcd"))
    assert list(batch(source, "-o", "out", "--text")) == [
        1,
        "",
        "cometresp: error: 2 of 4 failed: 1 with exit code 1 (failed), 1 with exit code 65 (refused by the server)\n"
        "hint: cometresp batch in.jsonl -o out --text --resume --retry-failed asks those that failed again\n",
    ]
    found = {line["custom_id"]: (line["exit"], line.get("error")) for line in lines_of(ask.home / "out")}
    assert found == {
        "a": (0, None),
        "b": (65, "HTTP 400 context_length_exceeded: too long"),
        "c": (1, "resp_1 failed (server_error): no"),
        "d": (5, None),
    }
    wire.requests.clear()
    assert batch(source, "-o", "out", "--text", "--resume").code == 1
    assert wire.requests == []
    worse.clear()
    assert list(batch(source, "-o", "out", "--text", "--resume", "--retry-failed")) == [0, "", ""]
    assert sorted(body["input"] for body in wire.bodies()) == ["b", "c"]
    assert Counter(line["custom_id"] for line in lines_of(ask.home / "out")) == dict.fromkeys("abcd", 1)


def test_what_passes_is_tried_again_and_a_wrong_key_ends_the_run(
    ask: Command, wire: Wire, batch: Callable[..., Result]
) -> None:
    quick = {"retry_after_ms": "1"}
    wire.answer(error_reply(429, **quick), error_reply(503, **quick), error_reply(429, **quick), answering)
    source = requests_in(ask.home, "a")
    assert (batch(source, "--jobs", "1").code, len(wire.requests)) == (1, 3)  # nothing was good meanwhile
    wire.requests.clear()
    assert (batch(source, "--jobs", "1", "--retries", "3").code, len(wire.requests)) == (0, 4)
    wire.answer(error_reply(401, "bad key"))
    wire.requests.clear()
    found = batch(requests_in(ask.home, *"abcdef"), "-o", "out", "--jobs", "2")
    assert (found.code, found.out, len(wire.requests) <= 2) == (77, b"", True)
    assert found.err == (
        "cometresp: error: HTTP 401: bad key\nhint: cometresp batch in.jsonl -o out --jobs 2 --resume continues\n"
    )
    assert (ask.home / "out").read_bytes() == b""


def test_a_run_ends_before_it_costs_more(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(answering)
    source = requests_in(ask.home, *"abcdefgh")
    words = (source, "-o", "out", "--jobs", "2", "--price", "1000,1000")  # 0.03 USD each
    found = batch(*words, "--max-cost", "0.1")
    assert (found.code, found.err.partition(":")[0]) == (9, "cometresp")
    assert "stopped (--max-cost): ~$0.090 of $0.1 spent, and the next request would cost " in found.err
    assert len(lines_of(ask.home / "out")) == 3
    assert batch(*words, "--max-cost", "0.1", "--resume").code == 9  # what was spent before counts
    assert len(wire.requests) == 3
    assert batch(*words, "--max-cost", "0.5", "--resume").code == 0
    assert len(lines_of(ask.home / "out")) == 8


def test_a_run_ends_after_so_many_failures(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(error_reply(400, "no"))
    source = requests_in(ask.home, *"abcdefgh")
    found = batch(source, "-o", "out", "--jobs", "1", "--max-failures", "3")
    assert (found.code, len(wire.requests)) == (1, 3)
    assert found.err.startswith(
        "cometresp: error: 3 of 3 failed: 3 with exit code 65 (refused by the server); stopped with 5 left\n"
    )


def test_limits_of_a_run_can_be_configured(
    ask: Command, wire: Wire, batch: Callable[..., Result], forker: Forker
) -> None:
    wire.answer(error_reply(400, "no"))
    source = requests_in(ask.home, *"abcdefgh")
    with_config(ask, "jobs = 1\nmax_failures = 2\n[profile.p]\nrpm = 0\n")
    assert (batch(source, "-o", "two").code, len(lines_of(ask.home / "two"))) == (1, 2)
    assert (batch(source, "-o", "one", "--fail-fast").code, len(lines_of(ask.home / "one"))) == (1, 1)
    path, message = ask.environ["COMETRESP_CONFIG"], "must be more than 0, not 0"
    refused = batch(source, "--profile", "p")
    assert (refused.code, refused.err) == (
        2,
        f"cometresp: error: --rpm: {message}\nhint: --rpm is set in {path}, profile p\n",
    )
    shown = [forker.run(ask, ["config", "get", name]) for name in ("jobs", "ordered", "shard")]
    assert [(one.code, one.text) for one in shown] == [(0, "1\n"), (0, "false\n"), (2, "")]
    wrong = forker.run(ask, ["config", "set", "jobs", "2000"])
    assert (wrong.code, "jobs: must be between 1 and 1000, not 2000" in wrong.err) == (2, True)


def test_another_model_answers_and_what_came_is_recorded_in_no_chain(
    ask: Command, wire: Wire, forker: Forker, batch: Callable[..., Result]
) -> None:
    def script(request: Request, connection: socket.socket) -> None:
        if request.json()["model"] == "m":
            connection.sendall(error_reply(404, "The model m does not exist", "model_not_found"))
        else:
            answering(request, connection)

    wire.answer(script)
    found = batch(requests_in(ask.home, "a", "b"), "--fallback-model", "n", "--record", "--text", "--ordered")
    assert [json.loads(line)["text"] for line in found.text.splitlines()] == ["<a>", "<b>"]
    assert (found.code, found.err) == (
        0,
        "cometresp: warning: m answered HTTP 404 model_not_found: The model m does not exist; asking n instead\n",
    )
    recorded = [json.loads(line) for line in forker.run(ask, ["log", "--json"]).text.splitlines()]
    rows = recorded[0] if isinstance(recorded[0], list) else recorded
    assert sorted((row["id"], row["model"], row["status"]) for row in rows) == [
        ("resp_a", "n", "completed"),
        ("resp_b", "n", "completed"),
    ]
    assert json.loads(forker.run(ask, ["chains", "--json"]).text or "[]") == []


def test_a_terminal_shows_how_far_it_is_and_what_it_came_to(
    ask: Command, wire: Wire, batch: Callable[..., Result]
) -> None:
    drawn = threading.Event()

    def later(request: Request, connection: socket.socket) -> None:
        drawn.wait(LONGEST)
        answering(request, connection)

    wire.answer(later)
    source = requests_in(ask.home, *"abc")
    words = (source, "-o", "out", "--price", "1000,1000")
    code, screen = on_terminal(ask, "batch", *words, when=b"3 in flight", meanwhile=lambda _: drawn.set())
    shown = plain(screen)
    assert code == 0
    assert "━  0 of 3 · 0 %" in shown
    assert re.search(r"3 of 3 done · 0 tried again\r?\n30 → 60 tokens · ~\$0\.090 · \d+\.\d s\r?\n$", shown)
    assert batch(*words, "--resume", "-q", terminal=True, env={"TERM": "xterm-256color"}).out == b""


def test_progress_is_told_in_words() -> None:
    now = Progress(1204, 2000, 20.06, 39.7, 8)
    assert [progress_words(now), progress_words(now._replace(done=0, rate=0, left=None))] == [
        "1,204 of 2,000 · 60 % · 20.1/s · 0:40 left",
        "0 of 2,000 · 0 %",
    ]
    assert [duration(seconds) for seconds in (0, 59.6, 725, 3723)] == ["0:00", "1:00", "12:05", "1:02:03"]


def test_a_connection_is_used_again_and_one_that_a_server_leaves_open_is_not_waited_for(
    ask: Command, wire: Wire, batch: Callable[..., Result]
) -> None:
    over = threading.Event()

    def script(request: Request, connection: socket.socket) -> None:
        answering(request, connection)
        over.wait(60)

    wire.answer(script)
    found = batch(requests_in(ask.home, "a", "b"), "--jobs", "1", "--text")
    over.set()
    assert [json.loads(line)["text"] for line in found.text.splitlines()] == ["<a>", "<b>"]
    assert (found.code, found.err) == (0, "")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        body = text_stream("ok").partition(b"\r\n\r\n")[2]
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
        accepted = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                accepted.append(connection)
                with connection, connection.makefile("rb") as file:
                    while line := file.readline():
                        if line.lower().startswith(b"content-length:"):
                            length = int(line[15:])
                        elif line == b"\r\n":
                            file.read(length)
                            connection.sendall(head.encode() + body)

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        found = batch(requests_in(ask.home, *"abcd"), "--jobs", "1", "--base-url", url)
        listener.shutdown(socket.SHUT_RDWR)
        server.join()
    assert (found.code, len(accepted)) == (0, 1)
    for connection in accepted:
        connection.close()
