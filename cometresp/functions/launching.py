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
from typing import IO, TYPE_CHECKING, Any

from cometresp.functions.children import Child
from cometresp.wire.json import Json

if TYPE_CHECKING:
    import socket

_LAUNCHER = str(Path(__file__).with_name("launcher.py"))
_GRACE = 0.5  # seconds for its end


class Launching:
    """Starts children by a launcher, which is started for the first of them."""

    def __init__(self) -> None:
        self._gate = threading.Lock()  # of `start`, which threads call; the main thread mustn't wait for it
        self._numbers = count(1)
        self._children: dict[int, Child] = {}
        self._replies: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        self._socket: socket.socket | None = None
        self._has_ended = False  # the launcher, too early
        self._launcher: subprocess.Popen[bytes] | None = None

    def start(self, command: list[Any], environ: dict[str, str], folder: str | None) -> Child:
        """Raises OSError."""
        if sys.platform == "win32":
            return _started_directly(command, environ, folder)
        with self._gate:
            child, theirs = _with_pipes()
            try:
                self._start(child, theirs, command, environ, folder)
            except BaseException:
                child.close()
                raise
            finally:
                for descriptor in theirs:
                    os.close(descriptor)
            return child

    def _start(
        self, child: Child, streams: list[int], command: list[Any], environ: dict[str, str], folder: str | None
    ) -> None:
        import socket

        if self._has_ended:
            self.close()
        if self._socket is None or self._has_ended:
            self._socket = self._launch()
        number = next(self._numbers)
        request = {
            "number": number,
            "command": [_text(word) for word in command],
            "environ": {_text(name): _text(value) for name, value in environ.items()},
            "folder": None if folder is None else _text(folder),
        }
        line = json.dumps(request).encode() + b"\n"
        self._children[number] = child
        sent = socket.send_fds(self._socket, [line], streams)
        self._socket.sendall(line[sent:])
        reply = self._replies.get()
        if reply is None:
            raise OSError(0, "the process that starts tools has ended")
        if "errno" in reply:
            del self._children[number]
            raise OSError(reply["errno"], reply["strerror"], reply["filename"])

    def _launch(self) -> "socket.socket":
        import socket

        ours, theirs = socket.socketpair()
        with theirs:
            self._launcher = subprocess.Popen(
                [sys.executable, "-I", "-S", "-X", "utf8", _LAUNCHER],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                start_new_session=True,
            )
        self._has_ended = False
        self._replies = queue.SimpleQueue()
        threading.Thread(target=self._receive, args=(ours, self._replies), daemon=True).start()
        return ours

    def _receive(self, control: "socket.socket", replies: "queue.SimpleQueue[Json | None]") -> None:
        with suppress(OSError, ValueError), control.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                child = self._children[message["number"]]
                if "code" in message:
                    del self._children[message["number"]]
                    child.has_ended(message["code"])
                    continue
                if "pid" in message:
                    child.has_started(message["pid"])
                replies.put(message)
        self._has_ended = True
        replies.put(None)
        for child in self._children.values():  # the launcher was killed
            if child.pid:
                child.signal(kill=True)
            child.has_ended(-signal.SIGKILL)
        self._children.clear()

    def close(self) -> None:
        """End the launcher, and with it all that it started."""
        if self._socket is None or self._launcher is None:
            return
        import socket

        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._launcher.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._launcher.kill()
            self._launcher.wait(_GRACE)
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
