"""A status line for what is waited for before anything is sent: `⠋ reading a.pdf · 120.0 MB · 3 s`."""

import threading
import time
from typing import Self

from cometresp import signals
from cometresp.render.region import Redrawn, in_background, spinner, terminal_size
from cometresp.terminal import Terminal
from cometresp.text import escape_line

_INTERVAL = 0.1  # seconds between drawings, and before the first: most files are read in less
_LEAST_COLUMNS = 20


class Waiting(Redrawn):
    """A context: the line stands while its block runs. Lines that are printed meanwhile come above it."""

    def __init__(self, terminal: Terminal, message: str) -> None:
        super().__init__(terminal.write_stderr)
        self._terminal = terminal
        self._message = message
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._terminal.line_writer, self._terminal.eraser = self._above, self.erase
        signals.watch(self)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._terminal.line_writer = self._terminal.eraser = None
        self.erase()
        signals.unwatch(self)

    def _above(self, line: str) -> None:
        with self._lock:
            self._region.clear()
            self._terminal.write_stderr(line)

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL):
            with self._lock:
                size = terminal_size((2,))
                if not (self._stop.is_set() or self._terminal.is_shared or in_background()):
                    self._region.paint([self._line(size[0])] if size[0] >= _LEAST_COLUMNS else [], size)

    def _line(self, columns: int) -> str:
        elapsed = time.monotonic() - self._started
        line = f"{spinner(self._terminal, elapsed)} {self._message} · {elapsed:.0f} s"
        return self._terminal.dim(escape_line(line, columns - 1))
