"""Time: how long anything may take, and how long to wait before another try."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

DEFAULT_TIMEOUT = 600.0  # seconds without data
DEFAULT_RETRIES = 2  # of a request, and of following a response without anything new
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0  # seconds (API 8.3)
SHORTEST_ASKED = 0.05  # seconds; what a server asks for is at least that
_SHORTEST_ALARM = 0.001  # seconds
_LAST_LOOK = 1.0  # seconds before the end of the time


class Deadline:
    """The moment after `seconds`; None: there is none."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float | None:
        """Seconds until then, below zero after it; None where there is no limit."""
        return None if self._end is None else self._end - time.monotonic()

    @property
    def passed(self) -> bool:
        left = self.left
        return left is not None and left <= 0


def backoff(tries: int) -> float:
    """Seconds to wait after so many failed tries: 0.5 s doubling to 8 s, jittered (API 8.3)."""
    return jittered(min(_FIRST_PAUSE * 2**tries, _LONGEST_PAUSE))


class Pauses:
    """The pauses, in seconds, between two looks at work of a server: from `first` they grow by `growth` to `longest`.

    What the server asks for counts in their place, up to `longest_asked`.
    """

    def __init__(self, first: float, longest: float, growth: float, *, longest_asked: float) -> None:
        self._next = first
        self._longest = longest
        self._growth = growth
        self._longest_asked = longest_asked

    def next(self, *, asked: float | None, left: float | None) -> float | None:
        """The next one; None where the time that is `left` leaves none. A last look comes shortly before its end."""
        if asked is not None:
            seconds = min(max(asked, SHORTEST_ASKED), self._longest_asked)
        else:
            seconds = jittered(self._next)
            self._next = min(self._next * self._growth, self._longest)
            if left is not None:
                seconds = min(seconds, left - _LAST_LOOK)
        return None if seconds <= 0 or (left is not None and seconds >= left) else seconds


def jittered(seconds: float) -> float:
    """Less up to a quarter, so that many programs that wait don't try at the same moment."""
    import random

    return seconds * (1 - 0.25 * random.random())  # noqa: S311 - not a secret


def has_alarm() -> bool:
    """Whether `alarm` can bound a block here: in the main thread, on systems with timers (not Windows)."""
    import signal
    import threading

    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


@contextmanager
def alarm(seconds: float, error: Callable[[], Exception]) -> Iterator[None]:
    """Raise `error()` in a block that takes longer. Without `has_alarm`, the block isn't bounded.

    Where no time is left the block doesn't begin: an alarm could come too late for one that is done at once. Within
    another alarm, the one that is due first rings.
    """
    import signal

    if seconds <= 0:
        raise error()

    if sys.platform == "win32" or not has_alarm() or 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= seconds:
        yield
        return

    def ring(_: int, frame: FrameType | None) -> None:
        if _starts_thread(frame):
            signal.setitimer(signal.ITIMER_REAL, _SHORTEST_ALARM)
        else:
            raise error()

    started = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    outer, _ = signal.setitimer(signal.ITIMER_REAL, max(seconds, _SHORTEST_ALARM))
    try:
        yield
    finally:
        left = outer - (time.monotonic() - started)
        signal.setitimer(signal.ITIMER_REAL, max(left, _SHORTEST_ALARM) if outer else 0)
        signal.signal(signal.SIGALRM, before)


def _starts_thread(frame: FrameType | None) -> bool:
    """Whether a thread is being started, which an error would leave half done: Python raises a KeyError then."""
    import threading

    while frame is not None and frame.f_code is not threading.Thread.start.__code__:
        frame = frame.f_back
    return frame is not None
