"""Calls that run here, on stderr: a line each, redrawn with its time while it runs, that stays when it is done."""

import threading
import time

from rich.text import Text

from cometresp.render.activity import describe
from cometresp.render.markdown import rendered
from cometresp.render.region import Region, terminal_size
from cometresp.terminal import Terminal
from cometresp.text import escape_line
from cometresp.wire.json import Json

_INTERVAL = 0.12

_SHOWN_RESULT = 80

_LEAST_COLUMNS = 20


class Running:
    """`redraw` draws what runs; without it only what is done is told, on a terminal or where `--verbose` asks.

    `started` and `ended` may be called from several threads.
    """

    def __init__(self, terminal: Terminal, *, redraw: bool) -> None:
        self._terminal = terminal
        self._tells = (terminal.stderr_tty or terminal.verbose) and not terminal.quiet
        self._redraw = redraw and terminal.stderr_tty and self._tells
        self._good, self._bad = "✓✗" if terminal.encoding == "utf-8" else "+x"
        self._running: dict[str, tuple[str, float]] = {}
        self._region = Region(terminal.write_stderr)
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        if self._redraw:
            terminal.line_writer = self._above
            self._thread.start()

    def started(self, call_id: str, frame: Json) -> None:
        with self._lock:
            self._running[call_id] = (describe(frame), time.monotonic())

    def ended(self, call_id: str, frame: Json, output: str, *, ok: bool) -> None:
        with self._lock:
            _, began = self._running.pop(call_id, ("", time.monotonic()))
            if not self._tells:
                return
            seconds = f"{time.monotonic() - began:.1f} s"
            words = (describe(frame), seconds, escape_line(output.strip(), _SHOWN_RESULT))
            line = f"{self._good if ok else self._bad} " + " · ".join(word for word in words if word) + "\n"
            if self._terminal.verbose:
                given = str(frame.get("arguments") or frame.get("input") or "")
                both = (*given.splitlines(), *output.splitlines())
                line += "".join(f"    {escape_line(text)}\n" for text in both)
            self._above(line)

    def close(self) -> None:
        self._stop.set()
        if self._redraw:
            self._thread.join()
            self._terminal.line_writer = None
            self._region.clear()

    def _above(self, line: str) -> None:
        with self._lock:
            self._region.clear()
            self._terminal.write_stderr(line)

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL):
            with self._lock:
                size = terminal_size((2,))
                lines = self._lines(size) if size[0] >= _LEAST_COLUMNS else []
                if not self._stop.is_set():
                    self._region.paint(lines, size)

    def _lines(self, size: tuple[int, int]) -> list[str]:
        now, width = time.monotonic(), size[0] - 1
        lines = []
        for words, began in list(self._running.values())[-max(size[1] - 3, 1) :]:
            text = Text(f"  {words} · {now - began:.0f} s", style="dim", no_wrap=True, overflow="ellipsis", end="")
            text.truncate(width, overflow="ellipsis")
            lines.append(rendered(text, self._terminal, width))
        return lines
