"""The lines after an answer: the summary of the run, and `--usage`."""

from collections.abc import Sequence

from cometresp.answer.answer import Answer
from cometresp.render.notice import first_that_fits, print_dim
from cometresp.terminal import Terminal, terminal_size
from cometresp.text import escape_line
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json, obj


class Run(NamedTuple):
    """The result of a run, for its summary: times in seconds, the usage of all its turns, the place in the chain."""

    status: str
    seconds: float
    first: float | None  # until the first text
    usage: Json
    chain: str  # of which the answer is the head now, else ""
    turn: int
    shown_id: str  # short, where it can be typed so
    model: str | None  # that was asked for
    tier: str | None  # the requested one
    request_id: str | None  # of the last turn
    cost: str = ""  # as `~$0.0012`, where the price of the model is known


_SPARE = ("model", "seconds", "tokens", "cost")  # what is left out where the window is too narrow, in this order


def summary(answer: Answer, run: Run, width: int, *, arrow: str = "→") -> str:
    """`default turn 3 · gpt-5.4 · 2.1 s · 14 → 20 tokens`, without what would be wider than `width`.

    What is acted on comes first: the place in the chain, else the response id; a status other than `completed`.
    """
    status = run.status.replace("_", " ")
    words = {
        "place": "",
        "status": "" if status == "completed" else status,
        "model": str(answer.response.get("model") or run.model or ""),
        "seconds": f"{run.seconds:.1f} s",
        "tokens": _in_and_out(run.usage, arrow),
        "cost": run.cost,
    }
    places = (f"{run.chain} turn {run.turn}", f"turn {run.turn}") if run.chain else (run.shown_id, "")
    forms = [_joined({**words, "place": place}, _SPARE[:n]) for place in places for n in range(len(_SPARE) + 1)]
    return first_that_fits(forms, width)


def _joined(words: dict[str, str], without: Sequence[str]) -> str:
    return " · ".join(escape_line(word) for name, word in words.items() if word and name not in without)


def _in_and_out(usage: Json, arrow: str) -> str:
    """`14 → 20 tokens`; a number that wasn't reported is left out."""
    into, out = usage.get("input_tokens"), usage.get("output_tokens")
    if into is None or out is None:
        return f"{into} tokens in" if into is not None else f"{out} tokens out" if out is not None else ""
    return f"{into} {arrow} {out} tokens"


def print_summary(terminal: Terminal, answer: Answer, run: Run) -> None:
    """The one line after an answer."""
    print_dim(terminal, summary(answer, run, terminal_size((2,))[0], arrow=terminal.arrow))


def details(answer: Answer, run: Run) -> list[str]:
    """What `--usage` adds on a terminal: `first text 0.4 s`, `tier default instead of flex`, the whole id."""
    words = [] if run.first is None else [f"first text {run.first:.1f} s"]
    if given := answer.response.get("service_tier"):
        words.append(f"tier {given}" + (f" instead of {run.tier}" if run.tier not in (None, given, "auto") else ""))
    return [*words, f"id {answer.id}"]


def usage_line(usage: Json, request_id: str | None = None, more: Sequence[str] = (), *, cost: str = "") -> str:
    """The line of `--usage`: only the numbers that the server reported, and of the rest what is known."""
    words = _tokens(usage)
    if "total_tokens" in usage:
        words.append(f"{usage['total_tokens']} total")
    words = [*(words or ["none reported"]), *([cost] if cost else []), *more]
    if request_id:
        words.append(f"request {request_id}")
    return escape_line("usage: " + ", ".join(words))


def _tokens(usage: Json) -> list[str]:
    """`14 input (4 cached)` and `20 output (8 reasoning)`; unreported numbers are left out."""
    words = []
    if "input_tokens" in usage:
        cached = _detail(usage, "input_tokens_details", "cached_tokens", "cached")
        words.append(f"{usage['input_tokens']} input{cached}")
    if "output_tokens" in usage:
        thought = _detail(usage, "output_tokens_details", "reasoning_tokens", "reasoning")
        words.append(f"{usage['output_tokens']} output{thought}")
    return words


def _detail(usage: Json, name: str, key: str, word: str) -> str:
    count = obj(usage.get(name)).get(key)
    return f" ({count} {word})" if count else ""
