"""The parent's side of `launcher`, which starts the tools so that they end with this process, even if it is killed."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO, Any

from cometresp.functions.children import Child
from cometresp.wire.json import Json

_LAUNCHER = str(Path(__file__).with_name("launcher.py"))
_GRACE = 0.5  # seconds for its end


class Launching:
    """Starts children by a launcher, which is started for the first of them, and again if it has ended."""

    def __init__(self) -> None:
        self._gate = threading.Lock()  # of `start`, which threads call; the main thread mustn't wait for it
        self._launcher: _Launcher | None = None

    def start(self, command: list[Any], environ: dict[str, str], folder: str | None) -> Child:
        """Raises OSError."""
        if sys.platform == "win32":
            return _started_directly(command, environ, folder)
        request = {
            "command": [_text(word) for word in command],
            "environ": {_text(name): _text(value) for name, value in environ.items()},
            "folder": None if folder is None else _text(folder),
        }
        with self._gate:
            child, theirs = _with_pipes()
            try:
                self._running().start(child, theirs, request)
            except BaseException:
                child.close()
                raise
            finally:
                for descriptor in theirs:
                    os.close(descriptor)
            return child

    def _running(self) -> "_Launcher":
        if self._launcher is not None and self._launcher.has_ended:
            self._launcher.close()
            self._launcher = None
        if self._launcher is None:
            self._launcher = _Launcher()
        return self._launcher

    def close(self) -> None:
        """End the launcher, and with it all that it started."""
        if self._launcher is not None:
            self._launcher.close()


class _Launcher:
    """One process of the launcher, and its children. Those that are left when it ends are killed."""

    def __init__(self) -> None:
        import socket

        self.has_ended = False
        self._numbers = count(1)
        self._children: dict[int, Child] = {}
        self._replies: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-X", "utf8", _LAUNCHER],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={},
                    start_new_session=True,
                )
        except BaseException:
            self._socket.close()
            raise
        threading.Thread(target=self._receive, daemon=True).start()

    def start(self, child: Child, streams: list[int], request: Json) -> None:
        """Start a child with these streams; one call at a time. Raises OSError."""
        number = next(self._numbers)
        self._children[number] = child
        try:
            self._send(json.dumps({"number": number, **request}).encode() + b"\n", streams)
        except BaseException:
            del self._children[number]
            raise

    def _send(self, line: bytes, streams: list[int]) -> None:
        """Send a request with its streams. Raises OSError unless the reply is that the child was started."""
        import socket

        if sys.platform == "win32":
            return
        sent = socket.send_fds(self._socket, [line], streams)
        self._socket.sendall(line[sent:])
        reply = self._replies.get()
        if reply is None:
            raise OSError(0, "the process that starts tools has ended")
        if "errno" in reply:
            raise OSError(reply["errno"], reply["strerror"], reply["filename"])

    def _receive(self) -> None:
        if sys.platform == "win32":
            return
        with suppress(OSError, ValueError), self._socket.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                if "code" in message:
                    self._children.pop(message["number"]).has_ended(message["code"])
                    continue
                if "pid" in message:
                    self._children[message["number"]].pid = message["pid"]
                    continue
                if "started" in message:
                    self._children[message["number"]].has_started(message["started"])
                self._replies.put(message)
        self.has_ended = True
        self._replies.put(None)
        for child in list(self._children.values()):  # one may be added meanwhile, which `start` finds not started
            if child.pid:
                child.signal(kill=True)
            child.has_ended(-signal.SIGKILL)

    def close(self) -> None:
        import socket

        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
        self._socket.close()


def _with_pipes() -> tuple[Child, list[int]]:
    """A child, and the ends of its pipes that are its standard streams."""
    (stdin, feed), (read_out, stdout), (read_err, stderr) = os.pipe(), os.pipe(), os.pipe()
    ours: list[IO[bytes]] = [os.fdopen(feed, "wb", 0), os.fdopen(read_out, "rb", 0), os.fdopen(read_err, "rb", 0)]
    return Child(*ours), [stdin, stdout, stderr]


def _text(word: str | bytes) -> str:
    """A word for the launcher, whose encoding is UTF-8, whatever the locale is here."""
    return os.fsencode(word).decode("utf-8", "surrogateescape")


def _started_directly(command: list[Any], environ: dict[str, str], folder: str | None) -> Child:
    """A child of this process, for Windows."""
    pipe = subprocess.PIPE
    group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, env=environ, cwd=folder, creationflags=group
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    child = Child(process.stdin, process.stdout, process.stderr)
    child.has_started(process.pid)
    threading.Thread(target=lambda: child.has_ended(process.wait()), daemon=True).start()
    return child
