"""What a whole answer is put to at its end: the check against its schema, and the block that `--extract` takes out."""

from collections.abc import Callable
from typing import Any

from cometresp.answer.answer import Answer
from cometresp.errors import CometrespError, ExitCode, TurnError
from cometresp.render.screen import Sink
from cometresp.terminal import Terminal
from cometresp.text import escape, to_bytes
from cometresp.wire.items import format_of


def unfit(answer: Answer, shape: dict[str, Any] | None, warn: Callable[[str], None]) -> CometrespError | None:
    """The error of an answer that ended well but doesn't match its schema; None: the one that the response names."""
    shape = format_of(answer.response.get("text")) if shape is None else shape
    if answer.status not in ("completed", "incomplete") or shape.get("type") != "json_schema":
        return None
    from cometresp.schema.check import mismatch

    return mismatch(shape, answer.id or "the response", answer.text, warn)


class Extraction:
    """Prints one fenced block in place of the answer; where there is none to print, the text goes to stderr."""

    def __init__(self, sink: Sink, terminal: Terminal, *, last: bool, to_terminal: bool) -> None:
        self._sink = sink
        self._terminal = terminal
        self._last = last
        self._to_terminal = to_terminal
        self._found = False

    def print(self, answer: Answer, *, good: bool) -> None:
        """`good`: the answer ended well. Otherwise a block of it may be half of one."""
        from cometresp.answer.extract import fenced_block

        text = answer.text
        block = fenced_block(text, last=self._last, complete=not answer.incomplete_reason) if good else None
        self._found = block is not None
        if block is None:
            self._terminal.aside(text if text.endswith("\n") or not text else text + "\n")
            return
        block += "" if block.endswith(("\n", "\r")) or not block else "\n"
        self._sink.write(to_bytes(escape(block) if self._to_terminal else block))

    def fault(self, answer: Answer) -> CometrespError | None:
        if self._found:
            return None
        message = f"{answer.id or 'the response'} has no fenced code block to extract"
        return TurnError(ExitCode.MISMATCH, message, hint="its text stands above" if answer.text else "")
