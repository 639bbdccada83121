"""Command lines run in forks that can reach and change nothing of this machine.

A process has the program loaded (as tests.forked has) and forks for each command line. In the fork an audit hook
refuses every connection but to a server of the fork itself, as the emulator is, and every change of a file outside of
its folder. A command line that runs too long is killed.
"""

import atexit
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, NamedTuple, NoReturn

from tests.fuzz import ROOT

_SECONDS = 20.0  # for one command line
_PAUSE = 0.01  # the longest that a fork sleeps
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]")
_HUNG = -signal.SIGKILL


class Ran(NamedTuple):
    """What a command line did. `sent` are the addresses outside of the fork that it wanted to reach."""

    code: int
    out: bytes
    err: bytes
    sent: list[str]


class BrokenError(AssertionError):
    """What doesn't hold; `kind` is the same for inputs that break it for the same reason."""

    def __init__(self, rule: str, kind: str, ran: Ran) -> None:
        super().__init__(f"{rule}: exit {ran.code}, stderr {ran.err[-2000:]!r}, sent {ran.sent}")
        self.kind = f"{rule}: {kind}"


def run(words: Sequence[str], home: Path, env: Mapping[str, str], stdin: bytes = b"") -> Ran:
    """Run one command line in a folder and an environment of its own."""
    given = {"words": list(words), "stdin": stdin.decode("latin-1"), "env": dict(env), "cwd": str(home)}
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(given).encode() + b"\n")
    server.stdin.flush()
    code, out, err, sent = json.loads(server.stdout.readline())
    return Ran(code, out.encode("latin-1"), err.encode("latin-1"), sent)


def check_ran(ran: Ran, codes: frozenset[int]) -> None:
    """Raises BrokenError for a bug, a traceback, an exit code that isn't documented, and for control characters."""
    err = ran.err.decode(errors="surrogateescape")
    reason = re.sub(r"'.*|\".*|\d+", "…", err.strip().splitlines()[0] if err.strip() else "")[:120]
    if ran.code == _HUNG:
        raise BrokenError("it doesn't end", "", ran)
    if ran.code not in codes:
        raise BrokenError(f"exit {ran.code}", reason, ran)
    if "Traceback (most recent call last)" in err:
        raise BrokenError("a traceback", reason, ran)
    if found := _UNSAFE.search(err):
        raise BrokenError("an unsafe character on stderr", repr(found[0]), ran)


@contextmanager
def folder(files: Mapping[str, bytes]) -> Iterator[tuple[Path, dict[str, str]]]:
    """A home folder with these files, and the environment that belongs to it."""
    with TemporaryDirectory(prefix="cometresp-fuzz-") as made:
        home = Path(made)
        for name, content in files.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
        yield home, {**kept, "HOME": made, "TMPDIR": made, "LANG": "C.UTF-8", "TZ": "UTC"}


@cache
def _server() -> "subprocess.Popen[bytes]":
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    words = [sys.executable, "-m", "tests.fuzz.forks"]
    server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=env)
    atexit.register(server.communicate)  # it ends with its standard input
    return server


# the process that forks ---------------------------------------------------------------------------------------------


def _serve() -> None:
    from tests.forked import load

    load()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line))), file=answers, flush=True)


def _forked(given: Any) -> tuple[int, str, str, list[str]]:
    stdin, theirs = os.pipe()
    with TemporaryFile() as out, TemporaryFile() as err, TemporaryFile() as sent:
        child = os.fork()
        if not child:
            os.close(theirs)
            for number, descriptor in enumerate((stdin, out.fileno(), err.fileno())):
                os.dup2(descriptor, number)
            _run(given, sent.fileno())
        os.close(stdin)
        with suppress(BrokenPipeError), os.fdopen(theirs, "wb") as pipe:  # not every command reads it
            pipe.write(given["stdin"].encode("latin-1"))
        code = _wait(child)
        texts = []
        for file in (out, err, sent):
            file.seek(0)
            texts.append(file.read().decode("latin-1"))
        return code, texts[0], texts[1], texts[2].splitlines()


def _wait(child: int) -> int:
    """The exit code of a child, which is killed with all of its processes when it takes too long."""

    def kill(*_: object) -> None:
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.setitimer(signal.ITIMER_REAL, 0)
    return code


def _run(given: Any, sent: int) -> NoReturn:
    os.setsid()  # without a terminal, and with its processes in a group of their own
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(given["env"])
    os.chdir(given["cwd"])
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(float(seconds), _PAUSE))
    sys.addaudithook(_Guard(Path(given["cwd"]).resolve(), sent))
    from tests.forked import run_here

    run_here(given["words"])


class _Guard:
    """An audit hook: it raises the errors of a machine without a network, on which all is read-only but one folder."""

    def __init__(self, home: Path, sent: int) -> None:
        self._home = str(home)
        self._sent = sent
        self._bound: list[Any] = []

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.bind":
            self._bound.append(args[0])
        elif event == "socket.connect":
            address = args[1]
            if not any(address[:2] == bound.getsockname()[:2] for bound in self._bound if bound.fileno() >= 0):
                os.write(self._sent, f"{address}\n".encode(errors="replace"))
                raise ConnectionRefusedError(111, "Connection refused")
        elif event == "socket.getaddrinfo" and args[0] not in ("127.0.0.1", "localhost", "::1", None):
            import socket

            os.write(self._sent, f"{args[0]}\n".encode(errors="replace"))
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        elif event == "open":
            path, mode, flags = args
            writes = flags & _WRITES if flags else "r" not in (mode or "r") or "+" in (mode or "")
            if writes and isinstance(path, str | bytes):
                self._check(path)
        elif event in _CHANGES:
            for path in args[:2]:
                if isinstance(path, str | bytes):
                    self._check(path)

    def _check(self, path: str | bytes) -> None:
        real = os.path.realpath(os.fsdecode(path))
        if not real.startswith((self._home, "/dev/null", "/dev/full", "/dev/tty", "/proc/self/fd")):
            raise PermissionError(13, "Permission denied")


if __name__ == "__main__":
    _serve()
