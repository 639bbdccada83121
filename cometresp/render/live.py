"""The live view of a terminal: finished blocks are printed once, the unfinished rest and a status line are redrawn.

Answer text goes to stdout, everything else to stderr; the region is drawn on stderr, or on stdout if stderr is no
terminal. A thread draws it a few times a second from the current state, not once per delta. The more time and bytes a
drawing costs, the fewer there are.
"""

import time
from typing import Any

from cometresp.answer.answer import Answer
from cometresp.errors import CometrespError
from cometresp.render.activity import Timeline, code_of, details
from cometresp.render.aside import ITEM_EVENTS, REASONING_DELTAS, part_key
from cometresp.render.blocks import Splitter
from cometresp.render.cited import Cited
from cometresp.render.code import highlighted
from cometresp.render.console import rendered, status_line
from cometresp.render.images import show_images
from cometresp.render.known import takes_links
from cometresp.render.markdown import citations
from cometresp.render.region import LEAST_COLUMNS, Redrawn, spinner
from cometresp.render.screen import Polling, Sink, View
from cometresp.render.structured import Structured, splitter_for
from cometresp.render.thoughts import as_text
from cometresp.terminal import Terminal, terminal_size
from cometresp.text import escape, escape_line
from cometresp.wire.events import Event
from cometresp.wire.json import obj
from cometresp.wire.payload import Upload

_TICK = 0.05  # seconds
_INTERVAL = 0.12  # seconds between drawings, at least
_REST_PER_COST = 9  # so that drawing takes at most a tenth of the time
_BYTES_FREE, _BYTES_PER_SHOWN = 4000, 1.5  # above this the region is only drawn once a second
_MARGIN = 3  # rows left for earlier output
_LAG = 2  # lines of a paragraph that wait for the next ones, which may make them a heading
_REASONING_ROWS = 3
_LEAST_ROWS = 5  # of a terminal; on a lower one nothing is redrawn
_CHARACTERS_PER_TOKEN = 4


class LiveView(Redrawn):
    """`text`: this view draws and prints the answer; else another renderer does, and only the status is drawn here."""

    def __init__(self, sink: Sink, terminal: Terminal, view: View, *, text: bool) -> None:
        super().__init__(terminal, self._draw_bytes)
        self._sink = sink
        self._text = text
        self._reasoning = view.reasoning
        self._upload = view.upload or Upload()
        self._polling = view.polling or Polling()
        self._structured = view.structured
        self._splitter: Splitter | Structured = Splitter()
        self._cited = Cited()
        self._timeline = Timeline(time.monotonic, terminal, view.runs_here)
        self._answer = Answer()
        self._thought, self._thinks = "", False
        self._part: tuple[str, ...] = ()
        self._started = time.monotonic()
        self._shown = self._spent = self._length = 0  # bytes printed, bytes drawn, characters of the answer
        self._next = self._painted = self._cost = 0.0
        self._error: CometrespError | None = None
        self._last_was_aside = False
        self.attach()

    def show(self, event: Event, answer: Answer) -> None:
        if self._error is not None:
            raise self._error
        with self._lock:
            self._answer = answer
            if event.type in REASONING_DELTAS:
                self._reason(str(event.data.get("delta") or ""), part_key(event))
                return
            if answer.has_new_commentary:
                self._reason(answer.read_new_commentary(), ("commentary",), commentary=True)
            if self._text:
                self._feed(answer.read_new_text(), event, answer)
            if event.type.endswith("partial_image"):
                self._timeline.images += 1
            elif event.type.startswith(ITEM_EVENTS):
                self._item(event, answer)

    def finish(self, answer: Answer) -> None:
        self.detach()
        with self._lock:
            if not self._thinks and self._reasoning and answer.reasoning:
                self._thought = answer.reasoning  # it came without deltas
            if answer.has_new_commentary:
                self._reason(answer.read_new_commentary(), ("commentary",), commentary=True)
            self._end_reasoning()
            if self._text:
                self._feed(answer.read_new_text(), None, answer)
                self._print(self._splitter.end())
            self._print_ended(answer)
            if self._text:
                notes = citations(self._cited.notes(answer), links=takes_links(self._terminal.environ))
                self._print(notes[1:] if notes and self._last_was_aside else notes)  # one blank line, not two

    def _feed(self, text: str, event: Event | None, answer: Answer) -> None:
        """New text of the answer, or an event that may cite for text that came before."""
        if text:
            self._end_reasoning()
            if not self._length:
                self._splitter = splitter_for(answer, self._structured, lag=_LAG)
            self._length += len(text)
        if isinstance(self._splitter, Splitter):
            self._cited.feed(self._splitter, text, event, answer)
        else:
            self._splitter.feed(text)

    # what is printed once --------------------------------------------------------------------------------------------

    def _item(self, event: Event, answer: Answer) -> None:
        """Keep the parts of a response in order: text before a call is printed before the call's line."""
        item = obj(event.data.get("item"))
        if self._text and item and (item.get("type") == "message") == event.type.endswith("done"):
            self._print(self._splitter.end())
        self._print_ended(answer)

    def _print_ended(self, answer: Answer) -> None:
        for line, item in self._timeline.ended(answer):
            self._end_reasoning()
            self._aside(line)
            if self._terminal.verbose:
                if code := code_of(item):
                    shown = highlighted(escape(code), "python", margin="    ").append("\n")
                    self._aside(rendered(shown, self._terminal, self._size()[0]))
                self._aside(details(item, code=False))
            if self._text and item.get("type") == "image_generation_call":
                self._region.clear()
                show_images(item, self._terminal, self._size())

    def _reason(self, text: str, part: tuple[str, ...], *, commentary: bool = False) -> None:
        """Text of a part of the reasoning, or commentary, which is shown where reasoning is."""
        self._thinks |= not commentary
        if not self._reasoning:
            return
        if self._part and part != self._part:
            self._thought += "\n\n"
        self._part = part
        self._thought += text
        lines, newline, rest = self._thought.rpartition("\n")
        if newline:
            self._above_dim(lines + "\n")
            self._thought = rest

    def _end_reasoning(self) -> None:
        if self._thought:
            self._above_dim(self._thought + "\n")
            self._thought = ""

    def _above_dim(self, text: str) -> None:
        self._aside(rendered(as_text(text), self._terminal, self._size()[0]))

    def print_above(self, line: str) -> None:
        with self._lock:
            super().print_above(line)
            self._last_was_aside = self._terminal.stderr_tty

    def _aside(self, line: str) -> None:
        """Print lines on stderr that only a terminal gets."""
        if self._terminal.stderr_tty:
            self.print_above(line)

    def _print(self, thing: Any) -> None:
        """Print a renderable on stdout above the region."""
        if thing is None:
            return
        self._region.clear()
        if self._last_was_aside:  # a blank line between them, only on the terminal
            self._terminal.write_stderr("\n")
            self._last_was_aside = False
        data = self._terminal.encode(rendered(thing, self._terminal, self._size()[0]))
        self._shown += len(data)
        self._sink.write(data)

    # what is redrawn -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.wait(_TICK):
            try:
                with self._lock:
                    if time.monotonic() >= self._next and not (self._stop.is_set() or self._is_covered):
                        self._draw()
            except CometrespError as error:  # stdout is gone: `show` raises it at the next event
                self._error = error
                return

    def _draw(self) -> None:
        started = time.monotonic()
        size = self._size()
        if self._text:
            self._print(self._splitter.finished(max(size[1] - _MARGIN, 1)))
        allowed = _BYTES_FREE + _BYTES_PER_SHOWN * (self._shown + self._length)
        if self._may_draw() and (self._spent < allowed or started - self._painted >= 1):
            self._painted = started
            self._region.paint(self._lines(size), size)
        cost, self._cost = self._cost, time.monotonic() - started
        # The lower of two: one drawing may have loaded a lexer, or waited for the processor.
        self._next = time.monotonic() + max(_INTERVAL, _REST_PER_COST * min(cost, self._cost))

    def _lines(self, size: tuple[int, int]) -> list[str]:
        columns, rows = size
        if columns < LEAST_COLUMNS or rows < _LEAST_ROWS:
            return []
        rows = max(rows - _MARGIN, 1)
        width = max(columns - 1, 1)
        foot = []
        if self._terminal.stderr_tty and not self._terminal.quiet:
            running = [f"  {line}" for line in self._timeline.running(self._answer)]
            foot = [status_line(line, self._terminal, width) for line in (*running, self._status())]
        foot = foot[-rows:]
        body: list[str] = []
        if self._thought:
            thought = rendered(as_text(self._thought, grows=True), self._terminal, width)
            body = thought.splitlines()[-_REASONING_ROWS:]
        elif self._text:
            body = rendered(self._splitter.tail(rows), self._terminal, width).splitlines()
        body = body[-(rows - len(foot)) :] if rows > len(foot) else []
        return body + foot

    def _status(self) -> str:
        """`⠋ 3 s · gpt-5.4 · ~120 tokens`; the spinner only turns until the answer's text starts."""
        elapsed = time.monotonic() - self._started
        waiting = not self._length
        mark = spinner(self._terminal, elapsed if waiting else 0)
        answer = self._answer
        doing = "thinking " if waiting and answer.id else "waiting " if waiting else ""
        if self._upload.under_way:
            return f"{mark} {elapsed:.0f} s · {self._upload.words()}"
        if polled := self._polling.words(elapsed):
            return f"{mark} {polled}"
        words = [f"{mark} {doing}{elapsed:.0f} s"]
        if model := answer.response.get("model"):
            words.append(escape_line(str(model)))
        if self._length:
            words.append(f"~{self._length // _CHARACTERS_PER_TOKEN + 1} tokens")
        return " · ".join(words)

    def _size(self) -> tuple[int, int]:
        return terminal_size((2, 1) if self._terminal.stderr_tty else (1,))

    def _draw_bytes(self, text: str) -> None:
        self._spent += len(text)
        if self._terminal.stderr_tty:
            self._terminal.write_stderr(text)
        else:
            self._terminal.write(self._terminal.encode(text))
