"""Transcripts of recorded turns, for a terminal."""

import json
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from cometresp.render.blocks import Splitter
from cometresp.render.cited import Note, with_numbers
from cometresp.render.console import rendered
from cometresp.render.markdown import citations
from cometresp.render.structured import Structured
from cometresp.terminal import Terminal, terminal_size
from cometresp.text import escape
from cometresp.wire.json import Json

_MARGIN = "▌ "


def transcript(passages: Iterable[tuple[str, str] | tuple[str, str, Json | None]], terminal: Terminal) -> str:
    """Passages as text. Each is (kind, text): heading, prompt, answer or plain. Only answers are Markdown or JSON.

    An answer may have the message that its text is from, with its citations.
    """
    return "\n".join(filter(None, (_passage(terminal, *passage) for passage in passages)))


def _passage(terminal: Terminal, kind: str, text: str, message: Json | None = None) -> str:
    if kind == "answer":
        notes: list[Note] = []
        splitter: Structured | Splitter = Structured()
        if not _is_json(text):
            splitter = Splitter()
            text, notes = with_numbers(message) if message is not None else (text, notes)
        splitter.feed(text)
        both = (splitter.end(), citations(notes, links=False))
        return "".join(_drawn(thing, terminal) for thing in both if thing is not None)
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
