"""Many command lines, one after the other, each in a process that is forked from this one.

    echo '{"words": ["ask", "-"], "stdin": "x", "env": {"PATH": "/bin"}, "cwd": "/"}' | python -m tests.forked

For each line of standard input it prints [exit code, stdout, stderr] as a line of JSON; bytes are written as Latin-1.
Without a `stdin` the process has /dev/null. A result is there when nobody has the pipes open any more, not even
what the process has started; what takes longer than three minutes is killed, and its exit code is that of the signal.
With `"terminal": true` stdout and stderr are one terminal of 80 columns, and what is written there is the stdout. A
process does what any other run of the program does, but finds the modules loaded, which takes nine tenths of the time
of a short run, and what a few runs before it have left in caches (`warm_up`).

`python -m tests.forked SOCKET` does the same for whoever connects to the socket, with the open files that are sent with
the command line, if wanted in a process group or a session of its own; the reply is the id of the process and, when it
has ended, its exit code, in ten characters each.
"""

import fcntl
import gc
import io
import json
import marshal
import os
import pty
import signal
import socket
import sys
import termios
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from copy import copy
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from tempfile import TemporaryDirectory
from typing import NoReturn

from typer.exceptions import TyperException
from typer.main import get_command

import cometresp
from cometresp.__main__ import main
from cometresp.cli import app
from cometresp.report import facts
from cometresp.wire import masking

# What commands load when they need it, beside modules of the program.
LIBRARIES = (
    "certifi",
    "concurrent.futures.thread",
    "encodings.idna",
    "h11",
    "httpcore",
    "httpx",
    "jsonschema",
    "platformdirs",
    "pygments.lexers",
    "rich.console",
    "shlex",
)

# What is run before the first fork.
WARM_UP = (
    ["ask", "--offline", "hi"],
    ["continue", "--offline", "--json", "hi"],
    ["get", "--offline", "last"],
    ["chains"],
    ["ask", "--dry-run", "hi"],
    ["ask", "--no-such-flag"],
)

LONGEST = 200.0  # seconds; pytest ends a test after 300


def load() -> None:
    """Load all of the program, and what it loads of libraries."""
    for name in (*(module.name for module in walk_packages(cometresp.__path__, "cometresp.")), *LIBRARIES):
        with suppress(ImportError, AssertionError):  # tests.platforms: what is for Unix alone
            import_module(name)


def warm_up() -> None:
    """Run some command lines here, so that forks find patterns compiled, and code that the interpreter has sped up.

    What else they leave in the program's modules is removed, and nothing may be left.
    """
    before, threads = _held(), set(threading.enumerate())
    with _nowhere():
        for words in WARM_UP * 2:
            with suppress(TyperException):  # of the flag that there isn't
                get_command(app).main(list(words), prog_name="cometresp", standalone_mode=False)
    for thread in set(threading.enumerate()) - threads:
        thread.join(LONGEST)  # one of the emulator's, which sees the end of its connection
    facts.of_runs.clear()
    masking.of_runs.clear()
    now = _held()
    left = [name for name, value in before.items() if now[name] != value]
    assert not left, f"a command line leaves something in {left}, which others would find"
    gc.collect()


@contextmanager
def _nowhere() -> Iterator[None]:
    """A home that is removed afterwards, no input, and nothing is printed."""
    environ, folder, streams, stdin = dict(os.environ), Path.cwd(), [os.dup(number) for number in range(3)], sys.stdin
    nothing = Path(os.devnull)
    with TemporaryDirectory() as home, nothing.open() as given, nothing.open("w") as printed:
        for number, file in enumerate((given, printed, printed)):
            os.dup2(file.fileno(), number)
        sys.stdin = given
        os.environ.clear()
        os.environ.update(PATH=environ["PATH"], HOME=home, TERM="dumb")
        os.chdir(home)
        try:
            with redirect_stdout(printed), redirect_stderr(printed):
                yield
        finally:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environ)
            sys.stdin = stdin
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)


def _held() -> dict[tuple[str, str], object]:
    """What is in the program's modules by now: of collections what they hold, else which object it is."""
    return {
        (module, name): copy(value) if isinstance(value, dict | list | set) else id(value)
        for module, loaded in sys.modules.items()
        if module.partition(".")[0] == "cometresp"
        for name, value in vars(loaded).items()
        if not name.startswith("__")
    }


def forked(words: list[str], stdin: bytes | None, env: dict[str, str], cwd: str) -> tuple[int, str, str]:
    out, err = os.pipe(), os.pipe()
    child, inlet = _forked(words, stdin, env, cwd, (out[1], err[1]))
    printed, told = _exchange(child, inlet, stdin or b"", [out[0], err[0]])
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code, printed.decode("latin-1"), told.decode("latin-1")


def forked_on_terminal(words: list[str], stdin: bytes | None, env: dict[str, str], cwd: str) -> tuple[int, str, str]:
    ours, theirs = pty.openpty()
    size = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    child, inlet = _forked(words, stdin, {**size, **env}, cwd, (theirs, theirs))
    [shown] = _exchange(child, inlet, stdin or b"", [ours])
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode("latin-1").replace("\r\n", "\n"), ""


def _forked(
    words: list[str], stdin: bytes | None, env: dict[str, str], cwd: str, outlets: tuple[int, int]
) -> tuple[int, int | None]:
    """The process that runs the command, and the pipe to write its input into, if it has one."""
    ours, theirs = os.pipe() if stdin is not None else (os.open(os.devnull, os.O_RDONLY), None)
    child = os.fork()
    if not child:
        for number, file in enumerate((ours, *outlets)):
            os.dup2(file, number)
        os.closerange(3, 256)
        os.environ.clear()
        os.environ.update(env)
        time.tzset()
        os.chdir(cwd)
        sys.path[0] = cwd
        run_here(words)
    for file in {ours, *outlets}:
        os.close(file)
    return child, theirs


def _exchange(child: int, inlet: int | None, stdin: bytes, outlets: list[int]) -> list[bytes]:
    """What comes out of the pipes until nobody has them open; meanwhile the input is written."""
    data, deadline = {file: bytearray() for file in outlets}, time.monotonic() + LONGEST
    with DefaultSelector() as selector:
        for file in outlets:
            selector.register(file, EVENT_READ)
        if inlet is not None:
            os.set_blocking(inlet, False)
            selector.register(inlet, EVENT_WRITE)
        while selector.get_map():
            ready = selector.select(max(deadline - time.monotonic(), 0))
            if not ready and deadline <= time.monotonic():
                os.kill(child, signal.SIGKILL)
                deadline += LONGEST
            for key, _ in ready:
                if key.fd == inlet:
                    stdin = stdin[_written(inlet, stdin) :]
                    more = bool(stdin)
                else:
                    data[key.fd] += (chunk := _read(key.fd))
                    more = bool(chunk)
                if not more:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return [bytes(read) for read in data.values()]


def _written(pipe: int, data: bytes) -> int:
    try:
        return os.write(pipe, data)
    except BrokenPipeError:  # not every command reads it
        return len(data)


def _read(pipe: int) -> bytes:
    with suppress(OSError):  # how Linux says that nobody has a terminal open any more
        return os.read(pipe, 65536)
    return b""


def run_here(words: list[str]) -> NoReturn:
    """Run a command line in this process, and end it with its exit code."""
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.argv[:] = ["cometresp", *words]
    try:
        main()
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 0)
    except BaseException:  # noqa: BLE001 - what it is, a test shall see
        traceback.print_exc()
    finally:
        os._exit(1)


def serve(path: str) -> NoReturn:
    """Run the command lines that come over a socket, any number at the same time."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    while True:
        caller, _ = listener.accept()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not os.fork():
            listener.close()
            _serve_one(caller)
        caller.close()


def _serve_one(caller: socket.socket) -> NoReturn:
    message, files, _, _ = socket.recv_fds(caller, 65536, 64)
    words, env, cwd, numbers, place = marshal.loads(message + b"".join(iter(lambda: caller.recv(65536), b"")))
    child = os.fork()
    if not child:
        high = [fcntl.fcntl(file, fcntl.F_DUPFD, 100) for file in files]  # so that none is where another shall be
        for file, number in zip(high, numbers, strict=True):
            os.dup2(file, number)
        for file in {caller.fileno(), *files, *high} - set(numbers):
            os.close(file)
        _take(place, numbers[-1])
        os.environ.clear()
        os.environ.update(env)
        time.tzset()
        os.chdir(cwd)
        run_here(words)
    for file in files:
        os.close(file)
    caller.sendall(f"{child:10}".encode())
    caller.sendall(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):10}".encode())
    os._exit(0)


def _take(place: str, terminal: int) -> None:
    """Begin a process group, or a session with this terminal, unless the place is that of the caller: ""."""
    if place == "group":
        os.setpgid(0, 0)
    elif place == "session":
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


if __name__ == "__main__":
    load()
    warm_up()
    gc.freeze()  # what is loaded is neither searched nor copied by the processes to come
    if sys.argv[1:]:
        serve(sys.argv[1])
    for line in sys.stdin:
        given = json.loads(line)
        run = forked_on_terminal if given.get("terminal") else forked
        stdin = given.get("stdin")
        result = run(given["words"], stdin if stdin is None else stdin.encode("latin-1"), given["env"], given["cwd"])
        print(json.dumps(result), flush=True)
