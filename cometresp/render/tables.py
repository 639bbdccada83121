"""What is looked up, for a terminal: tables, and transcripts of recorded turns."""

import json
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from cometresp.render.blocks import Splitter
from cometresp.render.markdown import rendered
from cometresp.render.region import terminal_size
from cometresp.render.structured import Structured
from cometresp.terminal import Terminal, escape

_MARGIN = "▌ "
_GAP = 2  # blanks between columns
_LEAST = 8  # columns for a name


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], terminal: Terminal) -> str:
    """Cells are escaped already. The last column gets what room is left; the first is folded, not cut."""
    width = terminal_size((1, 2))[0]
    widths = [max(cell_len(row[n]) for row in (heads, *rows)) for n in range(len(heads) - 1)]
    widths[0] = min(widths[0], max(width // 3, _LEAST))
    room = width - sum(widths) - _GAP * len(widths)
    shown = Table(box=None, show_edge=False, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for n, head in enumerate(heads[:-1]):
        shown.add_column(Text(head), no_wrap=n > 0, overflow="fold", width=widths[n] if n == 0 else None)
    wide = room >= cell_len(heads[-1])
    if wide:
        shown.add_column(Text(heads[-1]), no_wrap=True)
    for row in rows:
        last = Text(row[-1])
        last.truncate(room, overflow="ellipsis")
        shown.add_row(*map(Text, row[:-1]), *([last] if wide else []))
    return rendered(shown, terminal, width)


def transcript(passages: Iterable[tuple[str, str]], terminal: Terminal) -> str:
    """Each passage is (kind, text): heading, prompt, answer or plain. Only an answer is Markdown, or JSON."""
    return "\n".join(filter(None, (_passage(kind, text, terminal) for kind, text in passages)))


def _passage(kind: str, text: str, terminal: Terminal) -> str:
    if kind == "answer":
        splitter = Structured() if _is_json(text) else Splitter()
        splitter.feed(text)
        blocks = splitter.end()
        return _drawn(blocks, terminal) if blocks is not None else ""
    safe = escape(text).rstrip("\n") + "\n"
    if kind == "heading":
        return _drawn(Text(safe, style="bold"), terminal)
    return _drawn(_Quoted(safe) if kind == "prompt" else Text(safe, style="dim"), terminal)


class _Quoted:
    """Text as it is, with a line at its margin."""

    def __init__(self, text: str) -> None:
        self._text = Text(text.removesuffix("\n"))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(options.max_width - len(_MARGIN), 1)
        margin = Segment(_MARGIN, Style.parse("magenta"))
        for line in console.render_lines(self._text, options.update(width=width), pad=False):
            yield from (margin, *line, Segment.line())


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _drawn(thing: object, terminal: Terminal) -> str:
    return rendered(thing, terminal, terminal_size((1, 2))[0])
