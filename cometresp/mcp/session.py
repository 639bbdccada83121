"""The parent's side of `host`: one server, in a process of its own. The SDK is never imported in this process.

A server that ended, whose connection was lost or that was ended for a call that took too long is started again at the
next call; its state is then lost.
"""

import json
import queue
import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import cometresp
from cometresp.errors import UsageError
from cometresp.functions.children import Child
from cometresp.functions.processes import Processes
from cometresp.functions.results import Result, failure
from cometresp.mcp.content import result_of
from cometresp.mcp.settings import McpServer
from cometresp.text import escape_line, quoted
from cometresp.wire.json import Json, obj, text

_HOST = str(Path(__file__).with_name("host.py"))
_LONGEST_MESSAGE = 67_108_864  # bytes; twice that of a message of the server, since JSON may be longer here
_LONGEST_END = 1.0  # seconds that a server has to end by itself
_SETTLE = 0.5  # seconds to wait for its last words
_MOST_PRINTED = 20_000  # characters of what a server prints that --verbose shows

Say = Callable[[str], None]


class _GoneError(Exception):
    """The process ended, or sent something that is not a message."""


class _Host:
    """A process that speaks with the server."""

    def __init__(self, child: Child, processes: Processes, say: Say) -> None:
        self.child = child
        self.noise = ""
        self.printed = _Printed(child.stderr, say)
        self._processes = processes
        self._numbers = count()
        self._gate = threading.Lock()
        self._replies: dict[int, queue.SimpleQueue[Json | None]] = {}
        self.is_gone = False
        threading.Thread(target=self._receive, args=(child.stdout,), daemon=True).start()

    def send(self, message: Json) -> int:
        """Send a request; returns its number, 0 for the first."""
        with self._gate:
            call = next(self._numbers)
            self._replies[call] = queue.SimpleQueue()
            if self.is_gone:
                self._replies[call].put(None)
        self.child.feed(json.dumps({"call": call, **message}).encode() + b"\n")
        return call

    def reply(self, call: int, seconds: float) -> Json:
        """The reply to a request. Raises TimeoutError and _GoneError."""
        clock = self._processes.clock
        deadline = clock() + seconds
        replies = self._replies[call]
        while True:
            left = deadline - clock()
            try:
                reply = replies.get(timeout=max(left, 0))
                break
            except queue.Empty:
                if left <= 0:
                    raise TimeoutError from None
        del self._replies[call]
        if reply is None:
            raise _GoneError
        return reply

    def _receive(self, pipe: Any) -> None:
        line = bytearray()
        with pipe:
            while len(line) <= _LONGEST_MESSAGE and (data := pipe.read(65_536)):
                line += data
                if b"\n" in data:
                    *messages, line = line.split(b"\n")
                    for message in messages:
                        self._take(bytes(message))
        with self._gate:
            self.is_gone = True
            for replies in list(self._replies.values()):
                replies.put(None)

    def _take(self, line: bytes) -> None:
        try:
            message = obj(json.loads(line))
        except (ValueError, RecursionError):
            return
        if "noise" in message:
            self.noise = text(message["noise"])
        elif replies := self._replies.get(message.get("call", -1)):
            replies.put(message)


class _Printed:
    """What a server prints on standard error: each line is passed on, up to a limit; the last ones are kept."""

    def __init__(self, pipe: Any, say: Say) -> None:
        self._say = say
        self._left = _MOST_PRINTED
        self._last: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe: Any) -> None:
        rest = b""
        with pipe:
            while data := pipe.read(65_536):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._take(line)
                rest = rest[-_MOST_PRINTED:]
        self._take(rest)

    def _take(self, line: bytes) -> None:
        words = line.decode(errors="replace").rstrip()
        if not words:
            return
        self._last = [*self._last[-19:], words[:400]]
        if self._left > 0:
            self._say(words[: self._left])
            self._left -= len(words)
            if self._left <= 0:
                self._say("… (it prints more, which is not shown)")

    def reason(self) -> str:
        """The last line that is about an error, else the last one, "" if nothing was printed."""
        self._thread.join(_SETTLE)
        about = [line for line in self._last if "error" in line.lower()]
        return next(iter([*about[-1:], *self._last[-1:]]), "")


class Session:
    """One server. `environ` is that of the process that speaks with it; `say` gets each line that it prints."""

    def __init__(self, server: McpServer, processes: Processes, environ: dict[str, str], say: Say) -> None:
        self.server = server
        self._processes = processes
        self._environ = environ
        self._say = say
        self._gate = threading.Lock()
        self._host: _Host | None = None

    def begin(self) -> None:
        """Start its process, without waiting for the server. Raises UsageError."""
        try:
            self._host = self._started()
        except OSError as error:
            raise self._unusable(f"no process can be started for it: {error.strerror}") from error

    def tools(self) -> list[Json]:
        """The tools of the server, once it is there. Raises UsageError."""
        assert self._host is not None
        reply = self._first_reply(self._host)
        if "error" not in reply:
            return [tool for tool in reply.get("tools") or [] if isinstance(tool, dict) and text(tool.get("name"))]
        why, hint = text(reply["error"]), ""
        match reply.get("reason"):
            case "missing":
                what = f"version 2, not {escape_line(why, 40)}, which is installed" if why else "which isn't installed"
                hint = "install it beside cometresp: pip install 'mcp>=2,<3', or pipx inject cometresp 'mcp>=2,<3'"
                raise UsageError(f"--mcp: needs the MCP SDK for Python, {what}", hint=hint)
            case "absent":
                hint = self.server.hint
            case "slow":
                hint = "a longer timeout in a table [mcp.NAME] in the config file gives it more time"
            case "key" if not self.server.headers:
                hint = "headers of a table [mcp.NAME] in the config file are sent with each request"
        raise self._unusable(why, hint)

    def _unusable(self, why: str, hint: str = "") -> UsageError:
        return UsageError(f"--mcp: {self.server.shown}: {escape_line(why, 400)}", hint=hint)

    def _started(self) -> _Host:
        """A new process, to which the server was sent. Raises OSError."""
        server = self.server
        child = self._processes.start([sys.executable, "-P", "-u", "-X", "utf8", _HOST], self._environ)
        host = _Host(child, self._processes, self._say)
        way: Json = {"url": server.url, "headers": dict(server.headers)}
        if server.command:
            way = {"command": list(server.command), "environ": dict(server.environ)}
        host.send(way | {"version": cometresp.__version__})
        return host

    def _first_reply(self, host: _Host) -> Json:
        """The tools of the server, or the error that it isn't there; its process has ended then."""
        try:
            reply = host.reply(0, self.server.start_timeout)
        except TimeoutError:
            reply = {"error": f"it didn't start within {self.server.start_timeout:g} s", "reason": "slow"}
        except _GoneError:
            host.child.ended.wait(_SETTLE)
            reply = {"error": f"the process that speaks with it ended: {host.child.how_it_ended()}"}
        except BaseException:  # the user's interrupt
            self._processes.end_child(host.child)
            raise
        if "error" in reply:
            self._processes.end_child(host.child)
            if not reply.get("reason") and (last := host.printed.reason()):
                reply["error"] += f": {last}"
            if host.noise:
                printed = f"it printed {quoted(host.noise)}, which isn't MCP"
                reply["error"] = "; ".join(filter(None, (reply["error"], printed)))
        return reply

    def call(self, tool: str, arguments: Json) -> Result:
        """Run a tool of the server."""
        try:
            host = self._running()
        except (OSError, _GoneError) as error:
            return failure(f"the MCP server {self.server.name} can't be started again: {error}")
        try:
            reply = host.reply(host.send({"tool": tool, "arguments": arguments}), self.server.timeout)
        except TimeoutError:
            self._processes.end_child(host.child)
            return failure(f"timed out after {self.server.timeout:g} s")
        except _GoneError:
            self._processes.end_child(host.child)
            host.child.ended.wait(_SETTLE)
            return failure(f"the MCP server {self.server.name} is gone: {host.child.how_it_ended()}")
        if "error" in reply:
            host.is_gone = host.is_gone or reply.get("last") is True
            return failure(text(reply["error"]))
        return result_of(obj(reply.get("result")))

    def _running(self) -> _Host:
        """The process, or a new one for one that has ended. Raises OSError and _GoneError."""
        with self._gate:
            if self._host is None or self._host.is_gone:
                if self._host is not None:
                    self._processes.end_child(self._host.child)
                host = self._started()
                if "error" in (reply := self._first_reply(host)):
                    raise _GoneError(reply["error"])
                self._host = host
            return self._host

    def end_input(self) -> None:
        """End its input, which tells the server that the run has ended."""
        if self._host is not None:
            self._host.child.feed(None)

    def wait_for_end(self) -> None:
        if self._host is not None:
            self._host.child.ended.wait(_LONGEST_END)
            self._processes.end_child(self._host.child)
