"""A `.py` file of functions: the parent's side of `host`. The file is never imported in this process.

One child is kept with the file loaded, so that the state of the module is kept between calls. A file with
`PARALLEL_SAFE = True` gets another child for each call that finds no idle one. Each child has its own state, and a call
that is killed doesn't affect the others. A child that was killed or ended is replaced at the next call.
"""

import json
import os
import queue
import secrets
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cometresp.errors import UsageError
from cometresp.functions.children import Capture, Child
from cometresp.functions.definitions import definition
from cometresp.functions.processes import Processes
from cometresp.functions.results import LIMIT, Function, Result, Tool, failure, success
from cometresp.text import escape_line
from cometresp.wire.json import Json

_HOST = str(Path(__file__).with_name("host.py"))
_LONGEST_MESSAGE = 8_388_608  # bytes; a result of LIMIT characters has at most an eighth of that
_OVERLAP = 8  # calls of a parallel file at the same time
_SETTLE = 1.0  # seconds to wait for the last output of a call


class _GoneError(Exception):
    """The child ended, or sent something that is not a message."""


class _Host:
    """A child that has loaded the file, or is loading it."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.printed = Capture(child.stderr)
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._receive, args=(child.stdout,), daemon=True).start()

    def _receive(self, pipe: Any) -> None:
        line = bytearray()
        with pipe:
            while len(line) <= _LONGEST_MESSAGE and (data := pipe.read(65_536)):
                line += data
                if b"\n" in data:  # a forked copy of the child may have sent a message at the same moment
                    *messages, line = line.split(b"\n")
                    for message in messages:
                        self._messages.put(bytes(message))
        self._messages.put(None)

    def message(self, deadline: float, clock: Callable[[], float]) -> Json:
        """The next message, if it comes until then by that clock. Raises TimeoutError and _GoneError."""
        while True:
            left = deadline - clock()
            try:
                line = self._messages.get(timeout=max(left, 0))
                break
            except queue.Empty:
                if left <= 0:
                    raise TimeoutError from None
        try:
            message = json.loads(line)
        except (TypeError, ValueError):
            raise _GoneError from None
        if not isinstance(message, dict):
            raise _GoneError
        return message


class PythonFile:
    """The functions of a file. Raises UsageError if it can't be loaded within `load_seconds`."""

    def __init__(self, path: str, processes: Processes, environ: dict[str, str], load_seconds: float) -> None:
        self._path = path
        self._processes = processes
        self._environ = environ
        self._load_seconds = load_seconds
        self._idle: list[_Host] = []
        self._timeout = 0.0
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - each of its processes reads it again
                raise self._unusable("it is not a regular file")
            Path(path).open("rb").close()
        except OSError as error:
            raise self._unusable(f"it can't be read: {error.strerror}") from error
        try:
            host, loaded = self._start()
        except TimeoutError as error:
            raise self._unusable(f"it didn't load within {self._load_seconds:g} seconds") from error
        except _GoneError as error:
            raise self._unusable(f"its process ended while it was loaded: {error}") from error
        except OSError as error:
            raise self._unusable(f"no process can be started for it: {error.strerror}") from error
        if "error" in loaded:
            self._processes.end_child(host.child)
            line = f"line {loaded['line']}: " if loaded.get("line") else ""
            raise self._unusable(line + escape_line(loaded["error"]))
        self._timeout = loaded["timeout"]
        self._idle.append(host)
        self.functions = [
            Function(entry["name"], definition(**entry), parallel=loaded["parallel"], read_only=False, source=path)
            for entry in loaded["functions"]
        ]
        self.gate = threading.Semaphore(_OVERLAP if loaded["parallel"] else 1)

    def _unusable(self, why: str) -> UsageError:
        return UsageError(f"--functions: {escape_line(self._path)}: {why}")

    def _start(self) -> tuple[_Host, Json]:
        """A child, and its message about the file. Raises OSError, TimeoutError and _GoneError."""
        path = os.path.abspath(self._path)  # noqa: PTH100 - resolve() would name another file in tracebacks
        host = _Host(self._processes.start([sys.executable, "-P", "-u", "-X", "utf8", _HOST, path], self._environ))
        try:
            clock = self._processes.clock
            return host, host.message(clock() + self._load_seconds, clock)
        except BaseException as error:
            self._processes.end_child(host.child)
            if isinstance(error, _GoneError):
                host.child.ended.wait(_SETTLE)
                last = host.printed.tail(_SETTLE).strip().rpartition("\n")[2]
                why = host.child.how_it_ended()
                raise _GoneError(f"{why}: {escape_line(last, 200)}" if last else why) from error
            raise

    def call(self, name: str, arguments: Json) -> Result:
        """Run a function of the file. The caller has acquired the gate."""
        try:
            host = self._idle_host()
        except TimeoutError:
            return failure(f"the tool's file didn't load again within {self._load_seconds:g} s")
        except (OSError, _GoneError) as error:
            return failure(f"the tool's file couldn't be loaded again: {error}")
        try:
            result = self._answer(host, name, arguments)
        except (TimeoutError, _GoneError) as error:
            self._processes.end_child(host.child)
            host.child.ended.wait(_SETTLE)
            ended = f"the tool's process ended: {host.child.how_it_ended()}"
            why = ended if isinstance(error, _GoneError) else f"timed out after {self._timeout:g} s"
            return failure(why, stderr=host.printed.tail(_SETTLE))
        except BaseException:  # the user's interrupt
            self._processes.end_child(host.child)
            raise
        self._idle.append(host)
        return result

    def _answer(self, host: _Host, name: str, arguments: Json) -> Result:
        """Raises TimeoutError and _GoneError."""
        mark = f"\0{secrets.token_hex(8)}\0"
        host.printed.forget()
        request = {"call": name, "arguments": arguments, "limit": LIMIT, "mark": mark}
        host.child.feed(json.dumps(request).encode() + b"\n")
        clock = self._processes.clock
        deadline = clock() + self._timeout
        while (reply := host.message(deadline, clock)).get("mark") != mark:
            pass  # a reply of an earlier call, from a forked copy of the child
        if "error" in reply:
            return failure(reply["error"], stderr=host.printed.tail(_SETTLE, mark.encode()))
        return success(reply["output"], reply["size"])

    def _idle_host(self) -> _Host:
        """An idle child, or a new one. Raises OSError, TimeoutError and _GoneError."""
        while self._idle:
            host = self._idle.pop()
            if not host.child.ended.is_set():
                return host
            self._processes.end_child(host.child)
        host, loaded = self._start()
        if "error" in loaded:
            self._processes.end_child(host.child)
            raise _GoneError(loaded["error"])
        return host


def load(path: str, processes: Processes, environ: dict[str, str], load_seconds: float) -> list[Tool]:
    """Raises UsageError."""
    file = PythonFile(path, processes, environ, load_seconds)

    def tool(function: Function) -> Tool:
        return Tool(function, file.gate, lambda arguments: file.call(function.name, arguments))

    return [tool(function) for function in file.functions]
