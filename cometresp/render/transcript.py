"""Transcripts of recorded turns, for a terminal."""

import json
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from cometresp.render.blocks import Splitter
from cometresp.render.markdown import rendered
from cometresp.render.region import terminal_size
from cometresp.render.structured import Structured
from cometresp.terminal import Terminal
from cometresp.text import escape

_MARGIN = "▌ "


def transcript(passages: Iterable[tuple[str, str]], terminal: Terminal) -> str:
    """Passages as text. Each is (kind, text): heading, prompt, answer or plain. Only answers are Markdown or JSON."""
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
    """Plain text with a line at its left margin."""

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
