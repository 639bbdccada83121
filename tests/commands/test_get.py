"""Fetching, waiting, following, cancelling, deleting: through faults, and on gateways that offer none of it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from cometresp.answer.answer import Answer
from cometresp.client.following import Fetching
from cometresp.errors import CometrespError, RequestRefusedError, ServerSaid, SilenceError, UnreachableError
from cometresp.state.records import Settings, Turn
from cometresp.turns.resume import take_up
from cometresp.wire.events import Event
from tests.conftest import Command
from tests.recorded import heads, record_of
from tests.scripted import (
    Script,
    Wire,
    call,
    created,
    delta,
    ended,
    error_reply,
    json_reply,
    message,
    numbered,
    reply,
    response,
    sse,
    text_stream,
)

AT_ONCE = {"retry_after_ms": "1"}
PAGE = reply(404, "<html><h1>Not here</h1></html>", "text/html")
MOVED = reply(301, "", "text/html", location="https://elsewhere.example/")
NO_GET = [
    (error_reply(404, "Invalid URL (GET /v1/responses/r1)"), 65, "HTTP 404: Invalid URL (GET /v1/responses/r1)"),
    (error_reply(405, "not allowed"), 65, "HTTP 405: not allowed"),
    (PAGE, 76, "HTTP 404: Not here, with a body that is not JSON"),
    (MOVED, 76, "HTTP 301, to https://elsewhere.example/"),
    (reply(200, "<html>", "text/html"), 76, "the reply to"),
]


def queued() -> bytes:
    return json_reply(response(response_id="r1", status="queued", background=True), retry_after_ms="1")


STREAM = numbered(created("r1"), delta("Grüße, "), delta("one "), delta("two "), delta("three"))
WHOLE = response(message("Grüße, one two three"), response_id="r1")
END = {**ended(WHOLE), "sequence_number": 5}


# waiting ----------------------------------------------------------------------------------------------------------


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
    assert [line.rpartition("; ")[2] for line in result.err.splitlines()][2] == "asking again in 1.0 s"


def test_a_background_response_is_fetched_by_the_id_that_ask_printed(run: Command) -> None:
    asked = run("ask", "--offline", "--background", "a tale")
    result = run("get", "--offline", "-", "--wait", stdin=asked.out)
    assert (result.code, result.err) == (0, "")
    assert "> a tale" in result.text


def test_waiting_on_the_emulator_rides_out_its_faults(run: Command) -> None:
    asked = run("ask", "--offline", "--background", "a tale")
    faults = ["--fault", "503=0@1", "--fault", "503=0@2", "--fault", "429=1@3", "--fault", "drop@4"]
    result = run("get", "--offline", "-", "--wait", *faults, stdin=asked.out)
    assert (result.code, result.err) == (0, "")
    assert "> a tale" in result.text


def test_a_wait_that_runs_out_ends_with_7_also_when_a_poll_hangs(ask: Command, wire: Wire) -> None:
    wire.answer(queued(), lambda _, connection: (connection.recv(1), None)[1])
    result = ask("get", "r1", "--wait", "--max-time", "1")
    assert list(result) == [
        7,
        "",
        "cometresp: error: r1 is still queued\nhint: cometresp get r1 --wait\n",
    ]


def test_a_poll_that_never_answered_is_unreachable_not_pending(ask: Command, wire: Wire) -> None:
    wire.answer(lambda _, connection: (connection.recv(1), None)[1])
    result = ask("get", "r1", "--wait", "--max-time", "0.5")
    assert list(result) == [69, "", "cometresp: error: not finished within the 0.5 s of --max-time\n"]


def test_a_refusal_ends_the_wait(ask: Command, wire: Wire) -> None:
    wire.answer(queued(), error_reply(401, "key"))
    assert (ask("get", "r1", "--wait").code, len(wire.requests)) == (77, 2)


@dataclass
class Fake:
    """A server whose replies are given: an event for `get`, a list for `follow`, or what is to be raised."""

    replies: Sequence[Event | list[Event] | CometrespError]
    left: float | None = None
    retry_after: float | None = None
    asked: list[str] = field(default_factory=list)

    def _next(self, what: str) -> Event | list[Event] | CometrespError:
        self.asked.append(what)
        given = self.replies[min(len(self.asked), len(self.replies)) - 1]
        if isinstance(given, CometrespError):
            raise given
        return given

    @contextmanager
    def get(self, response_id: str, **_: Any) -> Iterator[Iterator[Event]]:
        given = self._next(f"get {response_id}")
        assert isinstance(given, Event)
        yield iter([given])

    @contextmanager
    def follow(self, response_id: str, starting_after: int | None, **_: Any) -> Iterator[Iterator[Event]]:
        given = self._next(f"follow {response_id} {starting_after}")
        assert isinstance(given, list)
        yield iter(given)


def event(data: dict[str, Any], *, whole: bool = False) -> Event:
    return Event(data["type"], data, json.dumps(data), whole=whole)


def passing(error: CometrespError) -> CometrespError:
    error.passing = True
    return error


PENDING = event(ended(response(response_id="r1", status="in_progress")), whole=True)
DONE = event(ended(WHOLE), whole=True)
DOWN = passing(UnreachableError("HTTP 503", said=ServerSaid(status=503)))
NOWHERE = passing(UnreachableError("no such host"))


def test_the_pauses_of_a_wait_grow_from_2_to_15_seconds_less_a_quarter() -> None:
    paused: list[float] = []
    server = Fake([PENDING] * 6 + [DOWN] * 6 + [DONE])
    assert Fetching(server, "r1", sleep=paused.append).until_ended() == DONE
    full = [min(2.0 * 1.4**n, 15.0) for n in range(12)]
    assert [0.75 * most <= took <= most for took, most in zip(paused, full, strict=True)] == [True] * 12


def test_a_pause_that_the_server_asks_for_is_kept() -> None:
    paused: list[float] = []
    server = Fake([PENDING, DOWN, DONE], retry_after=7.0)
    Fetching(server, "r1", sleep=paused.append).until_ended()
    assert paused == [7.0, 7.0]


def test_the_last_look_is_taken_before_the_time_is_up() -> None:
    paused: list[float] = []
    server = Fake([PENDING], left=30.0)

    def sleep(seconds: float) -> None:
        paused.append(seconds)
        assert server.left is not None
        server.left -= seconds

    assert Fetching(server, "r1", sleep=sleep).until_ended() == PENDING
    assert (round(server.left or 0, 6), len(server.asked)) == (1.0, len(paused) + 1)


def test_a_server_that_was_never_reached_is_given_up_unless_the_time_is_bounded() -> None:
    server = Fake([NOWHERE] * 5 + [DONE])
    with pytest.raises(UnreachableError, match="no such host"):
        Fetching(server, "r1", tries=2, sleep=lambda _: None).until_ended()
    assert len(server.asked) == 3
    bounded = Fake([NOWHERE] * 5 + [DONE], left=1000.0)
    assert Fetching(bounded, "r1", tries=2, sleep=lambda _: None).until_ended() == DONE
    reached = Fake([DOWN] + [NOWHERE] * 5 + [DONE])
    assert Fetching(reached, "r1", tries=2, sleep=lambda _: None).until_ended() == DONE


# following --------------------------------------------------------------------------------------------------------

EVENTS = [event(data) for data in [*STREAM, END]]


def followed(server: Fake, after: int | None = None, tries: int = 2) -> list[Event]:
    """The events up to the one that ends the answer, as the loop takes them."""
    taken: list[Event] = []
    answer = Answer()
    for each in Fetching(server, "r1", tries=tries, sleep=lambda _: None).followed(after):
        taken.append(each)
        answer.apply(each)
        if answer.ended:
            break
    return taken


def test_following_goes_on_where_the_connection_ended_and_drops_what_comes_twice() -> None:
    twice = [each for each in EVENTS[:3] for _ in range(2)]
    server = Fake([twice, EVENTS[1:4], DOWN, [], EVENTS])
    assert followed(server) == EVENTS
    assert server.asked == ["follow r1 None", "follow r1 2", "follow r1 3", "follow r1 3", "follow r1 3"]


def test_following_that_brings_nothing_new_falls_back_to_polling() -> None:
    server = Fake([EVENTS[:2], [], [], [], PENDING, DONE])
    assert followed(server) == [*EVENTS[:2], DONE]
    assert server.asked == ["follow r1 None", *["follow r1 1"] * 3, "get r1", "get r1"]


@pytest.mark.parametrize(
    "refusal",
    [
        RequestRefusedError("HTTP 400", said=ServerSaid(status=400)),
        [PENDING],
        [event({"type": "error", "message": "cannot be streamed"})],
    ],
)
def test_where_following_isnt_offered_it_is_polled(refusal: Any) -> None:
    server = Fake([refusal, PENDING, DONE])
    assert followed(server, 3) == [DONE]
    assert server.asked == ["follow r1 3", "get r1", "get r1"]


def test_a_whole_reply_to_a_follow_is_the_answer() -> None:
    server = Fake([[DONE]])
    assert (followed(server), server.asked) == ([DONE], ["follow r1 None"])


def test_after_a_silence_the_response_is_looked_at() -> None:
    silent = passing(SilenceError("silence"))
    slow: list[Any] = [silent, PENDING] * 4
    assert followed(Fake([*slow, EVENTS])) == EVENTS
    cancelled: Event = event(ended(response(response_id="r1", status="cancelled")), whole=True)
    assert followed(Fake([silent, cancelled])) == [cancelled]


def test_servers_that_dont_count_their_events_lose_none() -> None:
    zeros = [event({**data, "sequence_number": 0}) for data in STREAM]
    assert followed(Fake([[*zeros, DONE]])) == [*zeros, DONE]


# get --stream -----------------------------------------------------------------------------------------------------


def cut_after(ask: Command, wire: Wire, events: int) -> None:
    """A stream that ended after so many events, and could not be taken up again."""
    wire.answer(sse(*STREAM[:events]), error_reply(400, "no"))
    assert ask("stream", "--retries", "0", "a").code == 69
    wire.requests.clear()


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


def test_a_follow_that_runs_out_of_time_ends_with_7(ask: Command, wire: Wire) -> None:
    def hang(_: Any, connection: Any) -> None:
        connection.sendall(sse(*STREAM[:3]))
        connection.recv(1)

    wire.answer(hang)
    result = ask("get", "r1", "--stream", "--max-time", "0.8")
    assert (result.code, result.text) == (7, "Grüße, one \n")


def test_a_background_stream_on_the_emulator_is_followed_through_a_cut(run: Command) -> None:
    prompt = ["--background", "emulate:long=20 Grüße"]
    whole = run("stream", "--offline", *prompt)
    first = run("stream", "--offline", "--retries", "0", "--fault", "cut@1", "--fault", "404@2", *prompt)
    rest = run("get", "--offline", "last", "--stream", "--fault", "cut@1", "--fault", "duplicate")
    assert (whole.code, first.code, rest.code) == (0, 69, 0)
    assert first.out.removesuffix(b"\n") + rest.out == whole.out


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
    take_up(answer, "r1", 4, turn(thought, half))
    for kind in ("delta", "done"):
        text = '"Oslo"}' if kind == "delta" else '{"city":"Oslo"}'
        name = "delta" if kind == "delta" else "arguments"
        data = {"type": f"response.function_call_arguments.{kind}", "output_index": 1, "item_id": "fc_1", name: text}
        answer.apply(event(data))
        assert [item["type"] for item in answer.output] == ["reasoning", "function_call"]
        assert answer.output[1]["arguments"] == '{"city":"Oslo"}'
    assert (answer.id, answer.status, answer.last_sequence, answer.reasoning) == ("r1", "in_progress", 4, "t")


def test_starting_after_goes_with_stream_and_counts_from_0(ask: Command, wire: Wire) -> None:
    assert ask("get", "r1", "--starting-after", "1").code == 2
    assert ask("get", "r1", "--stream", "--starting-after", "-1").code == 2
    assert wire.requests == []


# what the server doesn't offer -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("script", "code", "said"), NO_GET)
@pytest.mark.parametrize("words", [("get",), ("get", "--wait"), ("get", "--stream")])
def test_a_gateway_without_get_answers_from_the_record(
    ask: Command, wire: Wire, script: bytes, code: int, said: str, words: tuple[str, ...]
) -> None:
    wire.answer(text_stream("kept", response_id="r1"), script)
    ask("ask", "a")
    result = ask(*words, "r1")
    assert (result.code, result.text) == (0, "kept\n")
    warning = f"cometresp: warning: the server doesn't offer to fetch responses: {said}"
    assert result.err.startswith(warning)
    assert result.err.endswith("; this is what was recorded\n")
    assert code in (65, 76)
    assert json.loads(ask(*words, "r1", "--json").out)["output"] == [message("kept")]


@pytest.mark.parametrize(("script", "code", "said"), NO_GET)
def test_a_gateway_without_get_says_so_where_nothing_whole_is_recorded(
    ask: Command, wire: Wire, script: bytes, code: int, said: str
) -> None:
    wire.answer(queued(), script)
    assert ask("ask", "--background", "a").text == "r1\n"
    result = ask("get", "r1", "--wait")
    assert (result.code, result.text) == (code, "")
    assert result.err.startswith(f"cometresp: error: the server doesn't offer to fetch responses: {said}")
    assert result.err.endswith("\nhint: cometresp log r1 shows what is recorded of it\n")


def test_what_the_server_keeps_no_longer_is_answered_from_the_record_with_its_exit_code(
    ask: Command, wire: Wire
) -> None:
    cut = response(message("half", status="incomplete"), response_id="r1", status="incomplete")
    wire.answer(json_reply(cut), error_reply(404, "Response with id 'r1' not found."))
    ask("ask", "a")
    result = ask("get", "r1")
    assert (result.code, result.text) == (3, "half\n")
    assert result.err.splitlines()[0] == (
        "cometresp: warning: the server keeps r1 no longer, or doesn't offer to fetch responses:"
        " HTTP 404: Response with id 'r1' not found.; this is what was recorded"
    )


def test_a_background_response_that_ran_in_the_foreground_is_answered_from_the_record(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message("now"), response_id="r1")), error_reply(404, "no"))
    assert ask("ask", "--background", "a").code == 0
    result = ask("get", "last")
    assert (result.code, result.text) == (0, "now\n")


@pytest.mark.parametrize(
    ("words", "deed"), [("cancel", "cancel"), ("delete", "delete"), ("items", "list the input of")]
)
@pytest.mark.parametrize(("script", "code", "said"), NO_GET)
def test_a_gateway_without_the_rest_says_so(
    ask: Command, wire: Wire, words: str, deed: str, script: bytes, code: int, said: str
) -> None:
    wire.answer(text_stream("kept", response_id="r1"), script)
    ask("ask", "a")
    result = ask(words, "r1")
    if words == "delete" and code == 76 and "200" in str(script[:12]):
        said = "the reply to DELETE"
    assert (result.code, result.text) == (code, "")
    assert result.err.startswith(f"cometresp: error: the server doesn't offer to {deed} responses: {said}")


def test_an_id_of_another_server_is_told_from_a_wrong_one(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("kept", response_id="r1"), error_reply(404, "no"))
    ask("ask", "a")
    elsewhere = {"COMETAPI_BASE_URL": wire.url.replace("/v1", "/v2")}
    assert ask("get", "r1", env=elsewhere).err.splitlines()[1] == (
        f"hint: r1 is recorded for another server: --base-url {wire.url}"
    )
    assert ask("delete", "rx").err.splitlines()[1] == (
        "hint: the server doesn't know rx, or doesn't offer to delete responses at all"
    )


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
        "cometresp: warning: r2 goes on from the same response and was queued when last looked at:"
        " cometresp get r2 --wait, then cometresp continue --from r2\n"
    )
    moved = "cometresp: warning: default moved on meanwhile: go on from this response with --from r2\n"
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
    told = "default moved on meanwhile: go on from this response with --from r1\n"
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


# cancel, delete, items ---------------------------------------------------------------------------------------------


def test_cancel_ends_a_background_response_and_says_nothing(run: Command) -> None:
    name = run("ask", "--offline", "--background", "emulate:slow a").text.strip()
    for _ in range(2):  # a second one is harmless
        assert list(run("cancel", "--offline", "-", stdin=name.encode())) == [0, "", ""]
    assert json.loads(run("cancel", "--offline", "last", "--json").out)["status"] == "cancelled"
    assert json.loads(run("log", "--offline", name, "--json").out)["status"] == "cancelled"
    assert run("get", "--offline", name).code == 6


def test_cancel_of_a_response_that_has_ended_is_refused(ask: Command, wire: Wire) -> None:
    wire.answer(queued(), json_reply(response(message("done"), response_id="r1")), error_reply(400, "synchronous"))
    ask("ask", "--background", "a")
    assert list(ask("cancel", "r1")) == [
        65,
        "",
        "cometresp: error: r1 can't be cancelled: it is completed\nhint: cometresp get r1 fetches it\n",
    ]
    assert (record_of(ask)["status"], heads(ask)) == ("completed", {"default": "r1"})
    assert ask("cancel", "r1").code == 65
    assert [(request.method, request.path) for request in wire.requests[1:]] == [
        ("POST", "/v1/responses/r1/cancel")
    ] * 2


def test_cancel_says_what_the_server_gave_as_its_reason(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply({"error": {"message": "too late", "code": "ended"}}))
    assert list(ask("cancel", "r1")) == [65, "", "cometresp: error: r1 can't be cancelled: too late\n"]


def test_cancel_keeps_the_text_that_was_recorded(ask: Command, wire: Wire) -> None:
    cut_after(ask, wire, 3)
    wire.answer(json_reply(response(response_id="r1", status="cancelled")))
    before = record_of(ask)["output"]
    assert ask("cancel", "r1").code == 0
    assert (record_of(ask)["status"], record_of(ask)["output"]) == ("cancelled", before)


def test_delete_takes_the_servers_copy_alone(run: Command) -> None:
    run("ask", "--offline", "a")
    assert json.loads(run("delete", "--offline", "last", "--json").out)["deleted"] is True
    assert run("delete", "--offline", "last").code == 65
    assert "> a" in run("log", "--offline", run("chains", "head", "--offline").text.strip()).text
    assert run("continue", "--offline", "b").code == 0  # replayed from the record


@pytest.mark.parametrize(
    ("scripts", "code"),
    [
        ([reply(200, "", "")], 0),
        ([reply(204, "", "")], 0),
        ([json_reply({"id": "r1", "deleted": False})], 65),
        ([json_reply({"error": {"message": "no"}})], 65),
        ([json_reply(["r1"])], 76),
        ([b"", error_reply(404, "no such response")], 0),  # the first try did it
        ([b"", error_reply(404, "Invalid URL (DELETE /v1/responses/r1)")], 65),
        ([error_reply(503, **AT_ONCE), error_reply(404, "no such response")], 65),
        ([error_reply(503, **AT_ONCE), json_reply({"id": "r1", "deleted": True})], 0),
    ],
)
def test_what_a_server_says_to_a_delete_decides(ask: Command, wire: Wire, scripts: list[Script], code: int) -> None:
    wire.answer(*scripts)
    assert (ask("delete", "r1").code, len(wire.requests)) == (code, len(scripts))


def page(*names: str, more: bool = False, **ends: Any) -> bytes:
    data = [{"id": name, "type": "message", "role": "user", "content": name.upper()} for name in names]
    return json_reply({"object": "list", "data": data, "has_more": more, **ends})


def test_items_lists_all_pages_a_line_each(ask: Command, wire: Wire) -> None:
    wire.answer(page("a", "b", more=True, last_id="b"), page("c", more=True), page())
    assert list(ask("items", "r1")) == [0, "a\tuser\tA\nb\tuser\tB\nc\tuser\tC\n", ""]
    assert [request.path for request in wire.requests] == [
        "/v1/responses/r1/input_items?order=asc&limit=100",
        "/v1/responses/r1/input_items?order=asc&limit=100&after=b",
        "/v1/responses/r1/input_items?order=asc&limit=100&after=c",
    ]


@pytest.mark.parametrize(
    ("last", "names"),
    [(page("a", "b", more=True), "ab"), (page("c", "b", more=True), "ab"), (page(more=True), "ab")],
)
def test_a_server_that_repeats_itself_is_not_asked_for_ever(ask: Command, wire: Wire, last: bytes, names: str) -> None:
    wire.answer(page("a", "b", more=True), last)
    found = json.loads(ask("items", "r1", "--json").out)
    assert ("".join(item["id"] for item in found), len(wire.requests)) == (names, 2)


def test_items_takes_a_limit_an_order_and_includes(ask: Command, wire: Wire) -> None:
    wire.answer(page(*(f"i{n}" for n in range(100)), more=True), page("x", "y", more=True))
    words = ("items", "r1", "-n", "101", "--order", "desc", "--include", "a.b", "--json")
    found = json.loads(ask(*words).out)
    assert [item["id"] for item in found] == [*(f"i{n}" for n in range(100)), "x"]
    assert wire.requests[1].path == "/v1/responses/r1/input_items?order=desc&limit=1&include%5B%5D=a.b&after=i99"
    assert ask("items", "r1", "-n", "0").code == 2


def test_items_of_every_kind_have_a_line() -> None:
    from cometresp.commands.items import _line

    parts = [{"type": "input_text", "text": "look\nhere"}, {"type": "input_image"}]
    file = {"type": "input_file", "filename": "a.pdf"}
    kinds: list[dict[str, Any]] = [
        {"id": "m", "role": "user", "content": [*parts, file]},
        call(),
        {"type": "function_call_output", "call_id": "call_1", "output": "4"},
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "so"}]},
        {"type": "item_reference", "id": "x", "to": 1},
    ]
    assert "".join(map(_line, kinds)) == (
        "m\tuser\tlook\\nhere [input_image] [input_file a.pdf]\n"
        "fc_1\tfunction_call\tweather call_1 {}\n"
        "\tfunction_call_output\tcall_1 4\n"
        "rs\treasoning\tso\n"
        'x\titem_reference\t{"to": 1}\n'
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("get", "a/b", "--include", "x y"), "GET {}/responses/a%2Fb?include[]=x%20y\n"),
        (("get", "r1", "--stream", "--starting-after", "3"), "GET {}/responses/r1?stream=true&starting_after=3\n"),
        (("cancel", "r1"), "POST {}/responses/r1/cancel\n"),
        (("delete", "r1"), "DELETE {}/responses/r1\n"),
        (("items", "r1", "--order", "desc"), "GET {}/responses/r1/input_items?order=desc\n"),
    ],
)
def test_a_dry_run_prints_the_request_and_sends_nothing(
    ask: Command, wire: Wire, words: tuple[str, ...], line: str
) -> None:
    assert list(ask(*words, "--dry-run")) == [0, line.format(wire.url), ""]
    assert (ask(*words, "--curl").code, wire.requests) == (2, [])
