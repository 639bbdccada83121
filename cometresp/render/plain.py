"""The answer's text: unchanged into a pipe or file, escaped on a terminal."""

from dataclasses import dataclass

from cometresp.answer.answer import Answer
from cometresp.render.screen import Sink
from cometresp.terminal import Terminal
from cometresp.text import escape, to_bytes
from cometresp.wire.events import Event

_HIGH_SURROGATES = ("\ud800", "\udbff")


@dataclass(slots=True)
class Plain:
    """`streaming` writes deltas as they come; else the text is written when the answer is complete."""

    sink: Sink
    terminal: Terminal
    streaming: bool
    to_terminal: bool
    _last: str = ""
    _carry: str = ""

    def show(self, event: Event, answer: Answer) -> None:  # noqa: ARG002 - the signature of Screen
        if self.streaming:
            self._write(answer.take())

    def finish(self, answer: Answer) -> None:
        self._write(answer.take())
        if self._carry:
            rest, self._carry = self._carry, ""
            self.sink.write(to_bytes(rest))
        if self._last and self._last != "\n":
            self.sink.write(b"\n")
        if answer.contradicted:
            self.terminal.warn("the final text differs from the streamed text; --json prints the final one")

    def _write(self, text: str) -> None:
        if not text:
            return
        self._last = text[-1]
        if self._carry:
            text, self._carry = self._carry + text, ""
        if _HIGH_SURROGATES[0] <= self._last <= _HIGH_SURROGATES[1]:  # its second half is in the next delta
            text, self._carry = text[:-1], text[-1]
        self.sink.write(to_bytes(escape(text) if self.to_terminal else text))
