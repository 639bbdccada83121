"""The region at the foot of the terminal while an answer arrives: the end of its text and a status line.

It is drawn on stderr a few times a second from the answer as it then is, never per delta; it is bounded by the screen,
and taken away before anything is printed that stays.
"""

import time
from contextlib import suppress
from io import TextIOWrapper
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markdown import Markdown
from rich.text import Text

from cometresp.answer import Answer
from cometresp.terminal import Terminal, escape, escape_line

_PER_SECOND = 8
_MARGIN = 4  # lines of the screen left to what was there before


class LiveTail:
    """`answer` may be set, and changed, at any time; `show_text` draws the end of its text."""

    def __init__(self, terminal: Terminal, *, show_text: bool) -> None:
        self.answer: Answer | None = None
        self.running = False
        self._show_text = show_text
        self._drawn = Group()
        self._began = time.monotonic()
        stream: Any = TextIOWrapper(terminal.stderr, encoding="utf-8", errors="replace", write_through=True)
        self._stream = stream
        self._console = Console(file=stream, force_terminal=True, highlight=False, markup=False)
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def start(self) -> None:
        self.running = True
        self._live.start()

    def stop(self) -> None:
        if self.running:
            self.running = False
            self._live.stop()
            self._stream.detach()

    def print(self, text: str, *, dim: bool) -> None:
        """A line, or several, that stay: they go above the region."""
        self._console.print(Text(escape(text), style="dim" if dim else ""))

    def _draw(self) -> Group:
        """Runs in Rich's thread while the answer changes: what was being changed is drawn the next time."""
        with suppress(RuntimeError):
            self._drawn = self._region()
        return self._drawn

    def _region(self) -> Group:
        status = Text(f"{time.monotonic() - self._began:.0f} s", style="dim", no_wrap=True, overflow="ellipsis")
        answer = self.answer
        if answer is None:
            return Group(Text("waiting · ", style="dim").append_text(status))
        if model := answer.response.get("model"):
            status.append(f" · {escape_line(str(model))}")
        return Group(*(self._tail(answer) if self._show_text else ()), status)

    def _tail(self, answer: Answer) -> list[Text]:
        """The last lines of the text, rendered; the work is that of a screenful however long the answer is."""
        width, height = self._console.size
        rows = max(height - _MARGIN, 1)
        text = answer.text[-width * rows :]
        if not text:
            return []
        tail = Text()
        for line in self._console.render_lines(Markdown(escape(text)), self._console.options, pad=False)[-rows:]:
            for segment in line:
                tail.append(segment.text, segment.style)
            tail.append("\n")
        tail.rstrip()
        return [tail]
