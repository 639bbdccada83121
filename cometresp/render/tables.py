"""Tables for a terminal."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from cometresp.render.markdown import rendered
from cometresp.render.region import terminal_size
from cometresp.terminal import Terminal

_GAP = 2  # blanks between columns
_LEAST = 8  # columns of the first column, if the table is narrow


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], terminal: Terminal) -> str:
    """A table of escaped cells. The last column is cut to the width that is left; the first is folded, not cut."""
    width = terminal_size((1, 2))[0]
    widths = [max(cell_len(row[n]) for row in (heads, *rows)) for n in range(len(heads) - 1)]
    widths[0] = min(widths[0], max(width // 3, _LEAST))
    left = width - sum(widths) - _GAP * len(widths)
    shown = Table(box=None, show_edge=False, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for n, head in enumerate(heads[:-1]):
        shown.add_column(Text(head), no_wrap=n > 0, overflow="fold", width=widths[n] if n == 0 else None)
    wide = left >= cell_len(heads[-1])
    if wide:
        shown.add_column(Text(heads[-1]), no_wrap=True)
    for row in rows:
        last = Text(row[-1])
        last.truncate(left, overflow="ellipsis")
        shown.add_row(*map(Text, row[:-1]), *([last] if wide else []))
    return rendered(shown, terminal, width)
