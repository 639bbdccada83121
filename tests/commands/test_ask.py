"""`ask` and `stream` over a real socket: what is sent, what is printed, how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.scripted import (
    Wire,
    call,
    created,
    delta,
    ended,
    error_reply,
    json_reply,
    message,
    reply,
    response,
    sse,
    text_stream,
)


def test_a_request_without_flags_holds_model_input_and_stream_only(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("Hello"))
    assert list(ask("ask", "hi", "there")) == [0, "Hello\n", ""]
    assert wire.bodies() == [{"model": "m", "input": "hi there", "stream": True}]
    request = wire.requests[0]
    assert (request.method, request.path, request.headers["authorization"]) == (
        "POST",
        "/v1/responses",
        "Bearer sk-test",
    )


def test_no_stream_asks_for_one_plain_reply(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message("whole"))))
    assert list(ask("ask", "--no-stream", "hi")) == [0, "whole\n", ""]
    assert wire.bodies() == [{"model": "m", "input": "hi"}]


@pytest.mark.parametrize(
    ("words", "script"),
    [(["ask"], json_reply(response(message("x")))), (["ask", "--no-stream"], text_stream("x"))],
    ids=["json for a stream", "a stream for a whole reply"],
)
def test_a_reply_is_read_by_its_content_type(ask: Command, wire: Wire, words: list[str], script: bytes) -> None:
    wire.answer(script)
    assert list(ask(*words, "hi")) == [0, "x\n", ""]


def test_the_answers_bytes_arrive_unchanged(ask: Command, wire: Wire) -> None:
    text = "\x1b]52;c;aGk=\x07\x1b[2J[bold]x[/x] \u202e ü 😀\r\n\ttab\n"
    wire.answer(text_stream(text))
    assert ask("ask", "hi").out == text.encode()
    assert ask("stream", "hi").out == text.encode()


def test_surrogate_halves_of_two_deltas_become_one_character(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("a\ud83d", "\ude00b"))
    assert ask("stream", "hi").out == "a😀b\n".encode()


@pytest.mark.parametrize(
    ("whole", "code", "error"),
    [
        (response(message("t")), 0, ""),
        (
            response(message("t"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            3,
            "resp_1 is incomplete: max_output_tokens",
        ),
        (
            response(message("t"), status="incomplete", incomplete_details=None),
            3,
            "resp_1 is incomplete: no reason given",
        ),
        (response(message("t", status="incomplete")), 3, "resp_1 is incomplete: an item is incomplete"),
        (
            response(message("t"), status="incomplete", incomplete_details={"reason": "content_filter"}),
            4,
            "resp_1 was stopped by the content filter",
        ),
        (
            response(message("t"), status="failed", error={"code": "server_error", "message": "it [/x] \x1b[2J broke"}),
            1,
            "resp_1 failed (server_error): it [/x] \\x1b[2J broke",
        ),
        (response(message("t"), status="cancelled"), 6, "resp_1 was cancelled"),
        (response(message("t"), status="in_progress"), 7, "resp_1 is still in progress"),
        (response(message("t"), status="queued"), 7, "resp_1 is still queued"),
        (response(message("t"), call()), 5, "waiting for the output of call_1 weather {}"),
    ],
)
def test_the_exit_code_tells_the_responses_status_the_same_way_streamed_whole_and_fetched(
    ask: Command, wire: Wire, whole: dict[str, object], code: int, error: str
) -> None:
    wire.answer(json_reply(whole, retry_after_ms="1"))  # one that hasn't ended is asked for a few times
    results = [ask("ask", "--no-stream", "hi"), ask("get", "resp_1")]
    if whole["status"] not in ("queued", "in_progress"):
        wire.answer(sse(created(), delta("t"), ended(whole)))
        results += [ask("ask", "hi"), ask("stream", "hi")]
    for result in results:
        assert (result.code, result.text) == (code, "t\n")
        assert result.err.partition("\n")[0] == (f"cometresp: error: {error}" if error else "")


def test_a_refusals_text_is_printed_and_exits_with_4(ask: Command, wire: Wire) -> None:
    refusal = {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}
    wire.answer(json_reply(response(refusal)))
    assert list(ask("ask", "hi")) == [4, "No.\n", "cometresp: error: resp_1 is a refusal\n"]


def test_an_accepted_incomplete_answer_exits_with_0(ask: Command, wire: Wire) -> None:
    cut = response(message("t"), status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    wire.answer(json_reply(cut))
    assert list(ask("ask", "--allow-incomplete", "hi")) == [0, "t\n", ""]


@pytest.mark.parametrize(
    "error",
    [
        {"type": "error", "code": "server_error", "message": "boom", "param": None},
        {"type": "error", "error": {"type": "x", "code": "server_error", "message": "boom"}},
        {"type": "message", "error": {"code": "server_error", "message": "boom"}},
    ],
)
def test_an_error_event_of_either_shape_fails_the_turn_and_keeps_its_text(
    ask: Command, wire: Wire, error: dict[str, object]
) -> None:
    wire.answer(sse(created(), delta("half"), error))
    for command in ("ask", "stream"):
        assert list(ask(command, "hi")) == [1, "half\n", "cometresp: error: resp_1 failed (server_error): boom\n"]


def test_a_stream_that_ends_early_keeps_its_text_and_id_and_exits_with_69(ask: Command, wire: Wire) -> None:
    wire.answer(sse(created("resp_cut"), delta("half"), tail=b'data: {"type":"response.output_text.delta","de'))
    result = ask("ask", "hi")
    assert (result.code, result.text) == (69, "half\n")
    assert result.err == (
        "cometresp: error: the stream ended before the answer was complete\n"
        "hint: cometresp get resp_cut shows what became of it\n"
    )
    assert ask("log", "resp_cut").text.endswith("half\n")


def test_json_prints_the_final_response_with_output_text_added(ask: Command, wire: Wire) -> None:
    whole = response(message("a"), message("b"), model="x", novelty={"deep": [1, None]})
    wire.answer(sse(created(), ended(whole)))
    assert json.loads(ask("ask", "--json", "hi").out) == whole | {"output_text": "ab"}
    wire.answer(json_reply(whole | {"output_text": "theirs"}))
    assert json.loads(ask("ask", "-F", "json", "hi").out) == whole | {"output_text": "theirs"}


def test_events_are_printed_one_a_line_as_the_server_wrote_them(ask: Command, wire: Wire) -> None:
    lines = [
        '{"type":"response.created","response":{"id":"r","status":"in_progress"},"extra":1.0}',
        '{"type":"response.novelty","x":[ 1 , 2 ]}',
        '{"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}',
    ]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    wire.answer(head + "".join(f"data: {line}\n\n" for line in lines).encode() + b"data: [DONE]\n\n")
    assert ask("ask", "--events", "hi").text == "\n".join(lines) + "\n"


def test_a_whole_reply_is_one_event(ask: Command, wire: Wire) -> None:
    whole = response(message("a"))
    wire.answer(json_reply(whole))
    [line] = ask("ask", "--events", "--no-stream", "hi").text.splitlines()
    assert json.loads(line) == {"type": "response.completed", "response": whole}


def test_usage_goes_to_stderr_on_request(ask: Command, wire: Wire) -> None:
    usage = {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 14,
    }
    wire.answer(text_stream("x", usage=usage))
    assert list(ask("ask", "-u", "hi")) == [0, "x\n", "usage: 9 input (4 cached), 5 output, 14 total\n"]


def test_reasoning_and_calls_are_shown_on_stderr_only_when_asked_for_off_a_terminal(ask: Command, wire: Wire) -> None:
    thought = {
        "type": "response.reasoning_summary_text.delta",
        "output_index": 0,
        "summary_index": 0,
        "delta": "hm\x1b[1m",
    }
    search = {"id": "ws", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "a"}}
    done = {"type": "response.output_item.done", "output_index": 1, "item": search}
    wire.answer(
        sse(created(), thought, done, ended(response({"type": "reasoning", "summary": []}, search, message("x"))))
    )
    assert list(ask("ask", "hi")) == [0, "x\n", ""]
    code, out, err = ask("ask", "--show-reasoning", "--verbose", "--chain", "new", "hi")
    assert (code, out) == (0, "x\n")
    assert err.startswith("hm\\x1b[1m\n✓ web search: a · ")


def test_output_file_is_whole_or_absent_and_keeps_its_old_content_on_failure(ask: Command, wire: Wire) -> None:
    target = ask.home / "out.txt"
    wire.answer(text_stream("new"))
    assert list(ask("ask", "-o", "out.txt", "hi")) == [0, "", ""]
    assert target.read_text() == "new\n"
    target.chmod(0o640)
    wire.answer(sse(created(), delta("half")))
    assert ask("ask", "-o", "out.txt", "hi").code == 69
    assert (target.read_text(), (ask.home / "out.txt.part").read_text()) == ("new\n", "half\n")
    wire.answer(text_stream("newer"))
    assert ask("ask", "-o", "out.txt", "hi").code == 0
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("newer\n", 0o640)
    assert (ask.home / "out.txt.part").read_text() == "half\n"
    assert [path.name for path in ask.home.iterdir() if path.name.startswith(".out")] == []


def test_an_output_file_that_cant_be_written_is_told_before_anything_is_sent(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    result = ask("ask", "-o", "no/such/dir/x", "hi")
    assert (result.code, wire.requests) == (73, [])
    assert result.err == "cometresp: error: --output: no/such/dir/x can't be written: No such file or directory\n"


def test_the_id_file_holds_the_id(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x", response_id="resp_abc"))
    assert ask("ask", "--id-file", "id", "hi").code == 0
    assert (ask.home / "id").read_text() == "resp_abc\n"


def test_background_prints_the_id_alone_and_exits_with_0(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(response_id="resp_bg", status="queued", background=True)))
    assert list(ask("ask", "--background", "hi")) == [0, "resp_bg\n", ""]
    assert wire.bodies() == [{"model": "m", "input": "hi", "background": True}]


def test_a_closed_pipe_ends_the_program_silently(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream(*["line\n"] * 20_000))
    process = ask.popen("stream", "hi")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(4) == b"line"
    process.stdout.close()
    assert (process.wait(30), process.stderr.read()) == (141, b"")
    process.stderr.close()


def test_errors_can_be_one_json_object(ask: Command, wire: Wire) -> None:
    wire.answer(error_reply(400, "bad (request id: 77)", "unsupported_value"))
    result = ask("ask", "--error-format", "json", "hi")
    assert result.code == 65
    assert json.loads(result.err) == {
        "error": {
            "message": "HTTP 400 unsupported_value: bad (request id: 77)",
            "hint": None,
            "exit_code": 65,
            "status": 400,
            "code": "unsupported_value",
            "param": None,
            "request_id": "77",
            "body": {
                "error": {
                    "message": "bad (request id: 77)",
                    "type": "comet_api_error",
                    "param": "",
                    "code": "unsupported_value",
                }
            },
        }
    }


def test_html_is_not_the_responses_api(ask: Command, wire: Wire) -> None:
    wire.answer(reply(200, "<html>hi</html>", "text/html"))
    result = ask("ask", "hi")
    assert (result.code, result.text) == (76, "")
    assert result.err.startswith(
        "cometresp: error: not the Responses API: the reply to POST /v1/responses is text/html\n"
    )


def test_output_that_cant_be_written_is_an_error(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    with Path("/dev/full").open("wb") as full:
        process = ask.popen("ask", "hi", stdout=full)
        assert process.communicate(timeout=30)[1].decode() == (
            "cometresp: error: standard output can't be written: No space left on device\n"
        )
    assert process.returncode == 73
    words = [sys.executable, "-m", "cometresp", "ask", "hi"]
    closed = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *words], env=ask.environ, capture_output=True, check=False)
    assert (closed.returncode, closed.stderr) == (73, b"cometresp: error: standard output is closed\n")


def test_generated_images_are_saved_and_never_written_over(ask: Command, wire: Wire) -> None:
    image = {"id": "ig_../1", "type": "image_generation_call", "status": "completed", "result": "iVBORw0KGgo="}
    wire.answer(json_reply(response(image, message("done"))))
    for _ in range(2):
        assert list(ask("ask", "--save-images", "new/pictures", "hi")) == [0, "done\n", ""]
    saved = sorted((path.name, path.read_bytes()) for path in (ask.home / "new/pictures").iterdir())
    assert saved == [("ig__1-2.png", b"\x89PNG\r\n\x1a\n"), ("ig__1.png", b"\x89PNG\r\n\x1a\n")]
    wire.answer(json_reply(response(image | {"result": "x"}, message("done"))))
    result = ask("ask", "--save-images", "new/pictures", "hi")
    assert (result.code, result.text) == (73, "done\n")
    assert result.err == (
        "cometresp: warning: --save-images: the image of item 1 is not valid Base64\n"
        "cometresp: error: --save-images: the image could not be saved\n"
    )
