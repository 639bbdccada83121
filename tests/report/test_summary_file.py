"""`--summary-file`: what a run came to, whatever its end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from cometresp.report.summary import SCHEMA
from tests.conftest import Command, Forker
from tests.scripted import (
    USAGE,
    Script,
    Wire,
    call,
    created,
    delta,
    ended,
    error_reply,
    json_reply,
    message,
    repeating,
    response,
    sse,
    text_stream,
)
from tests.summaries import ANSWERED, GOOD, UNSENT, VALIDATOR, error, summary_in

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_the_schema_of_the_docs_is_the_one_in_the_package() -> None:
    assert (DOCS / "summary.schema.json").read_text() == SCHEMA.read_text()
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))
    assert set(UNSENT) == set(VALIDATOR.schema["properties"]) == set(VALIDATOR.schema["required"])


class Case(NamedTuple):
    words: list[str]
    replies: list[Script]
    expected: dict[str, Any]


REFUSED = {"error": {"message": "no", "type": "comet_api_error", "param": "", "code": "bad"}}
TOOLS = "functions.json"
FUNCTIONS = {
    "tool": [
        {"name": "weather", "description": "w", "command": ["echo", "rain"]},
        {"name": "broken", "description": "b", "command": ["false"]},
    ]
}
TWO_CALLS = response(call("weather", "c1"), {**call("broken", "c2"), "id": "fc_2"}, model="m-1")
CASES = {
    "a good run": Case(
        ["ask", "hi"],
        [text_stream("a", "b", model="m-2026")],
        GOOD | {"model_used": "m-2026"},
    ),
    "a plain reply with a request id": Case(
        ["ask", "--no-stream", "--no-save", "hi"],
        [json_reply(response(message("a")), x_request_id="req_1")],
        ANSWERED | {"status": "completed", "request_ids": ["req_1"], "chain": None, "turn": None},
    ),
    "a request that was tried again": Case(
        ["ask", "hi"],
        [error_reply(503, x_request_id="req_1", retry_after_ms="1"), text_stream("a")],
        GOOD | {"request_ids": ["req_1"], "retries": 1},
    ),
    "a wrong value": Case(
        ["ask", "--temperature", "9", "hi"], [], UNSENT | error(2, "--temperature: must be between 0 and 2, not 9.0")
    ),
    "flags that exclude each other": Case(
        ["stream", "--no-stream", "hi"],
        [],
        UNSENT
        | {"command": "stream"}
        | error(2, "stream and --no-stream exclude each other", hint="cometresp ask --no-stream …"),
    ),
    "a flag that isn't there": Case(
        ["ask", "--nope", "hi"], [], UNSENT | error(2, "no such flag: --nope", hint="see cometresp ask --help")
    ),
    "nothing to continue": Case(
        ["continue", "hi"],
        [],
        UNSENT
        | {"command": "continue"}
        | error(2, "nothing to continue: chain default has no response yet", hint="cometresp ask … starts it"),
    ),
    "a request that is refused": Case(
        ["ask", "hi"],
        [error_reply(400, "no", "bad", x_request_id="req_1")],
        UNSENT
        | {"model": "m", "request_ids": ["req_1"]}
        | error(65, "HTTP 400 bad: no (request id: req_1)", status=400, code="bad", request_id="req_1", body=REFUSED),
    ),
    "a failed response": Case(
        ["ask", "hi"],
        [sse(created(), ended(response(status="failed", error={"code": "server_error", "message": "sorry"})))],
        ANSWERED
        | {"status": "failed"}
        | error(
            1,
            "resp_1 failed (server_error): sorry",
            code="server_error",
            body={"code": "server_error", "message": "sorry"},
        ),
    ),
    "an incomplete response": Case(
        ["ask", "hi"],
        [
            sse(
                created(),
                delta("a"),
                ended(response(message("a"), status="incomplete", incomplete_details={"reason": "max_output_tokens"})),
            )
        ],
        GOOD | {"status": "incomplete"} | error(3, "…", code="max_output_tokens"),
    ),
    "a stream that breaks": Case(
        ["ask", "--no-stream", "--retries", "0", "hi"],
        [sse(created(model="m-1"), delta("a"))],
        GOOD | {"status": "cut", "usage": None, "model_used": "m-1"} | error(69, "…"),
    ),
    "a loop of tools": Case(
        ["ask", "--functions", TOOLS, "--approve", "always", "hi"],
        [json_reply(TWO_CALLS), text_stream("done", response_id="resp_2", model="m-2")],
        GOOD
        | {
            "turns": 2,
            "turn": 2,
            "response_ids": ["resp_1", "resp_2"],
            "model_used": "m-2",
            "usage": {name: 2 * count for name, count in USAGE.items()},
            "calls": [
                {"name": "weather", "ok": True, "seconds": "…"},
                {"name": "broken", "ok": False, "seconds": "…"},
            ],
        },
    ),
    "an id in the background": Case(
        ["ask", "--background", "hi"],
        [json_reply(response(status="queued", background=True))],
        ANSWERED | {"status": "queued"},
    ),
    "a response that is fetched": Case(
        ["get", "resp_9", "--wait"],
        [
            json_reply(response(response_id="resp_9", status="queued"), retry_after_ms="1"),
            json_reply(response(message("a"), response_id="resp_9", model="m-1")),
        ],
        ANSWERED
        | {"status": "completed", "command": "get", "response_ids": ["resp_9"], "model": None, "model_used": "m-1"}
        | {"chain": None, "turn": None},
    ),
    "a request that is only shown": Case(["ask", "--dry-run", "hi"], [], UNSENT | {"model": "m"}),
    "a field that isn't there": Case(
        ["ask", "--select", "usage.nothing", "hi"],
        [text_stream("a")],
        GOOD
        | error(
            8,
            "--select: resp_1 has no usage.nothing",
            hint="usage has input_tokens, output_tokens, total_tokens",
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_run_is_summed_up_in_one_object(name: str, ask: Command, wire: Wire, forker: Forker) -> None:
    case = CASES[name]
    (ask.home / TOOLS).write_text(json.dumps(FUNCTIONS))
    wire.answer(*case.replies)
    result = forker.run(ask, [*case.words, "--summary-file", "s.json"])
    summary = summary_in((ask.home / "s.json").read_text())
    if case.expected["error"] and case.expected["error"]["message"] == "…":
        summary["error"] |= {"message": "…", "hint": None}
    assert (summary, result.code) == (case.expected, case.expected["exit_code"])


def test_a_recorded_answer_in_place_of_one_that_the_server_lost_has_its_id(
    ask: Command, wire: Wire, forker: Forker
) -> None:
    wire.answer(text_stream("a", model="m-1"), error_reply(404, "Response with id 'resp_1' not found."))
    forker.run(ask, ["ask", "hi"])
    result = forker.run(ask, ["get", "resp_1", "--summary-file", "s.json", "--id-file", "id"])
    summary = summary_in((ask.home / "s.json").read_text())
    expected = GOOD | {"command": "get", "first_text_seconds": None, "model_used": "m"}
    assert (result.code, summary, (ask.home / "id").read_text()) == (0, expected, "resp_1\n")


def test_a_missing_key_and_a_bad_config_file_are_in_it(run: Command, forker: Forker) -> None:
    words = ["ask", "hi", "--summary-file", "s.json"]
    told = []
    for env in ({}, {"COMETRESP_CONFIG": "missing.toml"}):
        result = forker.run(run, words, env=env)
        told.append((result.code, summary_in((run.home / "s.json").read_text())["exit_code"]))
    assert told == [(77, 77), (78, 78)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_is_in_it(number: signal.Signals, code: int, ask: Command, wire: Wire) -> None:
    wire.answer(repeating(sse(created(), delta("half"))))
    process = ask.popen("stream", "hi", "--summary-file", "s.json")
    assert process.stdout is not None
    assert process.stdout.read(4) == b"half"
    process.send_signal(number)
    process.communicate(timeout=60)
    summary = summary_in((ask.home / "s.json").read_text())
    assert (process.returncode, summary["error"]["message"]) == (code, {143: "terminated", 130: "interrupted"}[code])
    assert {**summary, "error": None} == GOOD | {
        "command": "stream",
        "status": "interrupted",
        "usage": None,
        "exit_code": code,
    }


def test_a_signal_before_anything_is_sent_is_in_it(ask: Command) -> None:
    with ask.popen("ask", "--verbose", "--summary-file", "s.json", "-", stdin=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"waiting for standard input to end\n"
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    summary = summary_in((ask.home / "s.json").read_text())
    message = "terminated while waiting for standard input to end"
    assert (process.returncode, summary) == (143, UNSENT | error(143, message))


def test_a_signal_after_the_error_leaves_the_end_as_it_was(ask: Command, wire: Wire) -> None:
    wire.answer(error_reply(400))
    with ask.popen("ask", "hi", "--summary-file", "s.json", bufsize=0) as process:
        assert process.stderr is not None
        assert process.stderr.read(1) == b"c"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert (process.returncode, summary_in((ask.home / "s.json").read_text())["exit_code"]) == (65, 65)


def test_a_closed_pipe_is_in_it(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("a" * 100))
    ours, theirs = os.pipe()
    os.close(ours)
    process = ask.popen("ask", "hi", "--summary-file", "s.json", stdout=theirs)
    os.close(theirs)
    assert process.communicate(timeout=60)[1] == b""
    assert summary_in((ask.home / "s.json").read_text()) == GOOD | error(141, "standard output was closed")


def test_an_answer_that_cannot_be_written_is_in_it(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("a"))
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        process = ask.popen("ask", "hi", "--summary-file", "s.json", stdout=full)
        process.communicate(timeout=60)
    message = "standard output can't be written: No space left on device"
    assert summary_in((ask.home / "s.json").read_text()) == GOOD | error(73, message)


# the file -----------------------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_written_is_told_before_anything_is_sent(
    ask: Command, wire: Wire, forker: Forker
) -> None:
    (ask.home / "folder").mkdir()
    told = [
        list(forker.run(ask, ["ask", "hi", "--summary-file", path]))
        for path in ("folder", "nowhere/s.json", "/dev/fd/99", "")
    ]
    assert (told, wire.requests) == (
        [
            [73, "", "cometresp: error: --summary-file: folder is a directory\n"],
            [73, "", "cometresp: error: --summary-file: nowhere/s.json can't be written: No such file or directory\n"],
            [73, "", "cometresp: error: --summary-file: /dev/fd/99 can't be written: Bad file descriptor\n"],
            [2, "", "cometresp: error: --summary-file: must not be empty\n"],
        ],
        [],
    )
    assert list(ask.home.glob(".*")) == []


def test_the_files_of_a_run_are_not_the_same(ask: Command, wire: Wire, forker: Forker) -> None:
    for flag in ("--output", "--id-file"):
        result = forker.run(ask, ["ask", "hi", flag, "x", "--summary-file", "x"])
        assert list(result) == [2, "", f"cometresp: error: --summary-file and {flag} name the same file\n"]
    assert wire.requests == []


def test_one_that_fails_at_the_end_ends_a_good_run_with_73(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("a"))
    results = [ask("ask", "hi", *more, "--summary-file", "/dev/full") for more in ([], ["--select", "x"])]
    full = "--summary-file: /dev/full can't be written: No space left on device"
    missing = "cometresp: error: --select: resp_1 has no x\nhint: it has id, object, status, output, usage, output_text"
    assert [list(result) for result in results] == [
        [73, "a\n", f"cometresp: error: {full}\n"],
        [8, "", f"{missing}\ncometresp: warning: {full}\n"],
    ]


def test_what_is_no_file_is_written_through(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("a"))
    (ask.home / "runs.jsonl").write_text("{}\n")
    with (ask.home / "runs.jsonl").open("ab") as runs:
        once = f'{sys.executable} -m cometresp ask "$word" --summary-file /dev/fd/3'
        subprocess.run(
            ["bash", "-c", f"for word in a b; do {once}; done 3>&{runs.fileno()}"],
            env=ask.environ,
            cwd=ask.home,
            pass_fds=[runs.fileno()],
            stdin=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )
    first, *summaries = (ask.home / "runs.jsonl").read_text().splitlines()
    assert (first, [summary_in(line) for line in summaries]) == ("{}", [GOOD, GOOD])


def test_a_dash_is_standard_output(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(text_stream("a"))
    answer, summary = forker.run(ask, ["ask", "hi", "--summary-file", "-"]).text.splitlines()
    assert (answer, summary_in(summary)) == ("a", GOOD)


def test_secrets_are_masked_in_it(ask: Command, wire: Wire, forker: Forker) -> None:
    key = "sk-a1b2c3d4e5f6g7h8"
    wire.answer(error_reply(400, f"no {key}"))
    forker.run(ask, ["ask", "hi", "--summary-file", "s.json"], env={"COMETAPI_KEY": key})
    text = (ask.home / "s.json").read_text()
    assert (key in text, summary_in(text)["error"]["message"]) == (False, "HTTP 400: no ***")
