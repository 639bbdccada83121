"""The lines after an answer: the summary of the run, and `--usage`."""

from typing import NamedTuple

from cometresp.answer.answer import Answer
from cometresp.render.region import terminal_size
from cometresp.terminal import Terminal
from cometresp.text import escape_line
from cometresp.wire.json import Json, obj

_SHOWN_ID = 16  # characters; `chains head` and `log` print all of it


class Run(NamedTuple):
    """The result of a run, for its summary: times in seconds, the usage of all its turns, the place in the chain."""

    status: str
    seconds: float
    first: float | None  # until the first text
    usage: Json
    chain: str
    tier: str | None  # the requested one
    request_id: str | None = None  # of the last turn, where it is to be shown


def summary(answer: Answer, run: Run) -> str:
    """`completed · 2.1 s · first 0.4 s · 14 in (4 cached) · 20 out · resp_1 · default turn 3`, if known."""
    words = [run.status.replace("_", " "), f"{run.seconds:.1f} s"]
    if run.first is not None:
        words.append(f"first {run.first:.1f} s")
    words += _tokens(run.usage, "in", "out")
    given = answer.response.get("service_tier")
    if run.tier and given and given not in (run.tier, "auto"):
        words.append(f"tier {given}")
    words += [escape_line(answer.id, _SHOWN_ID), run.chain]
    if run.request_id:
        words.append(f"request {run.request_id}")
    return " · ".join(escape_line(str(word)) for word in words if word)


def print_summary(terminal: Terminal, line: str) -> None:
    """The one line after an answer, cut to the width; dim on a terminal that can be redrawn."""
    line = escape_line(line, terminal_size((2,))[0])
    terminal.write_stderr(f"\x1b[2m{line}\x1b[0m\n" if terminal.redraws else f"{line}\n")


def usage_line(usage: Json, request_id: str | None = None) -> str:
    """The line of `--usage`: only the numbers that the server reported, and the request id if there is one."""
    words = _tokens(usage, "input", "output")
    if "total_tokens" in usage:
        words.append(f"{usage['total_tokens']} total")
    words = words or ["none reported"]
    if request_id:
        words.append(f"request {escape_line(request_id)}")
    return "usage: " + ", ".join(words)


def _tokens(usage: Json, into: str, out: str) -> list[str]:
    """`14 in (4 cached)` and `20 out (8 reasoning)`, with the given words; unreported numbers are left out."""
    words = []
    if "input_tokens" in usage:
        cached = _detail(usage, "input_tokens_details", "cached_tokens", "cached")
        words.append(f"{usage['input_tokens']} {into}{cached}")
    if "output_tokens" in usage:
        thought = _detail(usage, "output_tokens_details", "reasoning_tokens", "reasoning")
        words.append(f"{usage['output_tokens']} {out}{thought}")
    return words


def _detail(usage: Json, name: str, key: str, word: str) -> str:
    count = obj(usage.get(name)).get(key)
    return f" ({count} {word})" if count else ""
