"""Reasoning and commentary as they are shown: dim, and bold what stands in `**…**`, as the headings of summaries do.

Models write no other Markdown there that is worth more than its source.
"""

import re
from typing import TYPE_CHECKING

from cometresp.terminal import Terminal
from cometresp.text import escape

if TYPE_CHECKING:
    from rich.text import Text

_BOLD = re.compile(r"\*\*(?=[^\s*])(.*?[^\s*])\*\*")
_OPEN = re.compile(r"\*\*(?=[^\s*])(.*?)\*?$")


def pieces(line: str, *, grows: bool = False) -> list[tuple[str, bool]]:
    """A line in pieces: (text, whether it is bold). `grows`: its end is still to come, so `**` may be left open."""
    found, place = [], 0
    for match in _BOLD.finditer(line):
        found += [(line[place : match.start()], False), (match[1], True)]
        place = match.end()
    rest = line[place:]
    if grows and (begun := _OPEN.search(rest)):
        found += [(rest[: begun.start()], False), (begun[1], True)]
    else:
        found.append((rest, False))
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
    bold, dim, plain = ("\x1b[1m", "\x1b[2m", "\x1b[0m") if terminal.is_styled else ("", "", "")
    return "".join(f"{bold if strong else dim}{piece}{plain}" for piece, strong in pieces(escape(line)))
