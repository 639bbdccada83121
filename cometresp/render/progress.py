"""Tells the terminal that the program is at work (OSC 9;4): a bar at its tab or its icon.

The state is cleared on every way out, and while the program is stopped: nothing else would clear it. So a failure isn't
told: that state would be gone at once, or stay until the next run.
"""

from typing import Self

from cometresp.render.known import takes_progress
from cometresp.render.region import Drawing, in_background
from cometresp.terminal import Terminal

_CLEARED, _WORKING = "\x1b]9;4;0;0\x1b\\", "\x1b]9;4;3;0\x1b\\"
_AGAIN = 5.0  # seconds; Ghostty removes a state that isn't repeated


class Progress(Drawing):
    """A context: the terminal shows that its block is at work."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    @classmethod
    def fits(cls, terminal: Terminal) -> bool:
        """Whether the terminal takes it."""
        return terminal.stderr_tty and terminal.redraws and not terminal.quiet and takes_progress(terminal.environ)

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def erase(self) -> None:
        self._terminal.write_stderr(_CLEARED)

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._stop.is_set():
                    return
                if not in_background():
                    self._terminal.write_stderr(_WORKING)
            if self._stop.wait(_AGAIN):
                return
