"""Runs of `batch` that end early, and what `--resume` and other runs make of their output."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.batch.asked import answering, lines_of, requests_in
from tests.conftest import Command, Forker, Result
from tests.scripted import Request, Wire
from tests.waiting import until

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


def holding(wire: Wire) -> tuple[threading.Event, threading.Event]:
    """What is set when a request has come, and what is to be set before one is answered."""
    begun, go_on = threading.Event(), threading.Event()

    def script(request: Request, connection: socket.socket) -> None:
        begun.set()
        go_on.wait(30)
        answering(request, connection)

    wire.answer(script)
    return begun, go_on


def test_two_runs_do_not_write_to_one_output(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    begun, go_on = holding(wire)
    source = requests_in(ask.home, "a")
    with ask.popen("batch", source, "-o", "out") as first:
        assert begun.wait(30)
        found = batch(source, "-o", "out", "--resume")
        go_on.set()
        first.communicate()
    assert list(found) == [73, "", "cometresp: error: --output: another run is writing to out\n"]
    assert first.returncode == 0


def test_ctrl_c_gives_those_in_flight_time_and_says_how_to_continue(ask: Command, wire: Wire) -> None:
    begun, go_on = holding(wire)
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
    found = forker.run(
        run, ["batch", source, "--offline", "--text", "-o", "out", "--jobs", "16", "--retries", "5", *faults]
    )
    lines = lines_of(run.home / "out")
    assert Counter(line["custom_id"] for line in lines) == {f"id-{n}": 1 for n in range(80)}
    assert {line["exit"] for line in lines} <= {0, 1, 69}  # six times 429, which is 75, is one in 800,000
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
