"""The command as a job of a shell with a terminal: typed at, stopped and continued, and what becomes of it."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select
from typing import Any

from tests.waiting import LONGEST, is_empty, until

# A shell that can do one thing: run a job in the foreground, continue it when it is told to, and say what became of it.
_SHELL = """
import fcntl, json, os, signal, sys, termios
terminal = int(sys.argv[1])
fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
if not child:
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    for number in (0, 1, 2):
        os.dup2(terminal, number)
    os.execv(sys.argv[2], sys.argv[2:])
def say(**news):
    print(json.dumps(news), flush=True)
say(pid=child)
while True:
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        say(code=os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
        break
    os.tcsetpgrp(terminal, os.getpgrp())
    say(stopped=os.WSTOPSIG(status))
    if sys.stdin.readline() == "fg\\n":
        os.tcsetpgrp(terminal, child)
    os.killpg(child, signal.SIGCONT)
"""


class Job:
    """A job, and all that it has shown on its terminal of 80 columns and 24 rows."""

    def __init__(self, words: list[str], environ: Mapping[str, str], folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        self._shell = subprocess.Popen(
            [sys.executable, "-c", _SHELL, str(theirs), sys.executable, "-m", "cometresp", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # `select` doesn't see what is buffered
            env={**environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
            cwd=folder,
            pass_fds=(theirs,),
            start_new_session=True,
        )
        os.close(theirs)
        self._data = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.pid = int(self._news()["pid"])
        cmdline = Path(f"/proc/{self.pid}/cmdline")
        until(lambda: cmdline.read_bytes().split(b"\0")[1:2] == [b"-m"])  # it is the command now

    def _read(self) -> None:
        with suppress(OSError):  # how Linux says that it was closed
            while data := os.read(self._ours, 65_536):
                self._data += data

    def _news(self) -> Any:
        assert self._shell.stdout is not None
        assert select([self._shell.stdout], [], [], LONGEST)[0], (
            f"nothing became of the job, which shows {self.screen!r}"
        )
        return json.loads(self._shell.stdout.readline())

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed (Linux)."""
        return bool(termios.tcgetattr(self._ours)[3] & termios.ECHO)

    @property
    def screen(self) -> str:
        """All that was written to the terminal so far."""
        return self._data.decode(errors="replace").replace("\r\n", "\n")

    def shows(self, text: str, *, after: int = 0) -> int:
        """Wait until a text is on the terminal, after that place in all that was written; the place after it."""
        return int(until(lambda: (place := self.screen.find(text, after)) >= 0 and place + len(text)))

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def stopped_or_ended(self) -> dict[str, int]:
        """{"stopped": signal} or {"code": exit code}; waits for it."""
        news: dict[str, int] = self._news()
        if "stopped" in news:
            until(lambda: is_empty(self._ours))  # what was written before that has been read
        return news

    def proceed(self, how: str = "fg") -> None:
        """Continue a stopped job, as a shell's `fg` or `bg` does."""
        assert self._shell.stdin is not None
        self._shell.stdin.write(f"{how}\n".encode())
        self._shell.stdin.flush()

    def ended(self) -> int:
        """The exit code; waits for it, and for all that was written."""
        code = self.stopped_or_ended()["code"]
        self._reader.join(LONGEST)
        return code

    def close(self) -> None:
        self.send(signal.SIGKILL)
        self._shell.communicate(timeout=LONGEST)
        self._reader.join(LONGEST)
        os.close(self._ours)


@contextmanager
def job(words: list[str], environ: Mapping[str, str], folder: Path) -> Iterator[Job]:
    one = Job(words, environ, folder)
    try:
        yield one
    finally:
        one.close()


def cursor_is_hidden(screen: str) -> bool:
    """Whether the cursor was hidden and not shown again."""
    return re.findall(r"\x1b\[\?25([lh])", screen)[-1:] == ["l"]
