"""The answer's text: unchanged into a pipe or file, escaped on a terminal."""

from cometresp.answer.answer import Answer
from cometresp.render.screen import Sink
from cometresp.terminal import Terminal
from cometresp.text import escape, to_bytes
from cometresp.wire.events import Event


class Plain:
    """`streaming` writes deltas as they come, those that came together at once.

    Else the text is written when the answer is complete.
    """

    def __init__(self, sink: Sink, terminal: Terminal, *, streaming: bool, to_terminal: bool) -> None:
        self._sink = sink
        self._terminal = terminal
        self._streaming = streaming
        self._to_terminal = to_terminal
        self._last = ""  # character that was written

    def show(self, event: Event, answer: Answer) -> None:
        if self._streaming and not event.more:
            self._write(answer.read_new_text())

    def finish(self, answer: Answer) -> None:
        self._write(answer.read_new_text())
        if self._last and self._last != "\n":
            self._sink.write(b"\n")
        if answer.contradicted:
            self._terminal.warn("the final text differs from the streamed text; --json prints the final one")

    def _write(self, text: str) -> None:
        if text:
            self._last = text[-1]
            self._sink.write(to_bytes(escape(text) if self._to_terminal else text))
