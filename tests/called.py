"""The command as a program that shells can call, which takes a tenth of the time of a start: it runs in a fork."""

import atexit
import marshal
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.conftest import ROOT, Command

# It hands its words, environment, folder and files to `tests.forked`.
_CALL = """#!{python} -IS
import _signal, _socket, marshal, os, sys  # what starts in a hundredth of a second

def is_open(number):
    try:
        return bool(os.fstat(number))
    except OSError:
        return False

numbers = [number for number in range(64) if is_open(number)]
files = b"".join(number.to_bytes(4, sys.byteorder) for number in numbers)
call = marshal.dumps((sys.argv[1:], dict(os.environ), os.getcwd(), numbers, ""))
server = _socket.socket(_socket.AF_UNIX)
server.connect({path!r})
sent = server.sendmsg([call], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
while sent < len(call):
    sent += server.send(call[sent:])
server.shutdown(_socket.SHUT_WR)
child = int(server.recv(10, _socket.MSG_WAITALL))
def end(*_):
    try:
        os.kill(child, _signal.SIGTERM)
    except ProcessLookupError:  # it has ended meanwhile
        pass
_signal.signal(_signal.SIGTERM, end)
code = int(server.recv(10, _socket.MSG_WAITALL))
sys.exit(code if code >= 0 else 128 - code)
"""


@contextmanager
def called(folder: Path) -> Iterator[Path]:
    """The program `cometresp` in a folder; it works as long as the block lasts."""
    path, program = f"{folder}/socket", folder / "cometresp"
    program.write_text(_CALL.format(python=sys.executable, path=path))
    program.chmod(0o755)
    environ = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", "LANG": "C.UTF-8"}
    words = [sys.executable, "-m", "tests.forked", path]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT, env=environ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield program
        server.terminate()


@cache
def program() -> str:
    """The path of such a program, which works until the tests of this process are over."""
    stack = ExitStack()
    atexit.register(stack.close)
    return str(stack.enter_context(called(Path(stack.enter_context(TemporaryDirectory())))))


def popen(run: Command, *words: str, **more: Any) -> subprocess.Popen[bytes]:
    """As `Command.popen`, where no signal is sent: only SIGTERM reaches what runs."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen([program(), *words], **streams, env=run.environ, cwd=run.home)


class Fork:
    """A command line that runs in a fork; a signal that is sent to `pid` reaches it as it reaches a program.

    `files` are those of this process that are 0, 1, 2 and so on there. It is in a process group of its own or, if the
    last file is its controlling terminal, in a session.
    """

    def __init__(
        self,
        words: Sequence[str],
        files: Sequence[int],
        environ: Mapping[str, str],
        folder: Path,
        *,
        last_is_terminal: bool = False,
    ) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.connect(str(Path(program()).with_name("socket")))
        place = "session" if last_is_terminal else "group"
        call = marshal.dumps((list(words), dict(environ), str(folder), list(range(len(files))), place))
        sent = socket.send_fds(self._server, [call], list(files))
        self._server.sendall(call[sent:])
        self._server.shutdown(socket.SHUT_WR)
        self.pid = self._number()

    def _number(self) -> int:
        return int(self._server.recv(10, socket.MSG_WAITALL))

    def wait(self, seconds: float) -> int:
        """The exit code; that of a signal is negative. Raises TimeoutError if it doesn't end in time."""
        with self._server:
            self._server.settimeout(seconds)
            return self._number()
