"""Finished blocks of Markdown, rendered and printed once; and the notes of citations."""

from typing import Any

from rich.style import Style
from rich.text import Text

from cometresp.answer.answer import Answer
from cometresp.render.blocks import Splitter
from cometresp.render.cited import Cited, Note
from cometresp.render.console import pipe_width, rendered
from cometresp.render.screen import Sink
from cometresp.render.structured import Structured, splitter_for
from cometresp.terminal import Terminal, terminal_size
from cometresp.wire.events import Event

_SETTLED = 1  # rows of a table after which its columns are settled, where nothing is redrawn


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
