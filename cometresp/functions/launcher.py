"""The program that starts the tools, as the one child of cometresp, and ends them when that ends in any way.

    python -I -S -X utf8 launcher.py       its standard input is a socket

The messages are JSON objects, one per line. With a request come the descriptors of the tool's three standard streams.

  down  {"number": n, "command": [...], "environ": {...}, "folder": path or null}
  up    {"number": n, "pid": process}, from the process itself, before it becomes the tool
  up    {"number": n, "started": process}   or {"number": n, "errno": e, "strerror": text, "filename": text}
  up    {"number": n, "code": exit code, or minus the signal}

So whatever a tool has done, its process id is known at the other end, even if this program is killed meanwhile.

When the socket is closed, the process group of every tool that still runs is killed. On Linux the tools themselves are
killed even if this program is. It has one thread, so that code may run between fork and exec.

A script that needs only the standard library.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Any

assert sys.platform != "win32"

_PR_SET_PDEATHSIG = 1


class _GoneError(Exception):
    """Nobody is at the other end of the socket."""


class Launcher:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._libc = _libc()

    def run(self) -> None:
        """Serve requests until the socket is closed."""
        ended, wakeup = os.pipe()
        for descriptor in (ended, wakeup):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            with suppress(_GoneError, OSError):
                while True:
                    ready, _, _ = select.select([self._control.fileno(), ended], [], [])
                    if ended in ready:
                        os.read(ended, 4096)
                    if self._control.fileno() in ready:
                        self._start()
                    self._report()
        finally:
            for child in self._children.values():
                with suppress(OSError):
                    os.killpg(child.pid, signal.SIGKILL)

    def _start(self) -> None:
        data, streams, _, _ = socket.recv_fds(self._control, 65_536, 3)
        if not data:
            raise _GoneError
        for stream in streams:
            os.set_inheritable(stream, False)
        line = bytearray(data)
        while not line.endswith(b"\n"):
            if not (data := self._control.recv(1 << 20)):
                raise _GoneError
            line += data
        request = json.loads(line)
        number = request["number"]
        try:
            child = self._launched(request, streams)
        except OSError as error:
            facts = {"errno": error.errno, "strerror": error.strerror, "filename": error.filename}
            self._send({"number": number, **facts})
        except (ValueError, subprocess.SubprocessError) as error:  # such as a null byte in a word
            self._send({"number": number, "errno": 0, "strerror": str(error), "filename": None})
        else:
            self._children[number] = child
            self._send({"number": number, "started": child.pid})
        finally:
            for stream in streams:
                os.close(stream)

    def _launched(self, request: dict[str, Any], streams: list[int]) -> "subprocess.Popen[bytes]":
        stdin, stdout, stderr = streams
        parent = os.getpid()

        def before_the_tool() -> None:
            if self._libc is not None:
                self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                if os.getppid() != parent:
                    os._exit(1)
            self._send({"number": request["number"], "pid": os.getpid()})

        return subprocess.Popen(
            request["command"],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=request["environ"],
            cwd=request["folder"],
            start_new_session=True,
            preexec_fn=before_the_tool,  # noqa: PLW1509 - this program has one thread
        )

    def _report(self) -> None:
        """Tell of the tools that have ended."""
        for number, child in list(self._children.items()):
            if child.poll() is not None:
                del self._children[number]
                self._send({"number": number, "code": child.returncode})

    def _send(self, message: dict[str, Any]) -> None:
        self._control.sendall(json.dumps(message).encode() + b"\n")


def _libc() -> Any:
    """The C library, on Linux."""
    if sys.platform != "linux":
        return None
    import ctypes

    return ctypes.CDLL(None)


if __name__ == "__main__":
    Launcher(socket.socket(fileno=os.dup(0))).run()
