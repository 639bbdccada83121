"""A child process: its pipes, what it prints, how it ended, and signals to its process group."""

import os
import queue
import signal
import sys
import threading
from contextlib import suppress
from typing import IO

_CHUNK = 65_536
_TAIL = 16_384  # bytes of the last output that are kept; an error result shows less


class Capture:
    """Reads a pipe to its end. It keeps the first `head` bytes, the last bytes, and the number of all bytes."""

    def __init__(self, pipe: IO[bytes], head: int = 0) -> None:
        self.size = 0
        self._limit = head
        self._head, self._tail = bytearray(), bytearray()
        self._ended = False
        self._news = threading.Condition()
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            while data := pipe.read(_CHUNK):
                with self._news:
                    self.size += len(data)
                    self._head += data[: self._limit - len(self._head)]
                    self._tail += data
                    del self._tail[:-_TAIL]
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def head(self) -> bytes:
        with self._news:
            return bytes(self._head)

    def forget(self) -> None:
        with self._news:
            self._tail.clear()

    def tail(self, seconds: float, until: bytes = b"") -> str:
        """The last output. Waits up to `seconds` for the end of the pipe, or for `until` to come."""
        with self._news:
            self._news.wait_for(lambda: self._ended or (until and until in self._tail), seconds)
            data = self._tail.partition(until)[0] if until else self._tail
            return data.decode(errors="replace")


class Child:
    """A running command. Its pipes are unbuffered; `ended` is set when the process itself has ended."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self.stdout, self.stderr = stdout, stderr
        self.ended = threading.Event()
        self._stdin = stdin
        self._input: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def has_started(self, pid: int) -> None:
        self.pid = pid
        threading.Thread(target=self._feed, daemon=True).start()

    def has_ended(self, code: int) -> None:
        self.returncode = code
        self.ended.set()

    def close(self) -> None:
        """Close the pipes of a command that couldn't be started."""
        for pipe in (self._stdin, self.stdout, self.stderr):
            pipe.close()

    def feed(self, data: bytes | None) -> None:
        """Write to its standard input (None: close it) without waiting, since it may never read."""
        self._input.put(data)

    def _feed(self) -> None:
        with suppress(OSError), self._stdin as stdin:  # it has ended, or has closed its standard input
            while (data := self._input.get()) is not None:
                rest = memoryview(data)
                while rest:
                    rest = rest[stdin.write(rest) :]

    def how_it_ended(self) -> str:
        """`exit 2`, or as in `ended by SIGKILL`."""
        code = self.returncode
        if code is None or code >= 0:
            return "it ended" if code is None else f"exit {code}"
        try:
            return f"ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"ended by signal {-code}"

    def has_members(self) -> bool:
        """Whether any process of the group is left."""
        if sys.platform == "win32":
            return not self.ended.is_set()
        try:
            os.killpg(self.pid, 0)
        except OSError:  # none, or (macOS) none that can receive a signal
            return False
        return True

    def signal(self, *, kill: bool) -> None:
        """End the group: politely, or with `kill` at once."""
        if sys.platform == "win32":
            if kill and not self.ended.is_set():
                import subprocess

                tree = ["taskkill", "/F", "/T", "/PID", str(self.pid)]
                with suppress(OSError):
                    subprocess.run(tree, capture_output=True, check=False)
            elif not kill:
                with suppress(OSError, SystemError):  # SystemError: what Python makes of it if it has ended
                    os.kill(self.pid, signal.CTRL_BREAK_EVENT)
        else:
            self._send(signal.SIGKILL if kill else signal.SIGTERM)

    def pause(self) -> None:
        """Stop the group, where there is job control."""
        if sys.platform != "win32":
            self._send(signal.SIGSTOP)

    def proceed(self) -> None:
        if sys.platform != "win32":
            self._send(signal.SIGCONT)

    def _send(self, number: int) -> None:
        if sys.platform != "win32":
            with suppress(OSError):
                os.killpg(self.pid, number)
