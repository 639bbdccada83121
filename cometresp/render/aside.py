"""What stands beside the answer, on stderr: reasoning, tool calls, the live tail, the status line, the summary.

All of it is foreign text or status, so that all of it is escaped. Off a terminal there is nothing, but for what the
user asked for by --show-reasoning, --verbose and --usage.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from cometresp.answer import Answer, Item
from cometresp.events import Event
from cometresp.terminal import Terminal, escape_line

_SILENT_ITEMS = frozenset({"message", "reasoning"})
_REASONING_DELTAS = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
_ITEM_EVENTS = ("response.output_item.", "response.completed", "response.incomplete")
_SHOWN_ARGUMENTS = 100


@dataclass(slots=True)
class Aside:
    """Shown to like a renderer. `live` is a LiveTail where lines may be drawn again."""

    terminal: Terminal
    reasoning: bool
    calls: bool
    live: Any = None
    _told: set[int] = field(default_factory=set)
    _begun: dict[int, float] = field(default_factory=dict)
    _reasoned: bool = False
    _line: str = ""  # of reasoning, not yet ended

    @classmethod
    def on(cls, terminal: Terminal, *, reasoning: bool, redraw: bool, tail: bool) -> "Aside":
        live = None
        if redraw:
            from cometresp.render.live import LiveTail

            live = LiveTail(terminal, show_text=tail)
            live.start()
        calls = (terminal.stderr_tty or terminal.verbose) and not terminal.quiet
        return cls(terminal, reasoning, calls, live)

    def show(self, event: Event, answer: Answer) -> None:
        if self.live:
            self.live.answer = answer
        if event.type in _REASONING_DELTAS:
            if self.reasoning:
                self._reason(str(event.data.get("delta") or ""))
        elif self.calls and event.type.startswith(_ITEM_EVENTS):
            self._tell(answer)

    def finish(self, answer: Answer) -> None:
        if self.reasoning and not self._reasoned and answer.reasoning:
            self._reason(answer.reasoning)  # it came whole
        self._end_reasoning()
        if self.calls:
            self._tell(answer)
        if self.live:
            self.live.stop()

    def _reason(self, text: str) -> None:
        """Whole lines at once where a region is drawn below them, else as it comes."""
        self._reasoned = True
        self._line += text
        if self.live:
            lines, newline, self._line = self._line.rpartition("\n")
            if newline:
                self.live.print(lines, dim=True)
        else:
            self.terminal.aside(text)

    def _end_reasoning(self) -> None:
        if self._line and self.live:
            self.live.print(self._line, dim=True)
        elif self._line and not self._line.endswith("\n"):
            self.terminal.aside("\n")
        self._line = ""

    def _tell(self, answer: Answer) -> None:
        """One line for each item that isn't text, when it is done."""
        for n, item in enumerate(answer.items):
            began = self._begun.setdefault(n, time.monotonic())
            if item.done and n not in self._told and item.type not in _SILENT_ITEMS:
                self._told.add(n)
                self._end_reasoning()
                line = f"{describe_item(item)} · {escape_line(item.status)} · {time.monotonic() - began:.1f} s"
                if self.live:
                    self.live.print(line, dim=False)
                else:
                    self.terminal.aside(line + "\n")


def describe_item(item: Item) -> str:
    """`name(arguments)` of a call; `[type]` and what it looks for of one that has no name."""
    frame = item.as_dict()
    if name := frame.get("name"):
        label = f"{frame['server_label']}/{name}" if frame.get("server_label") else name
        arguments = frame.get("arguments") or frame.get("input") or ""
        return f"{escape_line(str(label))}({escape_line(str(arguments), _SHOWN_ARGUMENTS)})"
    action, queries = frame.get("action"), frame.get("queries")
    words = action.get("query") or action.get("url") if isinstance(action, dict) else None
    if isinstance(queries, list):
        words = ", ".join(map(str, queries))
    return f"[{escape_line(item.type)}]" + (f" {escape_line(str(words), _SHOWN_ARGUMENTS)}" if words else "")


def summary(answer: Answer, seconds: float, chain: str) -> str:
    """`completed · 2.1 s · 14 in · 20 out · resp_1 · default turn 3`, of what is known."""
    tokens = [f"{answer.usage[name]} {word}" for name, word in _TOKENS.items() if name in answer.usage]
    words = [answer.status.replace("_", " "), f"{seconds:.1f} s", *tokens, answer.id, chain]
    return " · ".join(escape_line(str(word)) for word in words if word)


_TOKENS = {"input_tokens": "in", "output_tokens": "out"}


def usage_line(usage: dict[str, Any]) -> str:
    """The line of `--usage`: what the server counted, and nothing else."""

    def detail(name: str, key: str, word: str) -> str:
        details = usage.get(name)
        count = details.get(key) if isinstance(details, dict) else None
        return f" ({count} {word})" if count else ""

    words = []
    if "input_tokens" in usage:
        words.append(f"{usage['input_tokens']} input" + detail("input_tokens_details", "cached_tokens", "cached"))
    if "output_tokens" in usage:
        words.append(
            f"{usage['output_tokens']} output" + detail("output_tokens_details", "reasoning_tokens", "reasoning")
        )
    if "total_tokens" in usage:
        words.append(f"{usage['total_tokens']} total")
    return "usage: " + (", ".join(words) or "none reported")
