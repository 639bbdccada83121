"""Many command lines, one after the other, each in a process that is forked from this one.

    echo '{"words": ["ask", "-"], "stdin": "x", "env": {"PATH": "/bin"}, "cwd": "/"}' | python -m tests.forked

For each line of standard input it prints [exit code, stdout, stderr] as a line of JSON; bytes are written as Latin-1.
With `"terminal": true` stdout and stderr are one terminal of 80 columns, and what is written there is the stdout. A
process does what any other run of the program does, but finds the modules loaded, which takes nine tenths of the time
of a short run.

`python -m tests.forked SOCKET` does the same for whoever connects to the socket, with the open files that are sent with
the command line; the reply is the id of the process and, when it has ended, its exit code, in ten characters each.
"""

import fcntl
import gc
import io
import json
import marshal
import os
import pty
import socket
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from tempfile import TemporaryFile
from typing import NoReturn

from cometresp.__main__ import main
from cometresp.cli import COMMANDS

# What commands load when they need it.
LATE = (
    "certifi",
    "encodings.idna",
    "h11",
    "httpcore",
    "httpx",
    "jsonschema",
    "markdown_it",
    "platformdirs",
    "shlex",
    "cometresp.client.client",
    "cometresp.emulator.server",
    "cometresp.render.choose",
    "cometresp.render.plain",
    "cometresp.schema.check",
    "cometresp.settings.invoke",
    "cometresp.state.state",
    "cometresp.turns.loop",
    "cometresp.turns.fetch",
)


def forked(words: list[str], stdin: bytes, env: dict[str, str], cwd: str) -> tuple[int, str, str]:
    with TemporaryFile() as out, TemporaryFile() as err:
        child = _forked(words, stdin, env, cwd, (out.fileno(), err.fileno()))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        err.seek(0)
        return code, out.read().decode("latin-1"), err.read().decode("latin-1")


def forked_on_terminal(words: list[str], stdin: bytes, env: dict[str, str], cwd: str) -> tuple[int, str, str]:
    ours, theirs = pty.openpty()
    size = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    child = _forked(words, stdin, {**size, **env}, cwd, (theirs, theirs))
    os.close(theirs)
    with io.FileIO(ours) as terminal:
        shown = b"".join(iter(lambda: _read(terminal), b""))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode("latin-1").replace("\r\n", "\n"), ""


def _read(terminal: io.FileIO) -> bytes:
    try:
        return terminal.read(65536) or b""
    except OSError:  # how Linux says that nobody has it open any more
        return b""


def _forked(words: list[str], stdin: bytes, env: dict[str, str], cwd: str, outlets: tuple[int, int]) -> int:
    """The process that runs the command, with its input written."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.close(theirs)
        for number, file in enumerate((ours, *outlets)):
            os.dup2(file, number)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(cwd)
        run_here(words)
    os.close(ours)
    with suppress(BrokenPipeError), io.FileIO(theirs, "w") as pipe:  # not every command reads it
        pipe.write(stdin)
    return child


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
    words, env, cwd, numbers = marshal.loads(message + b"".join(iter(lambda: caller.recv(65536), b"")))
    child = os.fork()
    if not child:
        high = [fcntl.fcntl(file, fcntl.F_DUPFD, 100) for file in files]  # so that none is where another shall be
        for file, number in zip(high, numbers, strict=True):
            os.dup2(file, number)
        for file in {caller.fileno(), *files, *high} - set(numbers):
            os.close(file)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(cwd)
        run_here(words)
    for file in files:
        os.close(file)
    caller.sendall(f"{child:10}".encode())
    caller.sendall(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):10}".encode())
    os._exit(0)


if __name__ == "__main__":
    for name in (*(f"cometresp.commands.{name}" for name in COMMANDS.values()), *LATE):
        import_module(name)
    gc.freeze()  # what is loaded is neither searched nor copied by the processes to come
    if sys.argv[1:]:
        serve(sys.argv[1])
    for line in sys.stdin:
        given = json.loads(line)
        run = forked_on_terminal if given.get("terminal") else forked
        result = run(given["words"], given["stdin"].encode("latin-1"), given["env"], given["cwd"])
        print(json.dumps(result), flush=True)
