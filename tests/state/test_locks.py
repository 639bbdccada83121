"""Another process that holds the state file: it is waited for once, for a few seconds, and never before the answer."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from cometresp.errors import LockedError
from cometresp.state.patience import Patience
from cometresp.state.state import State
from tests.called import popen
from tests.conftest import Command
from tests.recorded import heads, recorded, state_path
from tests.scripted import STREAM_HEAD, Wire, created, ended, frames, message, response, text_stream
from tests.state.files import named_by_prompt, opened
from tests.state.holding import file_held, folder_held
from tests.waiting import until

Held = Callable[[Path], AbstractContextManager[None]]


def folder_of_a_new_file(path: Path) -> AbstractContextManager[None]:
    path.unlink()
    return folder_held(path.parent)


def reader(path: Path) -> AbstractContextManager[None]:
    return file_held(path, "DEFERRED")


HELD: list[Held] = [file_held, reader, folder_of_a_new_file]


@pytest.fixture
def asked(ask: Command, wire: Wire) -> Command:
    """With a chain of one turn."""
    named_by_prompt(wire)
    assert ask("ask", "--chain", "old", "first").code == 0
    return ask


@pytest.mark.parametrize("held", HELD)
def test_three_answers_are_printed_before_the_file_is_free_and_then_recorded(asked: Command, held: Held) -> None:
    path = state_path(asked)
    with held(path):
        processes = [popen(asked, "ask", "--chain", f"c{n}", f"n{n}") for n in range(3)]
        assert [process.stdout.read(2) for process in processes if process.stdout] == [b"x\n"] * 3
    ends = [(process.communicate(timeout=60), process.returncode) for process in processes]
    assert ends == [((b"", b""), 0)] * 3
    old = {} if held is folder_of_a_new_file else {"old": "resp_first"}
    assert heads(asked) == old | {f"c{n}": f"resp_n{n}" for n in range(3)}


@pytest.mark.parametrize("flags", [["--json"], ["-x"], ["--background"]])
def test_what_is_printed_of_the_whole_answer_is_printed_before_too(ask: Command, wire: Wire, flags: list[str]) -> None:
    wire.answer(text_stream("```\nx\n```\n", response_id="r1"))
    opened(state_path(ask).parent).close()
    with file_held(state_path(ask)):
        process = popen(ask, "ask", *flags, "hi")
        assert process.stdout is not None
        assert process.stdout.read(1) in b"{xr"
    assert (process.communicate(timeout=60)[1], process.returncode) == (b"", 0)
    assert recorded(ask) == ["r1"]


def test_an_interrupt_ends_the_wait_for_the_record(asked: Command) -> None:
    with file_held(state_path(asked)):
        process = asked.popen("ask", "--verbose", "hi")
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(2) == b"x\n"
        held = f"another process that holds the state file {state_path(asked)}\n"
        assert process.stderr.readline().decode() == f"waiting for {held}"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    warning = "cometresp: warning: this turn is not recorded: another process holds the state file"
    assert err.decode().splitlines()[:2] == [warning, "cometresp: error: interrupted"]
    assert process.returncode == 130


def test_an_answer_whose_end_was_not_recorded_is_not_said_to_be_kept(asked: Command, wire: Wire) -> None:
    go_on = threading.Event()

    def script(_: object, connection: socket.socket) -> None:
        connection.sendall(STREAM_HEAD + frames([created("resp_new")]))
        go_on.wait(60)
        connection.sendall(frames([ended(response(message("x"), response_id="resp_new"))]))

    wire.answer(script)
    process = asked.popen("ask", "--verbose", "hi")
    assert process.stderr is not None
    until(lambda: recorded(asked) == ["resp_first", "resp_new"], pause=0.1)
    with file_held(state_path(asked)):
        go_on.set()
        assert process.stderr.readline().startswith(b"waiting for another process")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    warning = "cometresp: warning: this turn is not recorded: another process holds the state file"
    assert err.decode().splitlines() == [warning, "cometresp: error: interrupted"]


@pytest.mark.slow
def test_after_five_seconds_the_run_goes_on_without_the_file(asked: Command, wire: Wire) -> None:
    """All at once: each of them waits that long."""
    path, new = state_path(asked), asked.home / "new"
    requests = len(wire.requests)
    file = f"another process holds the state file {path} (waited 5 s)\n"
    with file_held(path), folder_held(new):
        asked.environ["COMETRESP_STATE_DIR"] = str(new)
        processes = [popen(asked, "ask", "hi")]
        asked.environ["COMETRESP_STATE_DIR"] = str(path.parent)
        commands = (["ask", "hi"], ["ask", "-q", "hi"], ["continue", "--chain", "old", "hi"], ["log"], ["get", "last"])
        processes += [popen(asked, *words) for words in commands]
        ends = [(*map(bytes.decode, process.communicate(timeout=60)), process.returncode) for process in processes]
    unrecorded = "cometresp: warning: this turn is not recorded: "
    assert ends == [
        ("x\n", f"{unrecorded}another process holds the folder {new} (waited 5 s)\n", 0),
        ("x\n", f"{unrecorded}{file}", 0),
        ("x\n", "", 0),
        ("", f"cometresp: error: {file}", 73),
        ("", f"cometresp: error: {file}", 73),
        ("", f"cometresp: error: {file}", 73),
    ]
    assert len(wire.requests) == requests + 3
    assert list(asked("log")) == [0, asked("log", "--chain", "old").text, ""]


def test_what_only_reads_takes_no_lock_of_the_folder(asked: Command) -> None:
    commands = [
        ["log"],
        ["log", "resp_first"],
        ["chains"],
        ["chains", "show", "old"],
        ["chains", "head", "old"],
        ["get", "--dry-run", "@old"],
        ["continue", "--chain", "old", "--dry-run", "hi"],
        ["continue", "--chain", "old", "second"],
        ["ask", "--chain", "new", "third"],
    ]
    with folder_held(state_path(asked).parent):
        results = asked.each(commands)
    assert [(result.code, result.err) for result in results] == [(0, "")] * len(commands)
    assert heads(asked) == {"old": "resp_second", "new": "resp_third"}


def rounds(patience: Patience) -> int:
    """How often it is tried."""
    count = 0
    try:
        for _ in patience.tries("the door"):
            count += 1
    except LockedError as error:
        assert error.message.startswith("another process holds the door")  # noqa: PT017 - the count is what is asked
    return count


def test_the_time_is_one_for_all_that_a_run_waits_for(tmp_path: Path) -> None:
    path = tmp_path / "s" / "state.db"
    opened(path.parent).close()
    patience = Patience(0.1)
    with folder_held(tmp_path / "new"), pytest.raises(LockedError):
        State.open(tmp_path / "new", patience=patience)
    with file_held(path), pytest.raises(LockedError):
        State.open(path.parent, patience=patience)
    assert rounds(patience) == 1


def test_a_short_wait_leaves_the_rest_of_the_time() -> None:
    patience = Patience(1000.0)
    with patience.briefly():
        rounds(patience)
    tries = patience.tries("the door")
    assert [next(tries) for _ in range(5)] == [None] * 5


def test_a_short_wait_in_another_ends_with_it() -> None:
    patience = Patience(1.0)
    with patience.briefly():
        rounds(patience)
        with patience.briefly():
            assert rounds(patience) == 1
        assert rounds(patience) == 1


def test_whoever_was_told_to_give_up_tries_once_more() -> None:
    patience = Patience(1000.0)
    tries = patience.tries("the door")
    next(tries)
    patience.give_up()
    with pytest.raises(LockedError):
        next(tries)
    assert rounds(patience) == 1


def test_processes_that_write_are_not_waited_for_without_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    tries = Patience(0.01).tries("the door", path)

    def write_for_half_a_second_at_least() -> None:
        for n, _ in zip(range(500), tries, strict=False):
            path.write_bytes(b"")
            os.utime(path, ns=(n, n))

    with pytest.raises(LockedError):
        write_for_half_a_second_at_least()


def test_processes_that_write_are_waited_for_longer_than_a_stuck_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    end = time.monotonic() + 1.2
    for n, _ in enumerate(Patience(1.0).tries("the door", path)):
        if time.monotonic() > end:
            return
        path.write_bytes(b"")
        os.utime(path, ns=(n, n))


def test_there_is_one_notice_of_a_wait() -> None:
    said: list[str] = []
    patience = Patience(1.1, said.append)
    rounds(patience)
    rounds(patience)
    assert said == ["waiting for another process that holds the door"]
