"""A status line for what is waited for before anything is sent: `⠋ reading a.pdf · 120.0 MB · 3 s`."""

import time

from cometresp.render.region import Redrawn, spinner
from cometresp.terminal import Terminal
from cometresp.text import escape_line


class Waiting(Redrawn):
    """A context: the line stands while its block runs. Lines that are printed meanwhile come above it."""

    def __init__(self, terminal: Terminal, message: str) -> None:
        super().__init__(terminal)
        self._message = message
        self._started = time.monotonic()

    def _lines(self, size: tuple[int, int]) -> list[str]:
        elapsed = time.monotonic() - self._started
        line = f"{spinner(self._terminal, elapsed)} {self._message} · {elapsed:.0f} s"
        return [self._terminal.dim(escape_line(line, size[0] - 1))]
