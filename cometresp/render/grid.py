"""A table of Markdown as lines: cells are folded; where columns get too narrow, rows are lines of `head: value`."""

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from cometresp.render.tree import Node

_GAP = 2  # blanks between columns
_LEAST, _WORD = 8, 16  # columns of text for a cell, and for the longest word that isn't folded


class Columns:
    """The columns of a table: (least, wanted) width of each, settled when the first rows are printed.

    A table that `goes_on` takes all of the width, since its next rows may be wider.
    """

    def __init__(self, *, goes_on: bool = False) -> None:
        self.goes_on = goes_on
        self.bounds: list[tuple[int, int]] | None = None


def rows_of(
    node: Node, cells: list[Text], width: int, console: Console, *, goes_on: bool, settle: bool
) -> Iterator[Text]:
    """The lines of a table. One that `goes_on` has no head; with `settle` its widths hold for the rows to come."""
    count = len(node.rows[0])
    rows = [cells[n : n + count] for n in range(0, len(cells), count)]
    bounds = node.carried.bounds or [_bounds([row[n] for row in rows]) for n in range(count)]
    if settle:
        node.carried.bounds = bounds
    widths = _widths(bounds, width)
    if widths is not None and node.carried.goes_on:
        widths = _widened(widths, [wanted for _, wanted in bounds], width)
    if widths is None:
        yield from _records(rows, width, console, goes_on=goes_on)
        return
    if not goes_on and any(rows[0]):
        for cell in rows[0]:
            cell.stylize("bold")
        yield from _lines(rows[0], widths, node.aligned, console)
        line = "-" if console.options.ascii_only else "─"
        yield Text.assemble((line * (sum(widths) + _GAP * (count - 1)), "dim"))
    for row in rows[1:]:
        yield from _lines(row, widths, node.aligned, console)


def _bounds(cells: list[Text]) -> tuple[int, int]:
    """The least width of a column, and the one that shows each cell on one line."""
    wanted = max(line.cell_len for cell in cells for line in cell.split("\n", allow_blank=True))
    word = max(cell_len(word) for cell in cells for word in (cell.plain.split() or [""]))
    return min(wanted, max(min(word, _WORD), _LEAST)), wanted


def _widths(bounds: list[tuple[int, int]], width: int) -> list[int] | None:
    """A share of the width for each column, None if that is too little for one of them."""
    widths = [least for least, _ in bounds]
    left = width - _GAP * (len(bounds) - 1) - sum(widths)
    if left < 0:
        return None
    lacking = [wanted - least for least, wanted in bounds]
    for n, place in enumerate(sorted(range(len(bounds)), key=lacking.__getitem__)):
        more = min(lacking[place], left // (len(bounds) - n))
        widths[place] += more
        left -= more
    return [max(given, 1) for given in widths]


def _widened(widths: list[int], wanted: list[int], width: int) -> list[int]:
    """The widths with what is left of the line: each column gets its least, then a share by the width of its text."""
    room = width - _GAP * (len(widths) - 1)
    spread = [max(given, _LEAST) for given in widths]
    if sum(spread) > room:
        spread = widths
    left, text = room - sum(spread), max(sum(wanted), 1)
    return [given + left * want // text for given, want in zip(spread, wanted, strict=True)]


def _lines(row: list[Text], widths: list[int], aligned: list[str], console: Console) -> Iterator[Text]:
    """The lines of one row."""
    folded = [list(cell.wrap(console, width, overflow="fold")) for cell, width in zip(row, widths, strict=True)]
    for n in range(max(map(len, folded))):
        line = Text()
        for place, cell in enumerate(folded):
            piece = cell[n].copy() if n < len(cell) else Text()
            piece.rstrip()
            blanks = widths[place] - piece.cell_len
            before = {"right": blanks, "center": blanks // 2}.get(aligned[place], 0)
            line.append(" " * before).append_text(piece).append(" " * (blanks - before + _GAP))
        line.rstrip()
        yield line


def _records(rows: list[list[Text]], width: int, console: Console, *, goes_on: bool) -> Iterator[Text]:
    """Rows as `head: value`, a line or more for each cell, a blank line between rows."""
    if len(rows) == 1 and not goes_on:
        rows = [*rows, [Text() for _ in rows[0]]]
    for n, row in enumerate(rows[1:]):
        if n or goes_on:
            yield Text()
        for head, cell in zip(rows[0], row, strict=True):
            line = head.copy()
            line.stylize("bold")
            if head:
                line.append(": ")
            line.append_text(cell)
            for piece in line.wrap(console, width, overflow="fold") if line else ():
                piece.rstrip()
                yield piece
