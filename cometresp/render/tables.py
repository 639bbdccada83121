"""Tables for a terminal, which fit its width."""

import time
from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from cometresp.render.console import rendered
from cometresp.terminal import Terminal, terminal_size
from cometresp.tuples import NamedTuple

_GAP = 2  # blanks between columns
_LEAST = 8  # columns to which one that gives room is narrowed, at least
_LEAST_REST = 16  # columns of the one that takes the rest, before others are left out
_LEAST_BAR, _BAR = 8, 24  # the same of a bar, and how long it is at most
_EIGHTHS = " ▏▎▍▌▋▊▉█"


class Column(NamedTuple):
    """A column: `whole`, `fold` (on further lines) or `cut` to a share of the width, or `rest` (cut to what is left).

    `last` is whole, and folded only where nothing more can be left out. A `bar` fills what is left, too: its cells are
    shares of it, as `0.5`. `spare`: where the table is too narrow, the
    column is left out; the highest first. `right`: its cells stand on the right of it, as numbers do.
    """

    head: str
    kind: Literal["whole", "last", "fold", "cut", "rest", "bar"] = "whole"
    spare: int = 0
    right: bool = False


_FOLDED = ("fold", "last")
_SHARES = {"fold": 3, "cut": 5}  # such a column takes a third, a fifth of the width at most


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], terminal: Terminal) -> str:
    """A table of escaped cells. One column is of kind `rest` or `bar`; it is left out if its head doesn't fit.

    A bar, or one that is `spare` itself, takes nothing from the others: it is left out before they are.
    """
    width = terminal_size((1, 2))[0]
    cells = [[column.head, *(row[n] for row in rows)] for n, column in enumerate(columns)]
    widths = [_wanted(column, cells[n], width) for n, column in enumerate(columns)]
    rest = next(n for n, column in enumerate(columns) if column.kind in ("rest", "bar"))
    kept = set(range(len(columns))) - {rest}
    spare = sorted((n for n in kept if columns[n].spare), key=lambda n: columns[n].spare)
    yields = columns[rest].kind == "bar" or columns[rest].spare > 0
    least = _LEAST_BAR if columns[rest].kind == "bar" else min(widths[rest], _LEAST_REST)
    while (left := width - sum(widths[n] + _GAP for n in kept)) < (-_GAP if yields else least) and spare:
        kept.remove(spare.pop())
    for n in kept if yields else ():
        if columns[n].kind in _FOLDED:
            natural = max(map(cell_len, cells[n]))
            room = max(widths[n] + left + _GAP, _LEAST)  # the last column has no gap behind it
            left += widths[n] - min(natural, room)
            widths[n] = min(natural, room)
    widths[rest] = min(widths[rest], left)
    if left >= (least if yields else max(cell_len(columns[rest].head), 1)):
        kept.add(rest)
    if columns[rest].kind == "bar":
        bars = [bar(float(row[rest]), max(widths[rest], 0), terminal) for row in rows]
        rows = [[*row[:rest], drawn, *row[rest + 1 :]] for row, drawn in zip(rows, bars, strict=True)]
    return rendered(_drawn(columns, rows, widths, sorted(kept)), terminal, width)


def bar(share: float, width: int, terminal: Terminal) -> str:
    """A bar over a share of the width. What is more than nothing is seen."""
    if terminal.encoding != "utf-8":
        return "#" * (max(1, round(share * width)) if share > 0 else 0)
    whole, eighths = divmod(max(1, round(share * width * 8)) if share > 0 else 0, 8)
    return "█" * whole + _EIGHTHS[eighths].strip()


def _wanted(column: Column, cells: Sequence[str], width: int) -> int:
    if column.kind == "bar":
        return _BAR
    natural = max(map(cell_len, cells))
    share = _SHARES.get(column.kind)
    return min(natural, max(width // share, _LEAST)) if share else natural


def _drawn(columns: Sequence[Column], rows: Sequence[Sequence[str]], widths: list[int], kept: list[int]) -> Table:
    shown = Table(box=None, show_edge=False, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for n in kept:
        folds = columns[n].kind in _FOLDED
        shown.add_column(
            Text(columns[n].head),
            no_wrap=not folds,
            overflow="fold",
            width=widths[n] if folds else None,
            justify="right" if columns[n].right else "left",
        )
    for row in rows:
        cells = [Text(row[n]) for n in kept]
        for n, cell in zip(kept, cells, strict=True):
            if columns[n].kind in ("cut", "rest"):
                cell.truncate(widths[n], overflow="ellipsis")
        shown.add_row(*cells)
    return shown


def ago(moment: float) -> str:
    """How long ago it was; after 90 days, the date."""
    seconds = time.time() - moment
    if seconds < 60:  # noqa: PLR2004 - a minute
        return "now"
    for unit, length, most in (("min", 60, 60), ("h", 3600, 24), ("d", 86400, 90)):
        if seconds < length * most:
            return f"{seconds // length:.0f} {unit} ago"
    return time.strftime("%Y-%m-%d", time.localtime(moment))
