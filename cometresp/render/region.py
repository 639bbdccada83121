"""The region at the bottom of a terminal that is redrawn, with as few bytes as possible.

It never wraps, never scrolls and is never taller than the screen; the cursor is after its last line. After the width of
the window has changed, the program can't know where the terminal moved the lines: the old region is then left in place,
and a new one is started below it, so that no printed line is erased.
"""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from cometresp import signals
from cometresp.terminal import Terminal, terminal_size

LEAST_COLUMNS = 20  # of a terminal; on a narrower one nothing is redrawn
_INTERVAL = 0.1  # seconds between drawings, and before the first: most files are read in less
_HIDE, _SHOW, _NO_WRAP, _WRAP = "\x1b[?25l", "\x1b[?25h", "\x1b[?7l", "\x1b[?7h"
_SPINNER = {"utf-8": "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "ascii": "|/-\\"}
_TURNS = 8  # of the spinner in a second
_LONGEST_HOLD = 1.0  # seconds to wait for a drawing to end; a terminal may take no more output (Ctrl-S)


class Region:
    """Lines that can be redrawn: strings, with ANSI colours, of one row each."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._lines: list[str] = []
        self._size = (0, 0)
        self._hidden = False

    def paint(self, lines: list[str], size: tuple[int, int]) -> None:
        """Show these lines; `size` is (columns, rows)."""
        if self._lines and size != self._size and (size[0] != self._size[0] or size[1] <= len(self._lines)):
            self._abandon()
        self._size = size
        if lines == self._lines:
            return
        if not lines:
            self.clear()
            return
        out = "" if self._hidden else _HIDE
        self._hidden = True
        self._write(out + _NO_WRAP + self._change(lines) + _WRAP)
        self._lines = lines

    def clear(self) -> None:
        """Erase the region; the cursor is then where the region started, and visible."""
        out = ""
        if self._lines:
            out = _up(len(self._lines) - 1) + _blank(len(self._lines))
        if self._hidden:
            out += _SHOW
        self._lines = []
        if out:
            self._write(out)
        self._hidden = False  # only now: an interrupt before it leaves the cursor to the next `clear`

    def _abandon(self) -> None:
        self._write("\r\n")
        self._lines = []

    def _change(self, lines: list[str]) -> str:
        """The output that changes the region, from the first line that differs; of a longer line only the new end."""
        old = self._lines
        same = 0
        while same < min(len(old), len(lines)) and old[same] == lines[same]:
            same += 1
        if not old:
            return "\r" + "\x1b[K\r\n".join(lines) + "\x1b[K"
        if len(old) == len(lines) and same < len(lines):
            return self._change_in_place(lines, same)
        if same == len(old):  # lines were added below
            return "\r\n" + "\x1b[K\r\n".join(lines[same:]) + "\x1b[K"
        out = _up(len(old) - 1 - same) + "\r"
        if same == len(lines):  # the last lines were removed
            return out + _blank(len(old) - same) + _up(1) + _to_end(lines[-1])
        out += "\x1b[K\r\n".join(lines[same:]) + "\x1b[K"
        left = len(old) - len(lines)
        return out + (_down(1) + _blank(left) + _up(1) + _to_end(lines[-1]) if left > 0 else "")

    def _change_in_place(self, lines: list[str], first: int) -> str:
        out, row = "", len(lines) - 1
        for n in range(first, len(lines)):
            if lines[n] == self._lines[n]:
                continue
            out += _up(row - n) if n < row else _down(n - row)
            row = n
            before = self._lines[n]
            if before and lines[n].startswith(before) and "\x1b" not in lines[n]:
                out += _to_end(before) + lines[n][len(before) :]
            else:
                out += "\r" + lines[n] + "\x1b[K"
        return out + (_down(len(lines) - 1 - row) if row < len(lines) - 1 else "")


class Drawing:
    """What a thread draws again and again, and what signals do with it. `_lock` is taken for all output beside it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._held = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def erase(self) -> None:
        """Remove what is drawn."""
        raise NotImplementedError

    def pause(self) -> None:
        """Erase what is drawn, and draw nothing until `proceed`."""
        self._held = self._lock.acquire(timeout=_LONGEST_HOLD)
        if self._held:
            self.erase()

    def proceed(self) -> None:
        if self._held:
            self._held = False
            self._lock.release()

    def end(self) -> None:
        self._stop.set()
        self.pause()
        self.proceed()

    def _begin(self) -> None:
        """Start to draw."""
        signals.watch(self)
        self._thread.start()

    def _end(self) -> None:
        """Draw no more, and erase what is drawn."""
        self._stop.set()
        self._thread.join()
        self.erase()
        signals.unwatch(self)

    def _run(self) -> None:
        """Draw until `_stop` is set; in the thread."""
        raise NotImplementedError


class Redrawn(Drawing):
    """A region at the bottom of a terminal, from `attach` to `detach`; other code prints its lines above it.

    A region that is attached within another one covers it: one of them is drawn at a time.
    """

    def __init__(self, terminal: Terminal, write: Callable[[str], None] | None = None) -> None:
        super().__init__()
        self._terminal = terminal
        self._region = Region(write or terminal.write_stderr)
        self._outer: Redrawn | None = None
        self._is_covered = False

    def __enter__(self) -> Self:
        """The block in which the region stands."""
        self.attach()
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def attach(self) -> None:
        """Start to draw; the terminal's lines are printed above the region."""
        outer, self._terminal.region = self._terminal.region, self
        if isinstance(outer, Redrawn):
            self._outer = outer
            outer.cover(True)
        self._begin()

    def detach(self) -> None:
        """Erase the region, for good; the one that it covered is drawn again."""
        self._end()
        self._terminal.region = self._outer
        if self._outer is not None:
            self._outer.cover(False)

    def cover(self, is_covered: bool) -> None:
        """Draw nothing while another region is drawn."""
        with self._lock:
            self._is_covered = is_covered
            self._region.clear()

    def erase(self) -> None:
        with self._lock:
            self._region.clear()

    def print_above(self, line: str) -> None:
        """Print lines, which are already escaped and may be coloured, on stderr."""
        with self._lock:
            self._region.clear()
            self._terminal.write_stderr(line)

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL):
            with self._lock:
                if self._may_draw():
                    size = terminal_size((2,))
                    self._region.paint(self._lines(size) if size[0] >= LEAST_COLUMNS else [], size)

    def _may_draw(self) -> bool:
        return not (self._stop.is_set() or self._is_covered or self._terminal.is_shared or in_background())

    def _lines(self, size: tuple[int, int]) -> list[str]:
        """What is drawn on a terminal of so many columns and rows."""
        raise NotImplementedError


def in_background() -> bool:
    """Whether the terminal is another job's, as after `bg`: nothing is drawn there then."""
    if sys.platform != "win32":
        for descriptor in (2, 1):
            with suppress(OSError):
                return os.tcgetpgrp(descriptor) != os.getpgrp()
    return False


def spinner(terminal: Terminal, elapsed: float) -> str:
    """The character that turns at the start of a status line, after so many seconds."""
    frames = _SPINNER[terminal.encoding]
    return frames[int(elapsed * _TURNS) % len(frames)]


def _blank(rows: int) -> str:
    """Clear so many lines from here, and move back. Line by line: tmux keeps what `CSI J` clears from the top row."""
    return "\r" + "\r\n".join(["\x1b[K"] * rows) + _up(rows - 1)


def _up(rows: int) -> str:
    return f"\x1b[{rows}A" if rows > 0 else ""


def _down(rows: int) -> str:
    return f"\x1b[{rows}B" if rows > 0 else ""


def _to_end(line: str) -> str:
    """Move after the end of a drawn line: by its width in cells, as the terminal did when the line was written."""
    from rich.cells import cell_len
    from rich.text import Text

    width = cell_len(Text.from_ansi(line).plain)
    return "\r" + (f"\x1b[{width}C" if width else "")
