"""Output on stderr next to the answer, without redrawing: reasoning, commentary, and a line for each call that ended.

If stderr is no terminal, nothing is printed unless --show-reasoning or --verbose is given.
"""

import time
from collections.abc import Callable

from cometresp.answer.answer import Answer
from cometresp.render.activity import Timeline, details
from cometresp.render.thoughts import as_line
from cometresp.terminal import Terminal
from cometresp.wire.events import Event
from cometresp.wire.json import Json

REASONING_DELTAS = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
ITEM_EVENTS = ("response.output_item.", "response.completed", "response.incomplete")


class Aside:
    """A screen that prints on stderr."""

    def __init__(
        self, terminal: Terminal, *, reasoning: bool, runs_here: Callable[[Json], bool] = lambda _: False
    ) -> None:
        self._terminal = terminal
        self._reasoning = reasoning
        self._calls = (terminal.stderr_tty or terminal.verbose) and not terminal.quiet
        self._timeline = Timeline(time.monotonic, terminal, runs_here)
        self._last = ""  # last character printed of the reasoning
        self._line = ""  # of the reasoning that isn't complete, on a terminal
        self._part: tuple[str, ...] = ()
        self._thinks = False

    def show(self, event: Event, answer: Answer) -> None:
        if event.type in REASONING_DELTAS:
            self._thinks = True
            if self._reasoning:
                self._reason(str(event.data.get("delta") or ""), part_key(event))
        elif answer.has_new_commentary:
            self._comment(answer)
        elif event.type == "response.output_text.delta":
            self._end_reasoning()
        if self._calls and event.type.startswith(ITEM_EVENTS):
            self._print_ended(answer)

    def finish(self, answer: Answer) -> None:
        if self._reasoning and not self._thinks and answer.reasoning:
            self._reason(answer.reasoning, ("whole",))
        self._comment(answer)
        self._end_reasoning()
        if self._calls:
            self._print_ended(answer)

    def _reason(self, text: str, part: tuple[str, ...]) -> None:
        if self._part and part != self._part:
            self._end_reasoning()
            text = "\n" + text
        self._part = part
        if text and self._terminal.stderr_tty:
            *lines, self._line = (self._line + text).split("\n")
            self._print_lines(lines)
        elif text:
            self._last = text[-1]
            self._terminal.aside(text)

    def _comment(self, answer: Answer) -> None:
        """Commentary is shown where reasoning is."""
        new = answer.read_new_commentary()
        if new and self._reasoning:
            self._reason(new, ("commentary",))

    def _print_lines(self, lines: list[str]) -> None:
        """Complete lines on a terminal; elsewhere all is left as it came."""
        for line in lines:
            self._terminal.write_stderr(as_line(line.removesuffix("\r"), self._terminal) + "\n")

    def _end_reasoning(self) -> None:
        if self._line:
            self._print_lines([self._line])
            self._line = ""
        if self._last and self._last != "\n":
            self._terminal.aside("\n")
        self._last = ""

    def _print_ended(self, answer: Answer) -> None:
        for line, item in self._timeline.ended(answer):
            self._end_reasoning()
            self._terminal.aside(line + (details(item) if self._terminal.verbose else ""))


def part_key(event: Event) -> tuple[str, ...]:
    """A key for the part of an item that a delta belongs to."""
    return tuple(str(event.data.get(name)) for name in ("output_index", "item_id", "summary_index", "content_index"))
