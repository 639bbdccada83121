"""How long a run waits for other processes that hold the state file."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path

from cometresp.errors import LockedError
from cometresp.text import Say

ONE_TRY = 0.02  # seconds that a try may take by itself, during which no signal is handled
_SECONDS = 5.0
_BUSY = 12  # times as long, for processes that are many, not stuck
_NOTICE_AFTER = 1.0  # seconds
_MOMENT = 0.05  # seconds


class Patience:
    """The `seconds` for which a run waits in all, however often another process is in the way.

    Processes that are only many are told from a stuck one by what they write: the time begins again while they do, up
    to twelve times as long in all. `say` gets one notice, after a second.
    """

    def __init__(self, seconds: float = _SECONDS, say: Say | None = None) -> None:
        self._seconds = seconds
        self._limit = seconds
        self._most = inf  # in `briefly`
        self._waited = 0.0
        self._given_up = threading.Event()
        self._say = say

    def tries(self, held: str, written: Path | None = None) -> Iterator[None]:
        """A round for each try, with a pause between them; at least one. The caller leaves the loop when one succeeds.

        Raises LockedError when the time is up. `held` is what another process holds: "the state file /a/state.db".
        `written` is the file that processes write which aren't stuck.
        """
        before, started = self._waited, time.monotonic()
        seen: int | None = None
        while True:
            yield
            self._waited = before + time.monotonic() - started
            changed = _changed(written)
            if seen not in (None, changed):
                self._limit = min(self._waited + self._seconds, _BUSY * self._seconds)
            seen = changed
            if self._waited >= min(self._limit, self._most) or self._given_up.is_set():
                raise LockedError(f"another process holds {held} (waited {self._waited:.0f} s)")
            if self._say is not None and self._waited >= _NOTICE_AFTER:
                self._say(f"waiting for another process that holds {held}")
                self._say = None
            import random

            self._given_up.wait(random.uniform(0.001, ONE_TRY))  # noqa: S311 - only to be out of step with the others

    @contextmanager
    def briefly(self) -> Iterator[None]:
        """In this block nothing is waited for longer than a moment."""
        before = self._most
        self._most = min(before, self._waited + _MOMENT)
        try:
            yield
        finally:
            self._most = before

    def give_up(self) -> None:
        """Wait no longer, in whatever thread: whoever waits, or comes later, has one try left."""
        self._given_up.set()


def _changed(path: Path | None) -> int | None:
    """When the file was last written, None where there is none."""
    try:
        return None if path is None else path.stat().st_mtime_ns
    except OSError:
        return None
