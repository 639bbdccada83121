"""Lines on stderr for local calls: redrawn with the time while a call runs, printed when it ends."""

import time

from cometresp.render.activity import describe
from cometresp.render.console import status_line
from cometresp.render.region import Redrawn
from cometresp.terminal import Terminal
from cometresp.text import escape_line
from cometresp.wire.items import arguments_of
from cometresp.wire.json import Json

_SHOWN_RESULT = 80  # characters


class Running(Redrawn):
    """`redraw` draws running calls; without it only ended calls are printed, on a terminal or with `--verbose`.

    `started` and `ended` may be called from several threads.
    """

    def __init__(self, terminal: Terminal, *, redraw: bool) -> None:
        super().__init__(terminal)
        self._prints = (terminal.stderr_tty or terminal.verbose) and not terminal.quiet
        self._redraw = redraw and terminal.stderr_tty and self._prints and not terminal.is_shared
        self._good, self._bad = "✓✗" if terminal.encoding == "utf-8" else "+x"
        self._running: dict[str, tuple[str, float]] = {}
        if self._redraw:
            self.attach()

    def started(self, call_id: str, item: Json) -> None:
        with self._lock:
            self._running[call_id] = (describe(item), time.monotonic())

    def ended(self, call_id: str, item: Json, output: str, *, ok: bool) -> None:
        with self._lock:
            _, started = self._running.pop(call_id, ("", time.monotonic()))
            if not self._prints:
                return
            seconds = f"{time.monotonic() - started:.1f} s"
            words = (describe(item), seconds, escape_line(output.strip(), _SHOWN_RESULT))
            line = f"{self._good if ok else self._bad} " + " · ".join(word for word in words if word) + "\n"
            if self._terminal.verbose:
                both = (*arguments_of(item).splitlines(), *output.splitlines())
                line += "".join(f"    {escape_line(text)}\n" for text in both)
            self.print_above(line)

    def close(self) -> None:
        if self._redraw:
            self.detach()

    def _lines(self, size: tuple[int, int]) -> list[str]:
        now, width = time.monotonic(), size[0] - 1
        shown = list(self._running.values())[-max(size[1] - 3, 1) :]
        return [status_line(f"  {words} · {now - started:.0f} s", self._terminal, width) for words, started in shown]
