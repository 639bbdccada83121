"""A stream that breaks is taken up again where it was left, while the server keeps the response (API 7.5, 12.9)."""

import json
import os
import random
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cometresp.answer.answer import Answer
from cometresp.client.client import Client
from cometresp.client.connection import ServerConfig
from cometresp.emulator.server import Emulator
from cometresp.state.records import Settings, Turn
from cometresp.turns.exchange import exchange
from cometresp.turns.resume import Resumption, resume_from_record
from cometresp.wire.events import Event
from tests.conftest import Command, Result
from tests.scripted import (
    STREAM_HEAD,
    Request,
    Wire,
    call,
    created,
    delta,
    ended,
    error_reply,
    frames,
    json_reply,
    message,
    numbered,
    reply,
    response,
    sse,
    text_stream,
)
from tests.turns.tooling import PATIENT
from tests.waiting import in_time, line_with

SEEDS = int(os.environ.get("COMETRESP_TEST_SEEDS", "5"))  # more take long
PROMPT = "Ünïcödé 𝄞 and a long tail of words. " * 20


class Printed:
    """What a user would have been shown."""

    def __init__(self) -> None:
        self.text = ""

    def show(self, _: Event, answer: Answer) -> None:
        self.text += answer.read_new_text()

    def finish(self, answer: Answer) -> None:
        self.text += answer.read_new_text()


def spoken(faults: list[str], folder: Path, *, background: bool = True) -> tuple[str, Answer]:
    body = {"model": "m", "input": PROMPT, "stream": True, "background": background, "store": True}
    printed, answer = Printed(), Answer()
    with (
        Emulator(memory=folder / "memory.db", faults=faults) as emulator,
        Client(ServerConfig(emulator.base_url, loopback=True)) as client,
    ):
        resumption = Resumption(client, background=background, wait=False, retries=9, timeout=None, say=lambda _: None)
        with client.create(body) as events:
            exchange(events, answer, printed, lambda _: None, resumption)
        printed.text += answer.read_new_text()
    return printed.text, answer


@pytest.mark.slow
@pytest.mark.parametrize("background", [True, False])
def test_a_stream_cut_at_random_places_gives_the_text_of_the_uncut_one(tmp_path: Path, background: bool) -> None:
    whole, _ = spoken([], tmp_path)
    with (
        Emulator() as emulator,
        Client(ServerConfig(emulator.base_url, loopback=True)) as client,
        client.create({"model": "m", "input": PROMPT, "stream": True}) as events,
    ):
        sizes = [len(event.raw.encode()) + 40 for event in events]
    length = sum(sizes)

    def cut(seed: int) -> None:
        places = random.Random(seed)
        cuts = [sizes[0] + places.randint(1, length // 6), *(places.randint(1, length // 6) for _ in range(9))]
        faults = [f"cut={cut}@{n}" for n, cut in enumerate(cuts, 1)]  # the first behind the event that has the id
        folder = tmp_path / str(seed)
        folder.mkdir()
        text, answer = spoken(faults, folder, background=background)
        assert (text, answer.text, answer.status) == (whole, whole, "completed"), faults

    with ThreadPoolExecutor(SEEDS) as pool:  # what takes time is the pauses
        list(pool.map(cut, range(SEEDS)))


STREAM = numbered(created(), delta("one "), delta("two "), delta("three"), ended(response(message("one two three"))))


def test_a_cut_stream_is_followed_from_its_last_event(ask: Command, wire: Wire) -> None:
    wire.answer(STREAM_HEAD + frames(STREAM[:2]), STREAM_HEAD + frames(STREAM))  # all again: what was seen is dropped
    assert tuple(ask("stream", "hi")) == (0, "one two three\n", "")
    assert [request.path for request in wire.requests] == [
        "/v1/responses",
        "/v1/responses/resp_1?stream=true&starting_after=1",
    ]
    assert ask("chains", "head").text == "resp_1\n"


@pytest.mark.parametrize("refusal", [error_reply(404), error_reply(400), reply(200, "<html>", "text/html")])
def test_where_following_is_not_offered_the_whole_response_is_fetched(ask: Command, wire: Wire, refusal: bytes) -> None:
    wire.answer(STREAM_HEAD + frames(STREAM[:2]), refusal, json_reply(response(message("one two three"))))
    assert tuple(ask("stream", "hi")) == (0, "one two three\n", "")
    assert [request.path for request in wire.requests][2:] == ["/v1/responses/resp_1"]


def test_a_stream_without_numbers_is_fetched_whole(ask: Command, wire: Wire) -> None:
    wire.answer(sse(created(), delta("one ")), json_reply(response(message("one two"))))
    assert tuple(ask("stream", "hi")) == (0, "one two\n", "")


@pytest.mark.parametrize(
    "gone",
    [error_reply(404), reply(301, "", Location="/"), json_reply(response(message("other"), response_id="resp_9"))],
)
def test_where_there_is_no_way_back_what_came_is_kept(ask: Command, wire: Wire, gone: bytes) -> None:
    wire.answer(STREAM_HEAD + frames(STREAM[:2]), gone)
    assert tuple(ask("stream", "hi")) == (
        69,
        "one \n",
        "cometresp: error: the stream ended before the answer was complete\n"
        "hint: cometresp get resp_1 shows what became of it\n",
    )


@pytest.mark.parametrize("words", [["--no-store"], ["--retries", "0"]])
def test_a_response_that_nobody_keeps_is_not_asked_for(ask: Command, wire: Wire, words: list[str]) -> None:
    wire.answer(STREAM_HEAD + frames(STREAM[:2]))
    assert (ask("stream", "hi", *words).code, len(wire.requests)) == (69, 1)


def test_a_stream_that_brings_nothing_new_is_given_up(ask: Command, wire: Wire) -> None:
    wire.answer(STREAM_HEAD + frames(STREAM[:2]))
    assert (ask("stream", "hi").code, len(wire.requests)) == (69, 5)


def turn(*output: dict[str, Any]) -> Turn:
    known = {"n": 1, "id": "r1", "number": 1, "chain": "c", "base_url": "u", "settings": Settings(), "status": "cut"}
    given: dict[str, Any] = {**dict.fromkeys(Turn._fields), **known, "sequence": 4, "output": list(output)}
    return Turn(**given)


def test_an_answer_is_taken_up_with_items_that_were_half_there() -> None:
    thought = {
        "type": "reasoning",
        "id": "rs",
        "status": "completed",
        "summary": [{"type": "summary_text", "text": "t"}],
    }
    half = {**call(arguments='{"city":'), "status": "in_progress"}
    answer = Answer()
    resume_from_record(answer, "r1", 4, turn(thought, half))
    for kind in ("delta", "done"):
        text = '"Oslo"}' if kind == "delta" else '{"city":"Oslo"}'
        name = "delta" if kind == "delta" else "arguments"
        data: dict[str, Any] = {
            "type": f"response.function_call_arguments.{kind}",
            "output_index": 1,
            "item_id": "fc_1",
            name: text,
        }
        answer.apply(Event(data["type"], data, json.dumps(data)))
        assert [item["type"] for item in answer.output] == ["reasoning", "function_call"]
        assert answer.output[1]["arguments"] == '{"city":"Oslo"}'
    assert (answer.id, answer.status, answer.last_sequence, answer.reasoning) == ("r1", "in_progress", 4, "t")


# background -----------------------------------------------------------------------------------------------------------


def pending(status: str = "queued") -> bytes:
    return json_reply(response(status=status, background=True))


def test_background_with_wait_shows_the_answer(ask: Command, wire: Wire) -> None:
    wire.answer(pending(), json_reply(response(message("done"), background=True)))
    assert tuple(ask("ask", "--background", "--wait", "hi")) == (0, "done\n", "")
    assert [request.method for request in wire.requests] == ["POST", "GET"]
    assert ask("chains", "head").text == "resp_1\n"


def test_a_wait_that_runs_out_ends_with_7(ask: Command, wire: Wire) -> None:
    def run(seconds: str) -> Result:
        wire.restart(pending(), pending("in_progress"))
        return ask("ask", "--background", "--wait", "--max-time", seconds, "hi")

    result = in_time(run, lambda result: result.ran_out or "queued" in result.err)  # nothing came, or no poll
    assert (result.code, result.err) == (
        7,
        "cometresp: error: resp_1 is still in progress\nhint: cometresp get resp_1 --wait\n",
    )


def never(_: Request, connection: socket.socket) -> None:
    connection.recv(1)


@pytest.mark.parametrize("text", ["", "half"])
@pytest.mark.parametrize("ends", [True, False])
def test_a_wait_whose_stream_broke_and_whose_poll_hangs_ends_with_7(
    ask: Command, wire: Wire, text: str, ends: bool
) -> None:
    begun = sse(*numbered(created(), *([delta(text)] if text else [])))

    def hang(_: Request, connection: socket.socket) -> None:
        connection.sendall(begun)
        connection.recv(1)

    def run(seconds: str) -> Result:
        wire.restart(begun if ends else hang, never)
        return ask("ask", "--background", "--wait", "--max-time", seconds, "hi")

    result = in_time(run, lambda result: result.ran_out or text not in result.text)
    told = "cometresp: error: resp_1 is still in progress\nhint: cometresp get resp_1 --wait\n"
    assert list(result) == [7, f"{text}\n" if text else "", told]
    wire.answer(sse(*numbered(delta(" done"), ended(response(message("half done"))), first=2)))
    if text:
        assert list(ask("get", "last", "--stream")) == [0, " done\n", ""]


def test_wait_goes_with_background(ask: Command) -> None:
    assert ask("ask", "--wait", "hi").code == 2


def test_a_server_that_runs_background_in_the_foreground_is_told_of(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message("done"))), error_reply(404))
    assert tuple(ask("ask", "--background", "--verbose", "hi")) == (
        0,
        "resp_1\n",
        "the server ran it at once, in the foreground: cometresp get resp_1 shows the answer\n",
    )
    assert ask("chains", "head").text == "resp_1\n"


def interrupted(ask: Command, wire: Wire, *, again: bool) -> tuple[int, str]:
    def hang(_: Any, connection: Any) -> None:
        connection.sendall(STREAM_HEAD + frames(numbered(created(background=True), delta("half"))))
        connection.recv(1)

    wire.answer(hang, json_reply(response(status="cancelled")))
    program = PATIENT if again else ("-m", "cometresp")
    process = ask.popen("stream", "--background", "--verbose", "hi", program=program)
    assert process.stdout is not None
    assert process.stdout.read(4) == b"half"
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    line_with(b"interrupt again", process.stderr)
    if again:
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    return process.returncode, err.decode()


@pytest.mark.slow
def test_an_interrupt_leaves_a_background_stream_running(ask: Command, wire: Wire) -> None:
    assert interrupted(ask, wire, again=False) == (
        130,
        "cometresp: error: interrupted\n"
        "hint: resp_1 is still running: cometresp get resp_1 --stream follows it, cometresp cancel resp_1 ends it\n",
    )
    assert len(wire.requests) == 1


def test_a_second_interrupt_cancels_it(ask: Command, wire: Wire) -> None:
    assert interrupted(ask, wire, again=True) == (
        130,
        "cometresp: error: interrupted; resp_1 was cancelled\nhint: what came is kept: cometresp log resp_1\n",
    )
    assert (wire.requests[1].method, wire.requests[1].path) == ("POST", "/v1/responses/resp_1/cancel")


@pytest.mark.slow
@pytest.mark.parametrize("words", [("ask", "--background", "--wait"), ("stream", "--background")])
def test_an_interrupt_is_heard_while_the_way_back_is_sought(ask: Command, wire: Wire, words: tuple[str, ...]) -> None:
    def hang(_: Any, connection: Any) -> None:
        asked.set()
        connection.recv(1)

    asked = threading.Event()
    first = pending() if "--wait" in words else STREAM_HEAD + frames(STREAM[:2])
    wire.answer(first, hang, json_reply(response(status="cancelled")))  # the second signal may cancel it
    process = ask.popen(*words, "hi")
    assert asked.wait(30)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err.decode().startswith("cometresp: error: interrupted")) == (130, True)


def test_the_text_of_a_plain_stream_needs_no_way_back(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("whole"))
    assert (ask("stream", "hi").text, len(wire.requests)) == ("whole\n", 1)
