"""Finished blocks of Markdown, rendered and printed once; and functions that both Markdown renderers use."""

from io import StringIO
from typing import Any

from rich.console import Console
from rich.style import Style
from rich.text import Text

from cometresp.answer.answer import Answer
from cometresp.render.blocks import Splitter
from cometresp.render.cited import Cited, Note
from cometresp.render.known import takes_links
from cometresp.render.screen import Sink
from cometresp.render.structured import Structured, splitter_for
from cometresp.terminal import Terminal, terminal_size
from cometresp.wire.events import Event

_PIPE_WIDTH = 80  # columns, if COLUMNS names no others
_SETTLED = 1  # rows of a table after which its columns are settled, where nothing is redrawn


class _Buffer(StringIO):
    """The file that Rich writes to; from its encoding Rich decides whether lines and bullets must be ASCII."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


class AnswerConsole(Console):
    """A console that knows whether its terminal takes links."""

    links = False


def rendered(thing: Any, terminal: Terminal, width: int, *, ansi: bool = True) -> str:
    """A renderable as text for this terminal, or, without `ansi`, for a pipe. Lines are not cropped to the width.

    Only --color gives a pipe colours, never the environment.
    """
    styled = {"always": True, "never": False}.get(terminal.color, ansi)
    console = AnswerConsole(
        file=_Buffer(terminal.encoding if ansi else "utf-8"),
        force_terminal=styled,
        width=width,
        no_color=not styled or (False if terminal.color == "always" else None),
        color_system=None if not styled else "auto" if ansi else "standard",
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.links = ansi and styled and takes_links(terminal.environ)
    with console.capture() as capture:
        console.print(thing, end="", crop=False)
    return capture.get()


def citations(notes: list[Note], *, links: bool) -> Text | None:
    """The numbered footnotes; with `links` a label links to its address, which is always written out too."""
    if not notes:
        return None
    text = Text("\n")
    for n, (label, address) in enumerate(notes, 1):
        text.append(f"[{n}] ", style="dim")
        text.append(label, style=Style(link=address) if links and address and " " not in address else "")
        text.append(f" {address}\n" if address and address != label else "\n", style="dim")
    return text


class Markdown:
    """Prints each block when it is finished: for terminals without redrawing, and for pipes with `-F markdown`."""

    def __init__(
        self, sink: Sink, terminal: Terminal, *, to_terminal: bool, streaming: bool, structured: bool | None = False
    ) -> None:
        self._sink = sink
        self._terminal = terminal
        self._ansi = to_terminal
        self._streaming = streaming or to_terminal
        self._structured = structured
        self._splitter: Splitter | Structured | None = None
        self._cited = Cited()

    def show(self, event: Event, answer: Answer) -> None:
        if not self._streaming:
            return
        text = answer.read_new_text()
        if text or self._splitter is not None:
            splitter = self._fed(text, event, answer)
            if "\n" in text:
                self._print(splitter.finished(_SETTLED))
        if event.type == "response.output_item.done" and self._splitter:
            self._print(self._splitter.end())

    def finish(self, answer: Answer) -> None:
        self._print(self._fed(answer.read_new_text(), None, answer).end())
        if self._ansi:
            self._print(citations(self._cited.notes(answer), links=False))

    def _fed(self, text: str, event: Event | None, answer: Answer) -> Splitter | Structured:
        """The splitter, fed with new text; on a terminal with the numbers of the footnotes."""
        if self._splitter is None:
            self._splitter = splitter_for(answer, self._structured, lag=0 if self._streaming else None)
        if self._ansi and isinstance(self._splitter, Splitter):
            self._cited.feed(self._splitter, text, event, answer)
        else:
            self._splitter.feed(text)
        return self._splitter

    def _print(self, thing: Any) -> None:
        if thing is not None:
            width = terminal_size((1, 2))[0] if self._ansi else pipe_width(self._terminal)
            self._sink.write(self._terminal.encode(rendered(thing, self._terminal, width, ansi=self._ansi)))


def pipe_width(terminal: Terminal) -> int:
    """The columns of rendered text that goes into a pipe or a file."""
    given = terminal.environ.get("COLUMNS", "")
    return int(given) if given.isdecimal() and int(given) else _PIPE_WIDTH
