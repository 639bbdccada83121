"""`get`: waiting through faults, following from the record, and the heads that waited for an answer."""

import json
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from cometresp.render.screen import Polling
from tests.conftest import Command, Result
from tests.jobs import job
from tests.one_response import AT_ONCE, END, STREAM, WHOLE, cut_after, queued
from tests.recorded import heads, record_of
from tests.scripted import Wire, error_reply, json_reply, message, response, sse, text_stream
from tests.terminals import plain
from tests.waiting import LONGEST, in_time, until

# waiting ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_waiting_rides_out_what_passes(ask: Command, wire: Wire) -> None:
    wire.answer(
        error_reply(503, **AT_ONCE),
        error_reply(503, **AT_ONCE),
        error_reply(429, retry_after="1"),
        queued(),
        b"",
        json_reply(WHOLE),
    )
    result = ask("get", "r1", "--wait", "--verbose")
    assert (result.code, result.text, len(wire.requests)) == (0, "Grüße, one two three\n", 6)
    again = "asking for r1 again until there is an answer"
    assert result.err.splitlines() == [
        f"cometresp: warning: HTTP 503: no; {again}",
        "r1 is queued",
    ]


@pytest.mark.slow
def test_a_background_response_is_fetched_by_the_id_that_ask_printed(run: Command) -> None:
    asked = run("ask", "--offline", "--background", "a tale")
    result = run("get", "--offline", "-", "--wait", stdin=asked.out)
    assert (result.code, result.err) == (0, "")
    assert "> a tale" in result.text


@pytest.mark.slow
def test_waiting_on_the_emulator_rides_out_its_faults(run: Command) -> None:
    asked = run("ask", "--offline", "--background", "a tale")
    faults = ["--fault", "503=0@1", "--fault", "503=0@2", "--fault", "429=1@3", "--fault", "drop@4"]
    result = run("get", "--offline", "-", "--wait", *faults, stdin=asked.out)
    assert (result.code, result.err.count("\n")) == (0, 1)  # an outage is told of once
    assert "> a tale" in result.text


@pytest.mark.slow
def test_a_wait_that_runs_out_ends_with_7_also_when_a_poll_hangs(ask: Command, wire: Wire) -> None:
    def get(seconds: str) -> Result:
        wire.restart(queued(), lambda _, connection: (connection.recv(1), None)[1])
        return ask("get", "r1", "--wait", "--max-time", seconds)

    result = in_time(get, lambda result: result.ran_out)
    assert list(result) == [
        7,
        "",
        "cometresp: error: r1 is still queued\nhint: cometresp get r1 --wait\n",
    ]


def test_a_poll_that_never_answered_is_unreachable_not_pending(ask: Command, wire: Wire) -> None:
    wire.answer(lambda _, connection: (connection.recv(1), None)[1])
    result = ask("get", "r1", "--wait", "--max-time", "0.5")
    assert list(result) == [69, "", "cometresp: error: not finished within the 0.5 s of --max-time\n"]


def half_a_reply(_: Any, connection: Any) -> None:
    connection.sendall(json_reply(WHOLE)[:200])
    connection.recv(1)


@pytest.mark.parametrize("words", [("--wait",), ("--stream",)])
@pytest.mark.parametrize("hang", [lambda _, connection: (connection.recv(1), None)[1], half_a_reply])
def test_a_wait_without_any_answer_ends_with_the_status_that_is_recorded(
    ask: Command, wire: Wire, words: tuple[str, ...], hang: Any
) -> None:
    wire.answer(queued(), hang)
    assert list(ask("ask", "--background", "hi")) == [0, "r1\n", ""]
    result = ask("get", "r1", *words, "--max-time", "1")
    assert list(result) == [7, "", "cometresp: error: r1 is still queued\nhint: cometresp get r1 --wait\n"]
    assert record_of(ask)["status"] == "queued"
    assert ask("get", "r1", "--max-time", "1").code == 69


def test_a_refusal_ends_the_wait(ask: Command, wire: Wire) -> None:
    wire.answer(queued(), error_reply(401, "key"))
    assert (ask("get", "r1", "--wait").code, len(wire.requests)) == (77, 2)


def at_work(status: str) -> bytes:
    return json_reply(response(response_id="r1", status=status), retry_after_ms="1")


def test_polls_change_the_status_line_and_a_new_status_is_a_line(ask: Command, wire: Wire) -> None:
    shown = {status: threading.Event() for status in ("queued", "in progress")}

    def after(status: str, reply: bytes) -> Callable[[Any, Any], None]:
        def script(_: Any, connection: Any) -> None:
            shown[status].wait(LONGEST)
            connection.sendall(reply)

        return script

    running = at_work("in_progress")
    wire.answer(at_work("queued"), after("queued", running), running, after("in progress", json_reply(WHOLE)))
    with job(["get", "r1", "--wait"], ask.environ, ask.home) as one:
        for status, event in shown.items():
            one.shows(f" {status} · ")
            event.set()
        assert one.ended() == 0
    lines = [line for line in plain(one.screen).splitlines() if "r1 is" in line]
    assert [line[line.index("r1 is") :] for line in lines] == ["r1 is in progress"]


def test_the_status_line_says_when_it_is_asked_again() -> None:
    polling = Polling(lambda: 100.0)
    assert polling.words(1) == ""
    polling.set("in progress", 2.4)
    assert polling.words(41.9) == "in progress · 42 s · asks again in 3 s"
    polling.set("no answer", 0)
    assert polling.words(43) == "no answer · 43 s · asking"


@pytest.mark.parametrize("flag", ["--wait", "--stream"])
def test_an_interrupted_wait_says_how_to_come_back(ask: Command, wire: Wire, flag: str) -> None:
    wire.answer(lambda _, connection: (connection.recv(1), None)[1])
    process = ask.popen("get", "r1", flag)
    until(lambda: wire.requests)
    process.send_signal(signal.SIGINT)
    hint = f"hint: to come back: cometresp get r1 {flag}\n"
    assert process.communicate(timeout=LONGEST) == (b"", f"cometresp: error: interrupted\n{hint}".encode())
    assert process.returncode == 130


# get --stream -----------------------------------------------------------------------------------------------------


def test_following_from_the_record_prints_the_rest_and_records_the_whole(ask: Command, wire: Wire) -> None:
    cut_after(ask, wire, 3)
    assert record_of(ask)["status"] == "cut"
    wire.answer(sse(*STREAM[2:4]), sse(*STREAM[3:], END))
    assert list(ask("get", "last", "--stream")) == [0, "two three\n", ""]
    assert [request.path for request in wire.requests] == [
        "/v1/responses/r1?stream=true&starting_after=2",
        "/v1/responses/r1?stream=true&starting_after=3",
    ]
    assert (record_of(ask)["status"], record_of(ask)["output"]) == ("completed", [message("Grüße, one two three")])
    assert heads(ask) == {"default": "r1"}


def test_the_whole_is_put_together_though_the_last_event_leaves_it_out(ask: Command, wire: Wire) -> None:
    cut_after(ask, wire, 3)
    bare = {"type": "response.completed", "response": {"id": "r1", "status": "completed"}, "sequence_number": 5}
    wire.answer(sse(*STREAM[3:], bare))
    result = ask("get", "r1", "--stream", "--json")
    assert (result.code, json.loads(result.out)["output_text"]) == (0, "Grüße, one two three")


def test_a_follow_that_falls_back_to_polling_prints_what_is_missing(ask: Command, wire: Wire) -> None:
    cut_after(ask, wire, 3)
    wire.answer(error_reply(405, "no"), queued(), json_reply(WHOLE))
    assert list(ask("get", "r1", "--stream")) == [0, "two three\n", ""]


@pytest.mark.parametrize(
    ("after", "events", "shown"),
    [
        (1, [*STREAM[2:], END], "one two three\n"),
        (4, [END], ""),
        (4, [{"type": "response.output_text.done", "output_index": 0, "text": "Grüße, one two three"}, END], ""),
    ],
)
def test_following_from_a_given_event_prints_what_comes_after_it(
    ask: Command, wire: Wire, after: int, events: list[dict[str, Any]], shown: str
) -> None:
    cut_after(ask, wire, 3)
    wire.answer(sse(*events))
    assert list(ask("get", "r1", "--stream", "--starting-after", str(after))) == [0, shown, ""]
    assert wire.requests[0].path == f"/v1/responses/r1?stream=true&starting_after={after}"
    assert record_of(ask)["output"] == [message("Grüße, one two three")]


def test_what_was_followed_from_a_given_event_and_cut_leaves_the_record_alone(ask: Command, wire: Wire) -> None:
    cut_after(ask, wire, 4)
    before = record_of(ask)
    wire.answer(sse(*STREAM[2:3]), error_reply(400, "no"), error_reply(401, "key"))
    result = ask("get", "r1", "--stream", "--starting-after", "1")
    assert (result.code, result.text, record_of(ask)) == (77, "one \n", before)


def test_a_look_at_a_response_at_work_keeps_the_text_that_was_recorded(ask: Command, wire: Wire) -> None:
    cut_after(ask, wire, 3)
    wire.answer(queued())
    assert ask("get", "r1").code == 7
    wire.requests.clear()
    wire.answer(sse(*STREAM[3:], END))
    assert list(ask("get", "r1", "--stream")) == [0, "two three\n", ""]


def test_a_response_of_which_no_text_is_recorded_is_followed_from_its_beginning(ask: Command, wire: Wire) -> None:
    ask.environ["COMETRESP_RECORD"] = "ids"
    cut_after(ask, wire, 3)
    wire.answer(sse(*STREAM, END))
    assert list(ask("get", "r1", "--stream")) == [0, "Grüße, one two three\n", ""]
    assert wire.requests[0].path == "/v1/responses/r1?stream=true"


@pytest.mark.slow
def test_a_follow_that_runs_out_of_time_ends_with_7(ask: Command, wire: Wire) -> None:
    def hang(_: Any, connection: Any) -> None:
        connection.sendall(sse(*STREAM[:3]))
        connection.recv(1)

    wire.answer(hang)
    result = in_time(
        lambda seconds: ask("get", "r1", "--stream", "--max-time", seconds), lambda result: "one" not in result.text
    )
    assert (result.code, result.text) == (7, "Grüße, one \n")


@pytest.mark.slow
def test_a_background_stream_on_the_emulator_is_followed_through_a_cut(run: Command) -> None:
    prompt = ["--background", "emulate:long=20 Grüße"]
    whole = run("stream", "--offline", *prompt)
    first = run("stream", "--offline", "--retries", "0", "--fault", "cut@1", "--fault", "404@2", *prompt)
    rest = run("get", "--offline", "last", "--stream", "--fault", "cut@1", "--fault", "duplicate")
    assert (whole.code, first.code, rest.code) == (0, 69, 0)
    assert first.out.removesuffix(b"\n") + rest.out == whole.out


def test_starting_after_goes_with_stream_and_counts_from_0(ask: Command, wire: Wire) -> None:
    assert ask("get", "r1", "--starting-after", "1").code == 2
    assert ask("get", "r1", "--stream", "--starting-after", "-1").code == 2
    assert wire.requests == []


# heads ------------------------------------------------------------------------------------------------------------


def test_a_background_turn_that_completes_moves_the_head_that_waited_for_it(ask: Command, wire: Wire) -> None:
    late = response(message("late"), response_id="r2")
    wire.answer(
        text_stream("1", response_id="r1"),
        json_reply(response(response_id="r2", status="queued")),
        queued(),
        json_reply(late),
    )
    ask("ask", "a")
    assert ask("continue", "--background", "b").text == "r2\n"
    assert heads(ask) == {"default": "r1"}
    assert ask("get", "r2", "--wait").text == "late\n"
    assert heads(ask) == {"default": "r2"}


def test_a_background_turn_that_was_overtaken_leaves_the_head_alone(ask: Command, wire: Wire) -> None:
    wire.answer(
        text_stream("1", response_id="r1"),
        json_reply(response(response_id="r2", status="queued")),
        text_stream("3", response_id="r3"),
        json_reply(response(message("late"), response_id="r2")),
    )
    for words in (("ask", "a"), ("continue", "--background", "b")):
        assert ask(*words).err == ""
    assert ask("continue", "c").err == (
        "cometresp: warning: r2 continues the same response and was queued when last looked at:"
        " cometresp get r2 --wait, then cometresp continue --from r2\n"
    )
    moved = "cometresp: warning: default moved on meanwhile: continue this response with --from r2\n"
    assert list(ask("get", "r2")) == [0, "late\n", moved]
    assert list(ask("get", "r2")) == [0, "late\n", ""]  # nothing is new
    assert heads(ask) == {"default": "r3"}


def test_background_responses_that_began_the_same_chain_are_fetched_without_a_warning(ask: Command, wire: Wire) -> None:
    wire.answer(
        queued(),
        json_reply(response(response_id="r2", status="queued")),
        json_reply(response(message("first"), response_id="r1")),
    )
    ask("ask", "--background", "a")
    ask("ask", "--background", "b")
    told = "default moved on meanwhile: continue this response with --from r1\n"
    result = ask("get", "r1", "--verbose")
    assert (result.code, result.text, result.err.splitlines(keepends=True)[0]) == (0, "first\n", told)
    assert heads(ask) == {"default": None}


@pytest.mark.parametrize(
    "words", [("continue", "--from", "r1", "c"), ("continue", "--chain", "other", "--from", "r1", "c"), ("ask", "c")]
)
def test_who_goes_on_from_a_response_by_name_is_not_warned_of_what_else_does(
    ask: Command, wire: Wire, words: tuple[str, ...]
) -> None:
    wire.answer(
        text_stream("1", response_id="r1"),
        json_reply(response(response_id="r2", status="queued")),
        text_stream("3", response_id="r3"),
    )
    ask("ask", "a")
    ask("continue", "--background", "b")
    assert list(ask(*words)) == [0, "3\n", ""]
