"""A structured answer on a terminal: JSON, indented and highlighted while it arrives.

Only blanks between tokens change: numbers, strings and keys are shown as the model wrote them, even if they are
invalid. An answer that doesn't start as an object or an array (a refusal, for example) is shown as text.
"""

import re

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from cometresp.answer.answer import Answer
from cometresp.render.blocks import Splitter
from cometresp.render.code import highlighted
from cometresp.text import escape, escape_json
from cometresp.wire.items import format_of

_TOKEN = re.compile(r'"|[{}\[\],:]|\s+|[^\s"{}\[\],:]+')
_IN_STRING = re.compile(r'["\\]|[^"\\]+')
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_INDENT = "  "
_LONGEST_TAIL = 10_000  # characters; a longer unfinished line isn't highlighted


class Unwrapped:
    """Lines that the terminal wraps, not Rich, so that nothing is lost and a copied line is whole."""

    def __init__(self, text: Text) -> None:
        self.text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.text.split("\n", allow_blank=True)[:-1]:
            yield from line.render(console, end="\n")


class Structured:
    """Splits text that arrives in pieces of any size into finished lines. Has the methods of a Splitter."""

    def __init__(self) -> None:
        self._lines: list[str] = []  # finished, not returned yet
        self._line: list[str] = []
        self._reset()

    def _reset(self) -> None:
        self._depth = 0
        self._in_string = self._escaped = False
        self._opened = False  # the last token was an opening bracket; a new line follows unless it is closed next
        self._is_json: bool | None = None

    def feed(self, text: str) -> None:
        if self._is_json is None and (start := text.lstrip()):
            self._is_json = start.startswith(("{", "["))
        if self._is_json is False:
            *lines, rest = text.split("\n")
            for line in lines:
                self._line.append(line)
                self._end_line()
            self._line.append(rest)
            return
        place = 0
        while place < len(text):
            match = (_IN_STRING if self._in_string else _TOKEN).match(text, place)
            assert match is not None
            place = match.end()
            if self._in_string:
                self._string(match[0])
            elif not match[0].isspace():
                self._mark(match[0])

    def _string(self, piece: str) -> None:
        self._line.append(piece)
        if self._escaped:
            self._escaped = False
        elif piece in ('"', "\\"):
            self._in_string, self._escaped = piece != '"', piece == "\\"

    def _mark(self, mark: str) -> None:
        if mark in ("}", "]"):
            self._depth = max(self._depth - 1, 0)
            if not self._opened:
                self._end_line()
        elif self._opened:
            self._end_line()
        self._opened = mark in ("{", "[")
        self._depth += self._opened
        self._in_string = mark == '"'
        self._line.append(": " if mark == ":" else mark)
        if mark == ",":
            self._end_line()

    def _end_line(self) -> None:
        self._lines.append("".join(self._line))
        self._line = [_INDENT * self._depth] if self._is_json else []

    def finished(self, rows: int | None = None) -> Unwrapped | None:  # noqa: ARG002 - the signature of Splitter
        lines, self._lines = self._lines, []
        return Unwrapped(self._shown(lines)) if lines else None

    def tail(self, lines: int) -> Text:
        """A preview of the end of what wasn't returned yet."""
        line = "".join(self._line)
        if len(line) > _LONGEST_TAIL:
            return Text(escape(line[-_LONGEST_TAIL:]), overflow="fold")
        closed = self._in_string and not self._escaped  # else half a string is highlighted as an error
        shown = self._shown([*self._lines, line + '"' * closed][-lines:])
        shown.right_crop(1 + closed)
        shown.overflow = "fold"
        return shown

    def end(self) -> Unwrapped | None:
        """The rest of the lines; the next text starts a new document."""
        if "".join(self._line).strip():
            self._end_line()
        self._line = []
        blocks = self.finished()
        self._reset()
        return blocks

    def _shown(self, lines: list[str]) -> Text:
        text = "\n".join(lines)
        if self._is_json is False:
            return Text(escape(text) + "\n")
        safe = escape_json(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
        return highlighted(safe, "json").append("\n")


def splitter_for(answer: Answer, structured: bool | None, *, lag: int | None = None) -> Splitter | Structured:
    """The splitter for the answer's text; with None, the response's format decides (API 5.1)."""
    if structured is None:
        structured = format_of(answer.response.get("text")).get("type") in ("json_schema", "json_object")
    return Structured() if structured else Splitter(lag=lag)
