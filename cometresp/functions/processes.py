"""Child processes, each in its own process group: their output and how they are ended.

A child leads a new session: it has no terminal, Ctrl-C doesn't reach it, and one signal reaches every process that it
started, except those in a new session. It inherits three pipes and nothing else. A group is ended with SIGTERM, and
what is left of it after half a second with SIGKILL.

Windows has neither sessions nor these signals. There it is a console group, CTRL_BREAK and `taskkill /T`, which is
untested.
"""

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, Any

_GRACE = 0.5  # seconds between SIGTERM and SIGKILL
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

    def __init__(self, command: list[Any], environ: dict[str, str], folder: str | None) -> None:
        import subprocess

        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environ,
            cwd=folder,
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self.ended = threading.Event()
        self._input: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        for work in (self._wait, self._feed):
            threading.Thread(target=work, daemon=True).start()

    def _wait(self) -> None:
        self.process.wait()
        self.ended.set()

    def feed(self, data: bytes | None) -> None:
        """Write to its standard input (None: close it) without waiting, since it may never read."""
        self._input.put(data)

    def _feed(self) -> None:
        stdin = self.process.stdin
        assert stdin is not None
        with suppress(OSError), stdin:  # it has ended, or has closed its standard input
            while (data := self._input.get()) is not None:
                rest = memoryview(data)
                while rest:
                    rest = rest[stdin.write(rest) :]

    def how_it_ended(self) -> str:
        """`exit 2`, or as in `ended by SIGKILL`."""
        code = self.process.returncode
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
            os.killpg(self.process.pid, 0)
        except OSError:  # none, or (macOS) none that can receive a signal
            return False
        return True

    def signal(self, *, kill: bool) -> None:
        if sys.platform == "win32":
            if kill and not self.ended.is_set():
                import subprocess

                tree = ["taskkill", "/F", "/T", "/PID", str(self.process.pid)]
                with suppress(OSError):
                    subprocess.run(tree, capture_output=True, check=False)
            elif not kill:
                with suppress(OSError):
                    self.process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            with suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL if kill else signal.SIGTERM)


class Processes:
    """The children of one toolbox. Once stopped, it ends every child, also one that was just started."""

    def __init__(self) -> None:
        self._stopped = False
        self._running: set[Child] = set()
        self._starting: set[threading.Event] = set()

    def start(self, command: list[Any], environ: dict[str, str], folder: str | None = None) -> Child:
        """Raises OSError."""
        # In a thread, because a signal handler may raise at any point of the main thread: a child could be started, and
        # then be lost before it is recorded.
        made: queue.SimpleQueue[Child | Exception] = queue.SimpleQueue()
        done = threading.Event()

        def make() -> None:
            try:
                child = Child(command, environ, folder)
                self._running.add(child)
                if self._stopped:
                    self.end(child)
                made.put(child)
            except Exception as error:  # noqa: BLE001 - it is raised in the caller's thread
                made.put(error)
            finally:
                done.set()
                self._starting.discard(done)

        self._starting.add(done)
        threading.Thread(target=make, daemon=True).start()
        outcome = made.get()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def has_stopped(self) -> bool:
        return self._stopped

    def end(self, child: Child) -> None:
        """End the processes that are left in its group."""
        _end([child])
        child.feed(None)
        self._running.discard(child)

    def stop(self) -> None:
        """End all groups. A signal handler may call this at any point, so it takes no lock."""
        self._stopped = True
        _end(list(self._running))

    def close(self) -> None:
        self._stopped = True
        for done in list(self._starting):
            done.wait(_GRACE)
        self.stop()
        for child in list(self._running):
            child.ended.wait(_GRACE)
            child.feed(None)
            self._running.discard(child)


def _end(children: Iterable[Child]) -> None:
    # A process id is not reused while a process or a group has it, so a group with members is still that of the child.
    left = [child for child in children if child.has_members()]
    for child in left:
        child.signal(kill=False)
    deadline = time.monotonic() + _GRACE
    pause = 0.001
    while (left := [child for child in left if child.has_members()]) and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    for child in left:
        child.signal(kill=True)
