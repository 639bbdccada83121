"""`batch`: a file of requests in, a file of responses out; killed and resumed, limited, stopped."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cometresp.render.batch_bar import Progress, duration, progress_words
from tests.conftest import Command, Forker, Result
from tests.scripted import Request, Wire, call, created, ended, error_reply, message, response, sse, text_stream
from tests.settings.test_defaults import with_config
from tests.terminals import on_terminal, plain
from tests.waiting import LONGEST, until

USAGE = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}
RESPONSE = response(message("<a>"), response_id="resp_a", usage=USAGE)


def answering(request: Request, connection: socket.socket) -> None:
    """Answers each prompt with itself, in a response whose id it is."""
    prompt = request.json()["input"]
    connection.sendall(text_stream(f"<{prompt}>", response_id=f"resp_{prompt}", usage=USAGE))


def requests_in(home: Path, *lines: Any, name: str = "in.jsonl") -> str:
    (home / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return name


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def batch(ask: Command, forker: Forker) -> Callable[..., Result]:
    """Runs `batch`; the result's text is its lines."""
    return lambda *words, **more: forker.run(ask, ["batch", *words], **more)


def test_requests_of_all_forms_are_sent_and_answered_in_one_line_each(
    ask: Command, wire: Wire, batch: Callable[..., Result]
) -> None:
    wire.answer(answering)
    source = requests_in(
        ask.home,
        "a",
        {"prompt": "b", "temperature": 0, "custom_id": "two"},
        {"custom_id": "three", "method": "POST", "url": "/v1/responses", "body": {"model": "own", "input": "c"}},
        {"input": "d", "reasoning": {"effort": "high"}},
    )
    found = batch(source, "--effort", "low", "--reasoning-summary", "auto", "--temperature", "1", "--ordered")
    assert (found.code, found.err) == (0, "")
    lines = [json.loads(line) for line in found.text.splitlines()]
    assert [(line["custom_id"], line["id"], line["error"]) for line in lines] == [
        ("line-1", "batch_req_resp_a", None),
        ("two", "batch_req_resp_b", None),
        ("three", "batch_req_resp_c", None),
        ("line-4", "batch_req_resp_d", None),
    ]
    assert lines[0]["response"] == {
        "status_code": 200,
        "request_id": None,
        "body": RESPONSE,
    }
    low = {"model": "m", "reasoning": {"effort": "low", "summary": "auto"}, "stream": True, "temperature": 1.0}
    assert sorted(wire.bodies(), key=lambda body: str(body["input"])) == [
        {**low, "input": "a"},
        {**low, "input": "b", "temperature": 0},
        {**low, "input": "c", "model": "own"},
        {**low, "input": "d", "reasoning": {"effort": "high", "summary": "auto"}},
    ]


def test_text_alone_is_written_with_what_it_cost(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(answering)
    (ask.home / "in.txt").write_text("a\n\nb\n")
    found = batch("--lines", "in.txt", "--text", "--ordered", "--price", "1,2")
    assert [json.loads(line) for line in found.text.splitlines()] == [
        {"custom_id": f"line-{n}", "text": f"<{prompt}>", "exit": 0, "usage": USAGE, "cost": 0.00005}
        for n, prompt in ((1, "a"), (3, "b"))
    ]
    assert list(found)[::2] == [0, ""]


def test_columns_are_the_variables_of_a_template(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(answering)
    (ask.home / "t.toml").write_text(
        'prompt = "{word} in {language}"\ninstructions = "Speak {language}."\nverbosity = "low"\n'
        '[vars]\nlanguage = "French"\n'
    )
    (ask.home / "in.csv").write_text('custom_id,word,language,more\nx,tree,@/etc/passwd,1\ny,"a {b}",Danish,2\n')
    found = batch("in.csv", "--template", "t.toml", "--jobs", "1")
    assert (found.code, found.err) == (0, "")
    shared = {"model": "m", "stream": True, "text": {"verbosity": "low"}}
    assert wire.bodies() == [
        {**shared, "input": "tree in @/etc/passwd", "instructions": "Speak @/etc/passwd."},
        {**shared, "input": "a {b} in Danish", "instructions": "Speak Danish."},
    ]
    (ask.home / "bad.csv").write_text("wort\nBaum\n")
    found = batch("bad.csv", "--template", "t.toml")
    assert list(found)[:2] == [2, ""]
    assert "line 2: no value for word of t.toml (--var NAME=… gives it to all)" in found.err


def test_all_bad_lines_are_told_before_anything_is_sent(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(answering)
    (ask.home / "in.jsonl").write_text(
        '"a"\r\n{"input": "b", "custom_id": "line-1"}\n{"input": 1\n\n{"prompt": "c", "temperature": 5}\n"d"\n'
    )
    told = [
        "line 2: custom_id 'line-1' is an earlier line's, too",
        "line 3: not valid JSON: column 12: Expecting ',' delimiter",
        "line 5: temperature: must be between 0 and 2, not 5.0",
    ]
    bad = "\n  ".join(["in.jsonl: 3 lines can't be sent", *told])
    assert list(batch("in.jsonl")) == [
        2,
        "",
        f"cometresp: error: {bad}\nhint: nothing was sent; --skip-bad goes on without them\n",
    ]
    assert wire.requests == []
    found = batch("in.jsonl", "--skip-bad", "--text", "--ordered")
    assert [json.loads(line)["custom_id"] for line in found.text.splitlines()] == ["line-1", "line-6"]
    assert (found.code, found.err.splitlines()[0]) == (
        0,
        "cometresp: warning: in.jsonl: 3 lines can't be sent, and left out (--skip-bad)",
    )


def test_lines_for_vllm_run_batch_are_taken_where_they_are_responses_and_else_told_how_to_change_them(
    ask: Command, wire: Wire, batch: Callable[..., Result]
) -> None:
    wire.answer(answering)
    fixture = Path(__file__).parent / "vllm_run_batch.jsonl"
    chat = "input takes the place of messages, and max_output_tokens that of max_tokens and max_completion_tokens"
    told = [
        f"line 1: url must be /v1/responses, not '/v1/chat/completions' ({chat})",
        f"line 2: url must be /v1/responses, not '/v1/chat/completions' ({chat})",
        "line 3: url must be /v1/responses, not '/v1/embeddings'",
        "line 4: url must be /v1/responses, not '/v1/score'",
        "line 5: url must be /v1/responses, not '/v1/rerank'",
    ]
    found = batch(str(fixture))
    assert (found.code, found.err.splitlines()[1:-1], wire.requests) == (2, [f"  {line}" for line in told], [])
    lines = lines_of(fixture)
    for line in lines[:2]:
        line["url"], body = "/v1/responses", line["body"]
        body |= {"input": body.pop("messages"), "max_output_tokens": body.pop("max_completion_tokens")}
    changed = batch(requests_in(ask.home, *lines[:2], lines[5]), "--ordered", "--jobs", "1")
    assert (changed.code, changed.err) == (0, "")
    assert [json.loads(line)["custom_id"] for line in changed.text.splitlines()] == [
        "request-1",
        "request-2",
        "request-6",
    ]
    assert wire.bodies() == [line["body"] | {"stream": True} for line in (*lines[:2], lines[5])]


def test_dry_run_prints_what_the_batch_api_takes(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    found = batch(requests_in(ask.home, "a", {"input": "b", "custom_id": "x"}), "--dry-run", "-s", "Be brief.")
    assert [json.loads(line) for line in found.text.splitlines()] == [
        {
            "custom_id": name,
            "method": "POST",
            "url": "/v1/responses",
            "body": {"model": "m", "instructions": "Be brief.", "input": prompt},
        }
        for name, prompt in (("line-1", "a"), ("x", "b"))
    ]
    assert wire.requests == []


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


OTHERS = [
    (["out"], "cometresp: error: --output: out is there already\n"),
    (
        ["out", "--resume"],
        "cometresp: error: --resume: in.jsonl has other lines than the input that out was begun with\n",
    ),
    (["out", "--resume", "--text"], "cometresp: error: --resume: out was begun without --text\n"),
    (["out", "--resume", "--shard", "1/2"], "cometresp: error: --resume: out was begun with no --shard\n"),
    (["out", "--retry-failed"], "cometresp: error: --retry-failed goes with --resume\n"),
    (["notes", "--resume"], "cometresp: error: notes: line 1 is no line of a batch's output\n"),
    (["/dev/null", "--resume"], "cometresp: error: --resume: /dev/null is no regular file\n"),
]


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


def test_an_output_of_another_run_is_left_alone(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(answering)
    named = [{"prompt": name, "custom_id": name} for name in "abc"]
    assert batch(requests_in(ask.home, *named), "-o", "out").code == 0
    before = (ask.home / "out").read_bytes()
    (ask.home / "notes").write_text("my notes\n")
    requests_in(ask.home, *named[1:])
    for words, told in OTHERS:
        found = batch("in.jsonl", "-o", *words)
        assert (found.code, found.out, found.err[: len(told)]) == (2, b"", told)
    assert (ask.home / "out").read_bytes() == before
    wire.requests.clear()
    requests_in(ask.home, *named, {"prompt": "d", "custom_id": "d"})  # it has grown at its end
    assert batch("in.jsonl", "-o", "out", "--resume").code == 0
    requests_in(ask.home, {"prompt": "e", "custom_id": "e"}, *named)
    assert batch("in.jsonl", "-o", "out", "--resume", "--input-changed").code == 0
    assert [body["input"] for body in wire.bodies()] == ["d", "e"]


def test_two_runs_do_not_write_to_one_output(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def script(request: Request, connection: socket.socket) -> None:
        begun.set()
        go_on.wait(30)
        answering(request, connection)

    wire.answer(script)
    source = requests_in(ask.home, "a")
    with ask.popen("batch", source, "-o", "out") as first:
        assert begun.wait(30)
        found = batch(source, "-o", "out", "--resume")
        go_on.set()
        first.communicate()
    assert list(found) == [73, "", "cometresp: error: --output: another run is writing to out\n"]
    assert first.returncode == 0


def test_ctrl_c_gives_those_in_flight_time_and_says_how_to_continue(ask: Command, wire: Wire) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def script(request: Request, connection: socket.socket) -> None:
        begun.set()
        go_on.wait(30)
        answering(request, connection)

    wire.answer(script)
    source = requests_in(ask.home, *"abcd")
    with ask.popen("batch", source, "-o", "out", "--jobs", "2", "--verbose") as process:
        assert begun.wait(30)
        assert until(lambda: len(wire.requests) == 2)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"interrupted: 2 in flight have 5 s")
        go_on.set()
        _, err = process.communicate()
    assert process.returncode == 130
    assert err.decode().endswith(
        "cometresp: error: interrupted: 2 of 4 done\n"
        "hint: cometresp batch in.jsonl -o out --jobs 2 --verbose --resume continues\n"
    )
    assert sorted(line["custom_id"] for line in lines_of(ask.home / "out")) == ["line-1", "line-2"]


def test_a_killed_run_is_resumed_with_every_id_once_and_no_answer_lost(ask: Command, wire: Wire) -> None:
    count, kills = 40, 4

    def slowly(request: Request, connection: socket.socket) -> None:
        time.sleep(0.01)
        answering(request, connection)

    wire.answer(slowly)
    source = requests_in(ask.home, *({"prompt": f"p{n}", "custom_id": f"id-{n}"} for n in range(count)))
    out = ask.home / "out"
    printed: dict[str, bytes] = {}
    for kill in range(kills + 1):
        before = len(printed)
        process = ask.popen("batch", source, "-o", "out", "--resume", "--jobs", "4")
        if kill < kills:
            until(lambda: process.poll() is not None or _size(out) > before + kill % 3)  # noqa: B023
            process.kill()
        process.communicate()
        if kill < kills and out.exists() and kill % 2:  # what a kill in the middle of a write leaves
            with out.open("ab") as file:
                file.write(b'{"custom_id": "id-0", "resp')
        for data in out.read_bytes().split(b"\n")[:-1]:
            assert printed.setdefault(json.loads(data)["custom_id"], data) == data
    assert process.returncode == 0
    ids = Counter(line["custom_id"] for line in lines_of(out))
    assert ids == {f"id-{n}": 1 for n in range(count)}
    assert ids.keys() == printed.keys()


def _size(out: Path) -> int:
    return out.read_bytes().count(b"\n") if out.exists() else 0


def test_an_output_that_is_full_loses_no_line(ask: Command, wire: Wire) -> None:
    wire.answer(answering)
    source = requests_in(ask.home, *(f"p{n}" for n in range(40)))
    script = 'trap "" XFSZ; ulimit -f 8; exec "$@"'
    words = ["bash", "-c", script, "sh", sys.executable, "-m", "cometresp", "batch", source, "-o", "out"]
    environ = ask.environ | {"PYTHONDONTWRITEBYTECODE": "1"}  # which the limit would cut
    found = subprocess.run(words, env=environ, cwd=ask.home, capture_output=True, check=False, timeout=60)
    assert found.returncode == 73
    assert found.stderr.decode() == (
        "cometresp: error: --output: out can't be written: File too large\n"
        "hint: cometresp batch in.jsonl -o out --resume continues\n"
    )
    assert 0 < len(lines_of(ask.home / "out")) < 40
    assert ask("batch", source, "-o", "out", "--resume").code == 0
    assert Counter(line["custom_id"] for line in lines_of(ask.home / "out")) == {f"line-{n}": 1 for n in range(1, 41)}


def test_faults_of_the_server_leave_every_id_once(run: Command, forker: Forker) -> None:
    source = requests_in(run.home, *({"prompt": f"p{n}", "custom_id": f"id-{n}"} for n in range(80)))
    faults = [word for kind in ("429=0.01%5", "503%5", "cut%5", "failed%5") for word in ("--fault", kind)]
    found = forker.run(run, ["batch", source, "--offline", "--text", "-o", "out", "--jobs", "16", *faults])
    lines = lines_of(run.home / "out")
    assert Counter(line["custom_id"] for line in lines) == {f"id-{n}": 1 for n in range(80)}
    assert {line["exit"] for line in lines} <= {0, 1, 69}
    assert found.code == (1 if any(line["exit"] for line in lines) else 0)


def test_parts_of_an_input_are_merged_and_what_is_missing_is_told(
    ask: Command, wire: Wire, batch: Callable[..., Result]
) -> None:
    wire.answer(answering)
    source = requests_in(ask.home, *({"prompt": f"p{n}", "custom_id": f"id-{n}"} for n in range(12)))
    task = {"SLURM_ARRAY_TASK_ID": "6", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "4"}
    for part, shard in enumerate(("1/3", "2/3", "slurm"), 1):
        assert batch(source, "--shard", shard, "-o", f"out{part}", "--text", env=task).code == 0
    assert len(wire.requests) == 12
    with (ask.home / "out1").open("a") as file:
        file.write('{"custom_id": "id-2", "text": "", "exit": 69, "usage": null, "cost": null, "error": "x"}\n{"torn')
    outs = ["out1", "out2", "out3"]
    found = batch("merge", *outs, "-o", "all", "--requests", source)
    assert list(found) == [0, "", "cometresp: warning: out1: its last line is torn, and left out\n"]
    assert {line["custom_id"]: line["exit"] for line in lines_of(ask.home / "all")} == {f"id-{n}": 0 for n in range(12)}
    found = batch("merge", "out2", "--requests", source)
    missing = [f"id-{n}" for n in range(12) if f"id-{n}" not in (ask.home / "out2").read_text()]
    assert found.err == (
        f"cometresp: error: {len(missing)} of 12 are missing: {', '.join(missing)}\n"
        "hint: cometresp batch in.jsonl -o MERGED --text --resume asks for them\n"
    )


def test_a_whole_line_behind_a_torn_one_is_merged(ask: Command, batch: Callable[..., Result]) -> None:
    text = '{"custom_id": "a", "response": {"status_code": 200, "body": "{\\"custom_id\\": "}, "error": null}\n'
    response = '{"id": "batch_req_1", "custom_id": "b", "response": {"status_code": 200, "body": {}}, "error": null}\n'
    (ask.home / "out").write_text(f"{response[:70]}{text[:20]}{text}{text[:-9]}{response}")
    told = "".join(
        f"cometresp: warning: out: line {number} begins with a torn one, which is left out\n" for number in (1, 2)
    )
    assert list(batch("merge", "out")) == [0, text + response, told]
    (ask.home / "out").write_text(f"{text}{text[:20]}\n")
    told = "cometresp: warning: out: line 2 is no line of a batch's output, and is left out\n"
    assert list(batch("merge", "out")) == [0, text, told]


KEYED = '{"type": "mcp", "authorization": "env:COMETAPI_KEY"}'
FLAGS = [
    (["--jobs", "0"], "--jobs: must be between 1 and 1000, not 0"),
    (["--rpm", "0"], "--rpm: must be more than 0, not 0"),
    (["--resume"], "--resume goes with -o FILE: it reads what that has"),
    (["--lines", "--csv"], "--lines and --csv exclude each other: each says how the input is read"),
    (["--fail-fast", "--max-failures", "2"], "--fail-fast and --max-failures exclude each other"),
    (["--max-cost", "1"], "--max-cost: the price of m is not known"),
    (["-o", "in.jsonl"], "--output: in.jsonl is the input"),
    (["--json"], "no such flag: --json"),
    (["--var", "a=b"], "--var goes with --template"),
    *(([*how, "-t", KEYED], "--tool: authorization of a tool names COMETAPI_KEY") for how in ([], ["--dry-run"])),
]


def test_wrong_flags_and_files_have_one_line_each(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    requests_in(ask.home, "a")
    requests_in(ask.home, name="empty.jsonl")
    cases = [(["in.jsonl", *words], told) for words, told in FLAGS]
    cases += [(["."], ". is a directory"), (["none"], "can't read none: No such file or directory")]
    cases += [(["empty.jsonl"], "empty.jsonl holds no requests"), ([], "FILE is missing")]
    for words, told in cases:
        found = batch(*words)
        assert (found.code, found.out, found.err.startswith(f"cometresp: error: {told}")) == (2, b"", True), found
    assert wire.requests == []


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


def test_what_a_line_holds_is_data(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(lambda request, connection: connection.sendall(text_stream(json.dumps(request.json()["tools"]))))
    (ask.home / "secret.json").write_text('{"secret": true}')
    tool = {"type": "mcp", "server_label": "x", "server_url": "https://x.example", "authorization": "env:COMETAPI_KEY"}
    own = {**tool, "authorization": "token-of-the-line-1234"}
    source = requests_in(
        ask.home,
        {"input": "@secret.json", "tools": [tool]},
        {"prompt": "@secret.json", "instructions": "@secret.json", "tool": [own], "param": ["x=@secret.json"]},
    )
    found = batch(source, "--text", "--ordered", "--jobs", "1")
    assert wire.bodies() == [
        {"model": "m", "input": "@secret.json", "tools": [tool], "stream": True},
        {
            "model": "m",
            "input": "@secret.json",
            "instructions": "@secret.json",
            "tools": [own],
            "x": "@secret.json",
            "stream": True,
        },
    ]
    assert "token-of-the-line-1234" not in found.text + found.err
    bad = requests_in(ask.home, {"prompt": "x", "schema": "secret.json"}, {"prompt": "x", "tool": "@secret.json"})
    told = batch(bad).err.splitlines()
    assert told[0] == "cometresp: error: in.jsonl: 2 lines can't be sent"
    assert "secret" not in "".join(told[1:]).replace("secret.json", "")


def test_what_max_time_cut_is_asked_again_by_resume(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    over = threading.Event()

    def script(request: Request, connection: socket.socket) -> None:
        if request.json()["input"] != "a":
            over.wait(60)
        answering(request, connection)

    wire.answer(script)
    source = requests_in(ask.home, *"abcd")
    found = batch(source, "-o", "out", "--jobs", "2", "--max-time", "2")
    over.set()
    assert list(found) == [
        69,
        "",
        "cometresp: error: not finished within the 2 s of --max-time\n"
        "hint: cometresp batch in.jsonl -o out --jobs 2 --max-time 2 --resume continues\n",
    ]
    assert [line["custom_id"] for line in lines_of(ask.home / "out")] == ["line-1"]
    assert batch(source, "-o", "out", "--resume").code == 0
    assert len(lines_of(ask.home / "out")) == 4
