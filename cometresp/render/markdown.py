"""Finished blocks of Markdown, rendered and printed once; and functions that both Markdown renderers use."""

from io import StringIO
from typing import Any

from rich.console import Console
from rich.style import Style
from rich.text import Text

from cometresp.answer.answer import Answer
from cometresp.render.activity import footnotes
from cometresp.render.blocks import Splitter
from cometresp.render.region import terminal_size
from cometresp.render.screen import Sink
from cometresp.render.structured import Structured, Unwrapped, splitter_for
from cometresp.terminal import Terminal
from cometresp.wire.events import Event

_PIPE_WIDTH = 80  # columns


class _Buffer(StringIO):
    """The file that Rich writes to; from its encoding Rich decides whether lines and bullets must be ASCII."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def rendered(thing: Any, terminal: Terminal, width: int, *, ansi: bool = True) -> str:
    """A renderable as text for this terminal, or, without `ansi`, for a pipe."""
    console = Console(
        file=_Buffer(terminal.encoding if ansi else "utf-8"),
        force_terminal=ansi,
        width=width,
        no_color=None if ansi else True,
        color_system="auto" if ansi else None,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    with console.capture() as capture:
        console.print(thing, end="", soft_wrap=isinstance(thing, Unwrapped))
    return capture.get()


def citations(answer: Answer, *, links: bool) -> Text | None:
    """The numbered footnotes; with `links` a label links to its address, which is always written out too."""
    notes = footnotes(answer)
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

    def show(self, event: Event, answer: Answer) -> None:
        if not self._streaming:
            return
        if text := answer.read_new_text():
            splitter = self._fed(text, answer)
            if "\n" in text:
                self._print(splitter.finished())
        if event.type == "response.output_item.done" and self._splitter:
            self._print(self._splitter.end())

    def finish(self, answer: Answer) -> None:
        self._print(self._fed(answer.read_new_text(), answer).end())
        if self._ansi:
            self._print(citations(answer, links=False))

    def _fed(self, text: str, answer: Answer) -> Splitter | Structured:
        if self._splitter is None:
            self._splitter = splitter_for(answer, self._structured)
        self._splitter.feed(text)
        return self._splitter

    def _print(self, thing: Any) -> None:
        if thing is not None:
            width = terminal_size((1, 2))[0] if self._ansi else _PIPE_WIDTH
            self._sink.write(self._terminal.encode(rendered(thing, self._terminal, width, ansi=self._ansi)))
