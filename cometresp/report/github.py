"""The files of a step of GitHub Actions: its outputs, and its summary."""

import os
import re
from collections.abc import Mapping

from cometresp.catalogue.price import written
from cometresp.report.summary import Summary
from cometresp.text import to_bytes

OUTPUTS, STEP_SUMMARY = "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"
SUMMARY_LIMIT = 1 << 20  # bytes; GitHub refuses a step whose summary is longer
_CUT = "_This answer is longer than the summary of a step may be: it is cut._"
_END_OF_BODY = 200  # bytes for the marks of a block of code, and newlines


def outputs(values: Mapping[str, str]) -> bytes:
    """The outputs of a step as GITHUB_OUTPUT takes them; a value may have any text and any lines in it."""
    return b"".join(_output(name, to_bytes(value)) for name, value in values.items())


def _output(name: str, value: bytes) -> bytes:
    end = _end()
    while end in value:
        end = _end()
    return b"%s<<%s\n%s\n%s\n" % (name.encode(), end, value, end)


def _end() -> bytes:
    """The line that ends a value: nobody can guess it."""
    return b"end_" + os.urandom(16).hex().encode()


def values_of(summary: Summary, text: str) -> dict[str, str]:
    """The outputs of a run. What isn't known is empty."""
    ids, cost = summary["response_ids"], summary["cost"]
    return {
        "id": ids[-1] if ids else "",
        "text": text,
        "status": summary["status"] or "",
        "exit": str(summary["exit_code"]),
        "cost": "" if cost is None else f"{cost:.8f}".rstrip("0").rstrip("."),
    }


def step_summary(summary: Summary, text: str, language: str | None, room: int) -> bytes:
    """The answer as Markdown, below a line about the run; cut, with a notice, to `room` bytes. Empty where none fits.

    `language` is that of an answer that is code, None where it is Markdown.
    """
    head = f"{_line_about(summary)}\n\n{_error_in(summary)}"
    whole = to_bytes(head + _body(text, language))
    if len(whole) <= room:
        return whole
    head = f"{head}{_CUT}\n\n"
    left = room - len(to_bytes(head)) - _END_OF_BODY
    part = to_bytes(text)[: max(left, 0)].decode(errors="ignore")
    shown = to_bytes(head + _body(part, language))
    return shown if len(shown) <= room else b""


def _body(text: str, language: str | None) -> str:
    if not text.strip():
        return ""
    return (_closed(text) if language is None else _fenced(text, language)) + "\n\n"


def _line_about(summary: Summary) -> str:
    usage, cost, model = summary["usage"] or {}, summary["cost"], summary["model_used"] or summary["model"]
    into, out = usage.get("input_tokens"), usage.get("output_tokens")
    words = [
        f"**cometresp {summary['command']}**",
        _code(summary["status"] or f"exit code {summary['exit_code']}"),
        _code(model) if model else "",
        f"{into} → {out} tokens" if isinstance(into, int) and isinstance(out, int) else "",
        "" if cost is None else written(cost),
        f"{summary['seconds']:.1f} s",
    ]
    return " · ".join(filter(None, words))


def _error_in(summary: Summary) -> str:
    error = summary["error"]
    if error is None:
        return ""
    hint = f"\nhint: {error['hint']}" if error["hint"] else ""
    return _fenced(f"exit code {summary['exit_code']}: {error['message']}{hint}", "text") + "\n\n"


def _code(text: str) -> str:
    """Text from outside that can't be Markdown."""
    words = " ".join(text.replace("`", "'").split())
    return f"`{words}`"


def _fenced(text: str, language: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _closed(markdown: str) -> str:
    """Markdown whose last block of code is closed, so that what follows it isn't taken for code."""
    fence = ""
    for marks, rest in re.findall(r"^ {0,3}(`{3,}|~{3,})([^\n]*)", markdown, re.MULTILINE):
        if not fence:
            fence = "" if marks[0] == "`" and "`" in rest else marks
        elif marks.startswith(fence) and not rest.strip():
            fence = ""
    return markdown.rstrip() + (f"\n{fence}" if fence else "")
