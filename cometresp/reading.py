"""The blocks in which files are read before the server is asked: a notice where it takes long, and --max-time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from cometresp.deadline import alarm
from cometresp.errors import UnreachableError
from cometresp.paths import wait_message
from cometresp.terminal import Terminal
from cometresp.text import escape_line
from cometresp.wire.payload import megabytes

_LONGEST_NAME = 200  # characters of a file in a message


class FileReading:
    """Makes the blocks. All of a process count: it runs one command line, with one --max-time."""

    spent = 0.0  # seconds in blocks that have ended

    def __init__(self, terminal: Callable[[], Terminal], max_time: float | None) -> None:
        self._terminal = terminal
        self._max_time = max_time

    @contextmanager
    def __call__(self, path: str) -> Iterator[None]:
        """The block in which a file is read."""
        message, size = wait_message(path)
        if not message:
            yield
            return
        what = f"{message} {escape_line(path, _LONGEST_NAME)}"
        with self._terminal().waiting(f"{what} · {megabytes(size)}" if size else what), self.within_max_time(what):
            yield

    @contextmanager
    def within_max_time(self, what: str) -> Iterator[None]:
        """The block that --max-time ends. `what` is done in it, for the message."""
        most, started = self._max_time, time.monotonic()

        def too_long() -> UnreachableError:
            return UnreachableError(f"not finished within the {most:g} s of --max-time: {what}")

        with nullcontext() if most is None else alarm(most - FileReading.spent, too_long):
            yield
        FileReading.spent += time.monotonic() - started
