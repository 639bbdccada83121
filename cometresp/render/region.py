"""The region at the foot of a terminal that is drawn again and again, with as few bytes as it takes.

It never wraps, never scrolls by itself and is never taller than the screen; the cursor stands behind its last line.
After a change of the window's width nobody can know how the terminal laid its lines out anew: the old region is then
left where it is, and a new one begun below it, so that nothing that stays is ever erased.
"""

import os
from collections.abc import Callable

_HIDE, _SHOW, _NO_WRAP, _WRAP = "\x1b[?25l", "\x1b[?25h", "\x1b[?7l", "\x1b[?7h"


class Region:
    """Lines are strings with ANSI colours, one row each."""

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
        """Take the region away; the cursor then stands where it began, and is shown."""
        out = ""
        if self._lines:
            out = _up(len(self._lines) - 1) + _blank(len(self._lines))
        if self._hidden:
            out += _SHOW
        self._lines, self._hidden = [], False
        if out:
            self._write(out)

    def _abandon(self) -> None:
        self._write("\r\n")
        self._lines = []

    def _change(self, lines: list[str]) -> str:
        """From the first line that differs: what was only lengthened gets just its end."""
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
        if same == len(lines):  # the end was dropped
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


def terminal_size(descriptors: tuple[int, ...]) -> tuple[int, int]:
    """(columns, rows) of the first of these that is a terminal; COLUMNS and LINES win, as everywhere."""
    columns, rows = 80, 24
    for descriptor in descriptors:
        try:
            columns, rows = os.get_terminal_size(descriptor)
            break
        except OSError:
            continue
    given = [os.environ.get(name, "") for name in ("COLUMNS", "LINES")]
    columns = int(given[0]) if given[0].isdecimal() and int(given[0]) else columns
    rows = int(given[1]) if given[1].isdecimal() and int(given[1]) else rows
    return columns or 80, rows or 24


def _blank(rows: int) -> str:
    """Empty so many lines from here, and come back. Line by line: tmux keeps what `CSI J` clears from the top row."""
    return "\r" + "\r\n".join(["\x1b[K"] * rows) + _up(rows - 1)


def _up(rows: int) -> str:
    return f"\x1b[{rows}A" if rows > 0 else ""


def _down(rows: int) -> str:
    return f"\x1b[{rows}B" if rows > 0 else ""


def _to_end(line: str) -> str:
    """Move behind a line that is there. Its width in cells is what the terminal moved by when it was written."""
    from rich.cells import cell_len
    from rich.text import Text

    width = cell_len(Text.from_ansi(line).plain)
    return "\r" + (f"\x1b[{width}C" if width else "")
