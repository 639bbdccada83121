"""How long a run waits for other processes that hold the state file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from cometresp.errors import LockedError
from cometresp.text import Say

ONE_TRY = 0.02  # seconds that a try may take by itself, during which no signal is handled
_SECONDS = 5.0
_NOTICE_AFTER = 1.0  # seconds
_MOMENT = 0.05  # seconds


class Patience:
    """The `seconds` for which a run waits in all, however often another process is in the way.

    `say` gets one notice, after a second.
    """

    def __init__(self, seconds: float = _SECONDS, say: Say | None = None) -> None:
        self._limit = seconds
        self._waited = 0.0
        self._say = say

    def tries(self, held: str) -> Iterator[None]:
        """A round for each try, with a pause between them; at least one. The caller leaves the loop when one succeeds.

        Raises LockedError when the time is up. `held` is what another process holds: "the state file /a/state.db".
        """
        before, started = self._waited, time.monotonic()
        while True:
            yield
            self._waited = before + time.monotonic() - started
            if self._waited >= self._limit:
                raise LockedError(f"another process holds {held} (waited {self._waited:.0f} s)")
            if self._say is not None and self._waited >= _NOTICE_AFTER:
                self._say(f"waiting for another process that holds {held}")
                self._say = None
            import random

            time.sleep(random.uniform(0.001, ONE_TRY))  # noqa: S311 - only to be out of step with the others

    @contextmanager
    def briefly(self) -> Iterator[None]:
        """In this block nothing is waited for longer than a moment."""
        limit = self._limit
        self._limit = min(limit, self._waited + _MOMENT)
        try:
            yield
        finally:
            self._limit = limit
