"""Tells the terminal that the program is at work, and whether it failed (OSC 9;4): a bar at its tab or its icon.

The state is cleared on every way out, and while the program is stopped: nothing else would clear it.
"""

import threading
from typing import Self

from cometresp import signals
from cometresp.errors import StoppedError
from cometresp.render.known import takes_progress
from cometresp.render.region import in_background
from cometresp.terminal import Terminal

_CLEARED, _FAILED, _WORKING = "\x1b]9;4;0;0\x1b\\", "\x1b]9;4;2;100\x1b\\", "\x1b]9;4;3;0\x1b\\"
_LONGEST_HOLD = 1.0  # seconds to wait for a write to end; a terminal may take no more output (Ctrl-S)
_AGAIN = 5.0  # seconds; Ghostty removes a state that isn't repeated


class Progress:
    """A context: the terminal shows that its block is at work."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._is_paused = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    @classmethod
    def fits(cls, terminal: Terminal) -> bool:
        """Whether the terminal takes it."""
        return terminal.stderr_tty and terminal.redraws and not terminal.quiet and takes_progress(terminal.environ)

    def __enter__(self) -> Self:
        signals.watch(self)
        self._thread.start()
        return self

    def __exit__(self, _: object, error: object, __: object) -> None:
        self._stop.set()
        self._thread.join()
        if isinstance(error, Exception) and not isinstance(error, StoppedError):
            self._terminal.write_stderr(_FAILED)
        self._terminal.write_stderr(_CLEARED)
        signals.unwatch(self)

    def pause(self) -> None:
        self._is_paused = self._lock.acquire(timeout=_LONGEST_HOLD)
        self._terminal.write_stderr(_CLEARED)

    def proceed(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._lock.release()

    def end(self) -> None:
        self._stop.set()
        self.pause()
        self.proceed()

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._stop.is_set():
                    return
                if not in_background():
                    self._terminal.write_stderr(_WORKING)
            if self._stop.wait(_AGAIN):
                return
