"""Reasoning and commentary as they are shown: dim, and bold what stands in `**…**`, as the headings of summaries do.

Models write no other Markdown there that is worth more than its source.
"""

import re
from typing import TYPE_CHECKING

from cometresp.terminal import Terminal
from cometresp.text import escape

if TYPE_CHECKING:
    from rich.text import Text

_OPENS, _CLOSES = re.compile(r"\*\*(?=[^\s*])"), re.compile(r"(?<=[^\s*])\*\*")


def pieces(line: str, *, grows: bool = False) -> list[tuple[str, bool]]:
    """A line in pieces: (text, whether it is bold). `grows`: its end is still to come, so `**` may be left open."""
    found, place = [], 0
    while (opens := _OPENS.search(line, place)) and (closes := _CLOSES.search(line, opens.end() + 1)):
        found += [(line[place : opens.start()], False), (line[opens.end() : closes.start()], True)]
        place = closes.end()
    if grows and opens:
        found += [(line[place : opens.start()], False), (line[opens.end() :].removesuffix("*"), True)]
    else:
        found.append((line[place:], False))
    return [piece for piece in found if piece[0]]


def as_text(text: str, *, grows: bool = False) -> "Text":
    """Lines as a Rich text. `grows`: the last one isn't complete."""
    from rich.text import Text

    shown = Text()
    *lines, last = escape(text).split("\n")
    for line in lines:
        for piece, bold in pieces(line):
            shown.append(piece, "bold" if bold else "dim")
        shown.append("\n")
    for piece, bold in pieces(last, grows=grows):
        shown.append(piece, "bold" if bold else "dim")
    return shown


def as_line(line: str, terminal: Terminal) -> str:
    """A complete line, where Rich isn't loaded."""
    return "".join((terminal.bold if strong else terminal.dim)(piece) for piece, strong in pieces(escape(line)))
