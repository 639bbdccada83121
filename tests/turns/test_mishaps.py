"""Mishaps that happened once: a locked or vanished state, half answers, odd servers, full and narrow pipes, signals."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cometresp.errors import OutputError
from cometresp.sinks import FileSink
from cometresp.state.records import NewTurn, Settings
from cometresp.state.state import State
from tests.conftest import Command
from tests.recorded import state_path
from tests.scripted import (
    STREAM_HEAD,
    Request,
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
from tests.waiting import has_open, is_empty, until

NEW = NewTurn(chain="c", base_url="u", model="m", settings=Settings(), input=[], restarts=True)


def opened(folder: Path) -> State:
    state = State.open(folder)
    assert state is not None
    return state


def test_an_interrupt_is_heard_while_another_process_holds_the_state(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"))
    ask("ask", "a")
    db = sqlite3.connect(state_path(ask))
    db.execute("BEGIN EXCLUSIVE")
    process = ask.popen("continue", "b")
    until(lambda: has_open(process.pid, state_path(ask)))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    db.close()
    assert (process.returncode, err.decode().splitlines()[0]) == (130, "cometresp: error: interrupted")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_continue_on_a_read_only_state_sends_nothing(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"))
    ask("ask", "a")
    folder = state_path(ask).parent
    (folder / "state.db").chmod(0o400)
    folder.chmod(0o500)
    assert (ask("continue", "b").code, len(wire.requests)) == (73, 1)
    folder.chmod(0o700)


def test_a_good_file_is_never_set_aside_for_the_damage_of_an_older_one(tmp_path: Path) -> None:
    opened(tmp_path).close()
    first, second = opened(tmp_path), opened(tmp_path)
    path = tmp_path / "state.db"
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    for state in (first, second):
        with pytest.raises(OutputError):
            state.turns.begin(NEW, "r0")
        if state is first:
            good = opened(tmp_path)
            good.turns.begin(NEW, "r1")
            good.close()
    assert [turn.id for turn in opened(tmp_path).turns.newest()] == ["r1"]


def test_half_an_answer_is_never_replayed(ask: Command, wire: Wire) -> None:
    wire.answer(sse(created("r1"), delta("half an ans")))
    ask("ask", "--retries", "0", "a")
    result = ask("continue", "--from", "r1", "--replay", "b")
    assert (result.code, len(wire.requests)) == (65, 1)
    assert "r1 ended as cut" in result.err


def test_a_conversation_stays_on_its_server(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"))
    ask("ask", "--conversation", "conv_1", "a")
    assert ask("continue", "b").code == 0
    assert (wire.bodies()[1].get("conversation"), "previous_response_id" in wire.bodies()[1]) == ("conv_1", False)
    elsewhere = ask("continue", "c", env={"COMETAPI_BASE_URL": f"http://localhost:{wire.port}"})
    assert (elsewhere.code, ask("continue", "--replay", "d").code, len(wire.requests)) == (65, 2, 2)


def test_a_replay_is_no_reason_to_warn_of_amnesia(ask: Command, wire: Wire) -> None:
    wire.answer(
        text_stream("1", response_id="r1"),
        error_reply(404, "gone", "previous_response_not_found"),
        text_stream("2", response_id="r2", previous_response_id=None),
    )
    ask("ask", "a")
    assert ask("continue", "b").err.count("warning") == 1


def test_two_runs_with_one_output_file_each_write_their_own_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    first, second = FileSink(str(path)), FileSink(str(path))
    first.write(b"first")
    second.write(b"second")
    second.commit()
    first.commit()
    assert ([entry.name for entry in tmp_path.iterdir()], path.read_bytes()) == (["out"], b"first")


def test_what_was_kept_survives_a_run_that_brought_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    path.chmod(0o600)
    cut = FileSink(str(path))
    cut.write(b"half")
    cut.abandon()
    assert FileSink(str(path)).abandon() == ""
    part = tmp_path / "out.part"
    assert (path.read_text(), part.read_text(), part.stat().st_mode & 0o777) == ("old", "half", 0o600)


def test_an_ignored_hangup_stays_ignored(ask: Command, wire: Wire) -> None:
    def hang_up(_: Request, connection: socket.socket) -> None:
        process.send_signal(signal.SIGHUP)
        connection.sendall(text_stream("done"))

    wire.answer(hang_up)
    process = ask.popen("ask", "hi", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, b"done\n", b"")


def test_an_interrupt_while_standard_input_is_read_is_told(ask: Command) -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"begun")
    process = ask.popen("ask", "-", stdin=ours)
    until(lambda: is_empty(ours))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    os.close(theirs)
    os.close(ours)
    assert (process.returncode, err) == (
        130,
        b"cometresp: error: interrupted while waiting for standard input to end\n",
    )


def test_an_answer_without_an_id_is_told_to_be_unrecorded(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply({"object": "response", "status": "completed", "output": [message("x")]}))
    warning = "cometresp: warning: the reply has no response id: this turn is not recorded, and can't be continued\n"
    assert list(ask("ask", "hi")) == [0, "x\n", warning]


@pytest.mark.parametrize(
    ("output", "code"), [({"type": "message", "content": [{"type": "refusal", "refusal": "No"}]}, 4), (call(), 5)]
)
def test_an_accepted_incomplete_answer_still_refuses_or_waits(
    ask: Command, wire: Wire, output: dict[str, object], code: int
) -> None:
    wire.answer(json_reply(response(output, status="incomplete", incomplete_details={"reason": "max_output_tokens"})))
    assert ask("ask", "--allow-incomplete", "hi").code == code


def test_get_from_another_server_leaves_the_record_alone(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("real", response_id="r1"), json_reply(response(message("other"), response_id="r1")))
    ask("ask", "a")
    assert ask("get", "r1", env={"COMETAPI_BASE_URL": f"http://localhost:{wire.port}"}).text == "other\n"
    assert ask("log", "r1").text.endswith("real\n")


def test_an_id_that_changes_in_mid_stream_is_recorded_as_it_ends(ask: Command, wire: Wire) -> None:
    wire.answer(sse(created("first"), delta("x"), ended(response(message("x"), response_id="other"))))
    ask("ask", "--id-file", "id", "a")
    assert (ask("chains", "head").text, (ask.home / "id").read_text()) == ("other\n", "other\n")


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (json_reply({"detail": [{"loc": None, "msg": "x"}]}, 422), 65),
        (STREAM_HEAD + b"data: " + b"[" * 100_000 + b"\n\n", 76),
        (reply(429, "{}", retry_after_ms="nan", retry_after="0"), 75),
        (text_stream("x", response_id="r\ud800"), 0),
        (json_reply(response(message("x"), response_id="r\ud800", status="queued"), retry_after_ms="1"), 7),
    ],
)
def test_odd_replies_are_no_bug_of_ours(ask: Command, wire: Wire, script: bytes, code: int) -> None:
    wire.answer(script)
    assert ask("ask", "hi").code == code


def test_headers_of_the_connection_cant_be_given(ask: Command, wire: Wire) -> None:
    assert ask("ask", "-H", "Content-Length: 3", "hi").code == 2
    assert wire.requests == []


def test_a_setting_at_fault_is_told_as_the_files_whatever_its_name(run: Command) -> None:
    (run.home / "conf").write_text('base_url = "ftp://x"\n')
    assert run("ask", "--dry-run", "hi", env={"COMETRESP_CONFIG": "conf"}).code == 78


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["ask", "--dry-run", "hi"]])
def test_a_full_or_closed_output_has_its_exit_code(run: Command, words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        process = run.popen(*words, stdout=full)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, b"Traceback" in err) == (73, False)
    command = [sys.executable, "-m", "cometresp", *words]
    closed = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], env=run.environ, capture_output=True, check=False)
    assert (closed.returncode, b"Traceback" in closed.stderr) == (73, False)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_narrow_pipe_that_does_not_block_gets_it_all(ask: Command, wire: Wire, unbuffered: str) -> None:
    text = "x" * 300_000
    wire.answer(text_stream(text))
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    ask.environ["PYTHONUNBUFFERED"] = unbuffered
    process = ask.popen("ask", "hi", stdout=theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        assert pipe.read().decode() == text + "\n"
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")


def test_json_stays_json_with_numbers_that_are_none(ask: Command, wire: Wire) -> None:
    body = json.dumps(response(message("x"), odd=1)).replace('"odd": 1', '"odd": 1e999')
    wire.answer(reply(200, body))
    assert json.loads(ask("ask", "--json", "hi").out, parse_constant=pytest.fail)["output_text"] == "x"
