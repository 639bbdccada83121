"""Signals: what ends a run, stops it and continues it, at a terminal and with a tool that runs."""

import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command
from tests.jobs import Job, cursor_is_hidden, job
from tests.scripted import STREAM_HEAD, Wire, created, delta, ended, frames, message, response
from tests.terminals import TAKE_TERMINAL, plain
from tests.turns.tooling import PATIENT, TOUCH, answering, calling
from tests.waiting import halted, line_with, lives, until, written

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are looked up in /proc")

HIDE, CTRL_C, CTRL_Z, CTRL_BACKSLASH = "\x1b[?25l", "\x03", "\x1a", "\x1c"
TOOL = """
[[tool]]
name = "wait"
description = "Never ends"
command = ["sh", "-c", "echo $$ > child; sh -c 'echo $$ > grandchild; while :; do sleep 1; done' & wait"]
read_only = true
"""
WAIT = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "wait", "arguments": "{}"}


def halting(wire: Wire) -> threading.Event:
    """Have the server answer with half of an answer, and the rest once the event is set."""
    go_on = threading.Event()

    def script(_: Any, connection: Any) -> None:
        connection.sendall(STREAM_HEAD + frames([created(), delta("half an answer")]))
        go_on.wait(60)
        connection.sendall(frames([delta(", and the rest"), ended(response(message("half an answer, and the rest")))]))

    wire.answer(script)
    return go_on


def running_tool(ask: Command, one: Job) -> list[int]:
    """The process ids of the tool and of what it started, when it runs and the terminal shows it."""
    pids = [written(ask.home / name) for name in ("child", "grandchild")]
    one.shows("wait")
    return pids


@pytest.fixture
def tool(ask: Command, wire: Wire) -> Command:
    (ask.home / "tool.toml").write_text(TOOL)
    wire.answer(calling(WAIT), answering())
    return ask


def test_ctrl_z_clears_the_tail_and_shows_the_cursor_and_fg_draws_again(ask: Command, wire: Wire) -> None:
    go_on = halting(wire)
    with job(["stream", "hi"], ask.environ, ask.home) as one:
        one.shows("half")
        one.type(CTRL_Z)
        assert one.stopped_or_ended() == {"stopped": signal.SIGTSTP}
        until(lambda: not cursor_is_hidden(one.screen))
        stopped_at = len(one.screen)
        one.proceed()
        one.shows("half", after=one.shows(HIDE, after=stopped_at))
        go_on.set()
        assert one.ended() == 0
        assert "half an answer, and the rest\n" in plain(one.screen)
        assert not cursor_is_hidden(one.screen)


def test_in_the_background_nothing_is_redrawn(ask: Command, wire: Wire) -> None:
    go_on = halting(wire)
    with job(["stream", "hi"], ask.environ, ask.home) as one:
        one.shows("half")
        one.type(CTRL_Z)
        assert one.stopped_or_ended() == {"stopped": signal.SIGTSTP}
        stopped_at = len(one.screen)
        one.proceed("bg")
        go_on.set()
        assert one.ended() == 0
        assert (HIDE in one.screen[stopped_at:], "and the rest\n" in plain(one.screen[stopped_at:])) == (False, True)


def test_a_question_is_put_again_and_not_answered_by_what_was_typed_to_the_shell(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH), answering())
    with job(["ask", "--functions", "tools.py", "hi"], tools.environ, tools.home) as one:
        first = one.shows("[s]top: ")
        one.type(CTRL_Z)
        assert one.stopped_or_ended() == {"stopped": signal.SIGTSTP}, one.screen
        one.type("y\n")
        one.proceed()
        one.shows("[s]top: ", after=one.shows("the model calls", after=first))
        one.type("n\n")
        assert one.ended() == 0
    assert not (tools.home / "touched").exists()


def test_a_question_on_a_terminal_that_goes_away_ends_the_run(tools: Command, wire: Wire) -> None:
    wire.answer(calling(TOUCH), answering())
    ours, theirs = pty.openpty()
    program = [sys.executable, "-m", "cometresp", "ask", "--functions", "tools.py", "hi"]
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, str(theirs), *program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=tools.environ,
        cwd=tools.home,
        pass_fds=(theirs,),
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"[s]top: " not in shown:
        shown += os.read(ours, 65_536)
    process.send_signal(signal.SIGSTOP)
    until(lambda: halted(process.pid))
    os.close(ours)  # which continues it: the signal is the first that it hears
    out, err = process.communicate(timeout=60)
    hint = "hint: cometresp continue --functions tools.py resumes the run\n"
    assert (process.returncode, out, err.decode()) == (129, b"", f"cometresp: error: hung up\n{hint}")


def test_a_tool_is_stopped_and_continued_with_the_run(tool: Command) -> None:
    with job(["ask", "--functions", "tool.toml", "hi"], tool.environ, tool.home) as one:
        pids = running_tool(tool, one)
        one.type(CTRL_Z)
        assert one.stopped_or_ended() == {"stopped": signal.SIGTSTP}
        until(lambda: all(halted(pid) for pid in pids))
        until(lambda: not cursor_is_hidden(one.screen))
        stopped_at = len(one.screen)
        one.proceed()
        one.shows("wait", after=one.shows(HIDE, after=stopped_at))
        until(lambda: not any(halted(pid) for pid in pids))
        one.type(CTRL_C)
        assert (one.ended(), [lives(pid) for pid in pids]) == (130, [False, False])
        assert not cursor_is_hidden(one.screen)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)],
)
def test_a_signal_ends_the_run_and_its_tool(tool: Command, number: signal.Signals, code: int) -> None:
    with job(["ask", "--functions", "tool.toml", "hi"], tool.environ, tool.home) as one:
        pids = running_tool(tool, one)
        one.send(number)
        assert (one.ended(), [lives(pid) for pid in pids]) == (code, [False, False])
        assert (cursor_is_hidden(one.screen), "core" in one.screen) == (False, False)


@pytest.mark.parametrize("signals", [[signal.SIGINT] * 5, [signal.SIGTERM, signal.SIGQUIT, signal.SIGTERM]])
def test_signals_in_quick_succession_end_all_the_same(tool: Command, signals: list[signal.Signals]) -> None:
    with job(["ask", "--functions", "tool.toml", "hi"], tool.environ, tool.home) as one:
        pids = running_tool(tool, one)
        for number in signals:
            one.send(number)
        assert one.ended() in {128 + number for number in signals}
        assert (cursor_is_hidden(one.screen), "Traceback" in one.screen) == (False, False)
        for pid in pids:
            until(lambda pid=pid: not lives(pid))  # type: ignore[misc]


def test_ctrl_backslash_ends_a_stream_with_a_word_about_it(ask: Command, wire: Wire) -> None:
    halting(wire)
    with job(["stream", "hi"], ask.environ, ask.home) as one:
        one.shows("half")
        one.type(CTRL_BACKSLASH)
        assert (one.ended(), cursor_is_hidden(one.screen)) == (131, False)
        assert "cometresp: error: quit\n" in plain(one.screen)


def test_a_tool_does_not_survive_a_killed_run(tool: Command) -> None:
    with job(["ask", "--functions", "tool.toml", "hi"], tool.environ, tool.home) as one:
        pids = running_tool(tool, one)
        one.send(signal.SIGKILL)
        assert one.ended() == 137
        for pid in pids:
            until(lambda pid=pid: not lives(pid))  # type: ignore[misc]


# Runs the command line, with a signal that comes while the module MODULE is imported.
_SIGNALLED = """
import os, sys
class Finder:
    def find_spec(self, name, *_):
        if name == os.environ["MODULE"]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), int(os.environ["NUMBER"]))
sys.meta_path.insert(0, Finder())
from cometresp.__main__ import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
@pytest.mark.parametrize(
    ("module", "heard"),
    [
        ("cometresp.cli", False),
        ("typer", False),
        ("cometresp.commands.ask", True),
        ("httpx", True),
        ("rich.text", True),
    ],
)
def test_a_signal_during_imports_shows_no_traceback(
    ask: Command, wire: Wire, module: str, heard: bool, number: signal.Signals
) -> None:
    halting(wire)
    process = subprocess.run(
        [sys.executable, "-c", _SIGNALLED, "ask", "-F", "markdown", "hi"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=ask.environ | {"MODULE": module, "NUMBER": str(int(number))},
        cwd=ask.home,
        timeout=60,
        check=False,
    )
    said = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGQUIT: "quit"}[number]
    assert (process.returncode, process.stdout) == (128 + number, b"")
    assert process.stderr.decode() == (f"cometresp: error: {said}\n" if heard else "")


def test_a_signal_that_python_drops_in_a_destructor_is_sent_again(run: Command) -> None:
    code = """
import os, signal, time
from cometresp import signals
from cometresp.errors import StoppedError
class Dropped:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass
signals.install()
try:
    Dropped()
    while True:
        time.sleep(1)
except StoppedError as stopped:
    print(stopped)
"""
    process = subprocess.run(
        [sys.executable, "-c", code], env=run.environ, capture_output=True, timeout=60, check=False
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, b"interrupted\n", b"")


def test_a_second_interrupt_waits_only_seconds_for_the_cancel(ask: Command, wire: Wire) -> None:
    def hang(_: Any, connection: Any) -> None:
        connection.sendall(STREAM_HEAD + frames([created(background=True), delta("half")]))
        connection.recv(1)

    def silent(_: Any, connection: Any) -> None:
        connection.recv(1)

    wire.answer(hang, silent)
    process = ask.popen("stream", "--background", "--verbose", "hi", program=PATIENT)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(4) == b"half"
    process.send_signal(signal.SIGINT)
    line_with(b"interrupt again", process.stderr)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.decode().startswith("cometresp: error: interrupted; resp_1 can't be cancelled: no answer within 1 s\n")


def test_signals_that_are_ignored_stay_ignored(ask: Command, wire: Wire) -> None:
    go_on = halting(wire)

    def ignore() -> None:
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)

    process = ask.popen("stream", "hi", preexec_fn=ignore, bufsize=0)
    assert process.stdout is not None
    assert process.stdout.read(4) == b"half"
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        os.kill(process.pid, number)
    go_on.set()
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, b" an answer, and the rest\n", b"")


def test_a_signal_ends_a_wait_also_where_it_comes_to_another_thread() -> None:
    process = subprocess.run([sys.executable, "-c", _ELSEWHERE], capture_output=True, timeout=60, check=False)
    assert (process.returncode, process.stdout.decode(), process.stderr.decode()) == (0, "143\n", "")


# A wait on a socket; the signal comes to another thread, so that it doesn't interrupt the system call.
_ELSEWHERE = """
import signal, socket, threading, time
from pathlib import Path
from cometresp import signals
from cometresp.errors import StoppedError

def waits():
    return Path(f"/proc/self/task/{threading.main_thread().native_id}/stat").read_text().rpartition(") ")[2][0] == "S"

def elsewhere():
    while not (begun and waits()):
        pass
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

signals.install()
one, other = socket.socketpair()
begun = []
threading.Thread(target=elsewhere, daemon=True).start()
begun.append(True)
try:
    one.recv(1)
except StoppedError as error:
    print(error.exit_code)
"""
