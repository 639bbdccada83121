"""The command on terminals: pseudo-terminals of our own, and tmux, which also shows what became of the lines."""

import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.called import Fork
from tests.conftest import FORKER, Command
from tests.waiting import LONGEST, until

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


def plain(screen: str) -> str:
    """What was written to a terminal, without the sequences that steer it."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen)


def at_the_end(written: str) -> str:
    """What stands on a terminal after all of this was written to it: how often it was redrawn makes no difference."""
    cells = Cells()
    cells.write(written.replace("\n", "\r\n"))  # as a terminal does
    return "\n".join(cells.lines)


class Cells:
    """A terminal of the few controls that a region uses: what it shows after all that was drawn and erased."""

    def __init__(self) -> None:
        self.rows = [""]
        self.row = self.column = 0

    def write(self, text: str) -> None:
        for number, control, character in re.findall(r"\x1b\[\??(\d*)([A-Za-z])|([^\x1b])", text):
            count = int(number or 1)
            if control == "A":
                self.row -= count
            elif control == "B":
                self.row += count
            elif control == "C":
                self.column += count
            elif control == "K":
                self.rows[self.row] = self.rows[self.row][: self.column]
            elif character == "\r":
                self.column = 0
            elif character == "\n":
                self.row += 1
                self.rows += [""] * (self.row + 1 - len(self.rows))
            elif character:
                line = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = line[: self.column] + character + line[self.column + 1 :]
                self.column += 1

    @property
    def lines(self) -> list[str]:
        return [row.rstrip() for row in self.rows]


def on_terminal(
    run: Command,
    *words: str,
    env: dict[str, str] | None = None,
    meanwhile: Callable[[int], None] | None = None,
    when: bytes = b"half",
    **streams: int | IO[bytes],
) -> tuple[int, str]:
    """Run with stdout and stderr on one terminal of 80 columns; (exit code, all that was written there).

    `streams` puts one of them elsewhere; `meanwhile` gets the process id when `when` is there.
    """
    environ = run.environ | (env or {})
    if meanwhile is None and not streams and FORKER.can_start(environ):
        code, screen, _ = FORKER.run(run, words, stdin=None, env=env, terminal=True)
        return code, screen
    ours, theirs = pty.openpty()
    process = started(
        run,
        words,
        {"stdin": subprocess.DEVNULL, "stdout": theirs, "stderr": theirs, **streams},
        {**run.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **(env or {})},
    )
    os.close(theirs)
    data = b""
    for chunk in _chunks(ours):
        data += chunk
        if meanwhile is not None and when in data:
            meanwhile(process.pid)
            meanwhile = None
    os.close(ours)
    return _ended(process, data), data.decode().replace("\r\n", "\n")


def started(
    run: Command, words: Sequence[str], streams: dict[str, int | IO[bytes]], environ: dict[str, str]
) -> Fork | subprocess.Popen[bytes]:
    """The command in a process group of its own: one without a parent in its session can't be stopped by SIGTSTP."""
    if not FORKER.starts_alike(environ):
        program = [sys.executable, "-m", "cometresp", *words]
        return subprocess.Popen(program, **streams, env=environ, cwd=run.home, process_group=0)  # type: ignore[call-overload,no-any-return]
    with Path(os.devnull).open("r+b", buffering=0) as nothing:
        given = [nothing if streams[name] == subprocess.DEVNULL else streams[name] for name in streams]
        files = [file if isinstance(file, int) else file.fileno() for file in given]
        return Fork(words, files, environ, run.home)


def _chunks(terminal: int) -> Iterator[bytes]:
    """What is written to a terminal, until nobody has it open, or nothing has come for very long."""
    while select.select([terminal], [], [], LONGEST)[0]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # how Linux says that it was closed
            return
        if not chunk:
            return
        yield chunk


def _ended(process: Fork | subprocess.Popen[bytes], shown: bytes) -> int:
    try:
        return process.wait(LONGEST)
    except (TimeoutError, subprocess.TimeoutExpired):
        os.kill(process.pid, signal.SIGKILL)
        process.wait(LONGEST)
        raise AssertionError(f"the command never ended; it has shown {shown[-2000:]!r}") from None


# The terminal stays open in the command: one that nobody has open is at its end.
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
os.execv(sys.argv[2], sys.argv[2:])
"""


def at_terminal(
    run: Command,
    typed: Sequence[str],
    *words: str,
    ahead: str = "",
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
) -> tuple[int, str, str, str]:
    """Run with a controlling terminal that only the questions reach; (exit code, stdout, stderr, the terminal).

    `typed` has what is typed at each question, and `ahead` what is typed before the start.
    """
    ours, theirs = pty.openpty()
    os.write(ours, ahead.encode())
    pipes = [os.pipe() for _ in range(3)]
    files = [pipes[0][0], pipes[1][1], pipes[2][1], theirs]
    process = Fork(words, files, run.environ | (env or {}), run.home, last_is_terminal=True)
    for file in files:
        os.close(file)
    with open(pipes[0][1], "wb") as inlet:  # noqa: PTH123
        inlet.write(stdin)
    shown, answers = b"", list(typed)
    for chunk in _chunks(ours):
        shown += chunk
        if answers and shown.count(b"[s]top: ") > len(typed) - len(answers):
            os.write(ours, answers.pop(0).encode() + b"\n")
    with open(pipes[1][0], "rb") as out, open(pipes[2][0], "rb") as err:  # noqa: PTH123
        printed, told = out.read().decode(), err.read().decode()
    os.close(ours)
    return process.wait(LONGEST), printed, told, shown.decode().replace("\r\n", "\n")


@dataclass
class Tmux:
    """A tmux server of the test's own."""

    name: str

    def __call__(self, *words: str) -> str:
        return subprocess.run(["tmux", "-L", self.name, *words], capture_output=True, text=True, check=True).stdout

    def screen(self) -> str:
        """All that was shown, with what has scrolled away."""
        return self("capture-pane", "-p", "-J", "-S", "-")

    def wait_for(self, text: str) -> str:
        """The screen as soon as the text is on it."""
        shown: str = until(lambda: screen if text in (screen := self.screen()) else "", pause=0.1)
        return shown


def start(tmux: Tmux, ask: Command, columns: int, rows: int, *words: str) -> None:
    """Run the command in a window of that size; `DONE-` and the exit code come after it."""
    environ = " ".join(f"{name}={shlex.quote(value)}" for name, value in ask.environ.items())
    program = shlex.join([sys.executable, "-m", "cometresp", *words])
    command = f"env -u COLUMNS -u LINES {environ} {program}; echo DONE-$?; cat"
    tmux("-f", "/dev/null", "start-server", ";", "set", "-g", "history-limit", "100000", ";", "new-session", "-d", "-x",
         str(columns), "-y", str(rows), "sh", "-c", command)  # fmt: skip
