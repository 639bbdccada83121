"""What stands beside the answer on stderr where nothing is redrawn: reasoning, and a line for each call that ended.

Off a terminal there is nothing, but for what the user asked for by --show-reasoning, --verbose and --usage.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from cometresp.answer import Answer
from cometresp.events import Event
from cometresp.render.happenings import Timeline, details
from cometresp.render.region import terminal_size
from cometresp.terminal import Terminal, escape_line

REASONING_DELTAS = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
_SHOWN_ID = 16  # characters; `chains head` and `log` have it whole
ITEM_EVENTS = ("response.output_item.", "response.completed", "response.incomplete")


class Aside:
    """Shown to like a renderer."""

    def __init__(
        self, terminal: Terminal, *, reasoning: bool, ours: Callable[[dict[str, Any]], bool] = lambda _: False
    ) -> None:
        self._terminal = terminal
        self._reasoning = reasoning
        self._calls = (terminal.stderr_tty or terminal.verbose) and not terminal.quiet
        self._timeline = Timeline(time.monotonic, terminal, ours)
        self._last = ""  # character of the reasoning
        self._part: tuple[Any, ...] = ()

    def show(self, event: Event, answer: Answer) -> None:
        if event.type in REASONING_DELTAS:
            if self._reasoning:
                self._reason(str(event.data.get("delta") or ""), part_of(event))
        elif self._calls and event.type.startswith(ITEM_EVENTS):
            self._tell(answer)

    def finish(self, answer: Answer) -> None:
        if self._reasoning and not self._part and answer.reasoning:
            self._reason(answer.reasoning, ("whole",))
        self._end_reasoning()
        if self._calls:
            self._tell(answer)

    def _reason(self, text: str, part: tuple[Any, ...]) -> None:
        if self._part and part != self._part:
            self._end_reasoning()
            text = "\n" + text
        self._part = part
        if text:
            self._last = text[-1]
            self._terminal.aside(text)

    def _end_reasoning(self) -> None:
        if self._last and self._last != "\n":
            self._terminal.aside("\n")
        self._last = ""

    def _tell(self, answer: Answer) -> None:
        for line, frame in self._timeline.ended(answer):
            self._end_reasoning()
            self._terminal.aside(line + (details(frame) if self._terminal.verbose else ""))


def part_of(event: Event) -> tuple[Any, ...]:
    """Which part of which item a delta belongs to."""
    return tuple(str(event.data.get(name)) for name in ("output_index", "item_id", "summary_index", "content_index"))


class Run(NamedTuple):
    """What a run came to, for its summary: times in seconds, the usage of all its turns, where the chain stands."""

    status: str
    seconds: float
    first: float | None  # text
    usage: dict[str, Any]
    chain: str
    tier: str | None  # that was asked for


def summary(answer: Answer, run: Run) -> str:
    """`completed · 2.1 s · first 0.4 s · 14 in (4 cached) · 20 out · resp_1 · default turn 3`, of what is known."""
    words = [run.status.replace("_", " "), f"{run.seconds:.1f} s"]
    if run.first is not None:
        words.append(f"first {run.first:.1f} s")
    words += _tokens(run.usage, "in", "out")
    given = answer.response.get("service_tier")
    if run.tier and given and given not in (run.tier, "auto"):
        words.append(f"tier {given}")
    return " · ".join(escape_line(str(word)) for word in (*words, escape_line(answer.id, _SHOWN_ID), run.chain) if word)


def tell_summary(terminal: Terminal, line: str) -> None:
    """The one line after an answer, cut to the width; dim where the terminal can be drawn on."""
    line = escape_line(line, terminal_size((2,))[0])
    terminal.write_stderr(f"\x1b[2m{line}\x1b[0m\n" if terminal.redraws else f"{line}\n")


def usage_line(usage: dict[str, Any]) -> str:
    """The line of `--usage`: what the server counted, and nothing else."""
    words = _tokens(usage, "input", "output")
    if "total_tokens" in usage:
        words.append(f"{usage['total_tokens']} total")
    return "usage: " + (", ".join(words) or "none reported")


def _tokens(usage: dict[str, Any], into: str, out: str) -> list[str]:
    """`14 in (4 cached)` and `20 out (8 reasoning)`, in the words of who asks, of what was counted."""
    words = []
    if "input_tokens" in usage:
        cached = _detail(usage, "input_tokens_details", "cached_tokens", "cached")
        words.append(f"{usage['input_tokens']} {into}{cached}")
    if "output_tokens" in usage:
        thought = _detail(usage, "output_tokens_details", "reasoning_tokens", "reasoning")
        words.append(f"{usage['output_tokens']} {out}{thought}")
    return words


def _detail(usage: dict[str, Any], name: str, key: str, word: str) -> str:
    details = usage.get(name)
    count = details.get(key) if isinstance(details, dict) else None
    return f" ({count} {word})" if count else ""
