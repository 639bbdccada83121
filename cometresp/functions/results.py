"""A function as it is offered to the model, and what a call of it comes to.

A result is text. What goes wrong is a result as well, `ok` false and the text one JSON object, so that the model can
read it and mend its call:

  {"error": "exit 2", "stderr": "the tail of what the tool wrote there"}

`error` is always there. `stdout` and `stderr` are tails, `head` is the beginning of a result that was too long. Such
an object has at most ERROR_LIMIT characters, a good result at most LIMIT (the API takes 10 MiB, API 9, but no
model's context does).
"""

import json
import threading
from collections.abc import Callable
from typing import NamedTuple

from cometresp.text import to_bytes
from cometresp.wire.json import Json

LIMIT = 100_000

ERROR_LIMIT = 4_000

_LONGEST_MESSAGE = 1_200


class Function(NamedTuple):
    """`definition` is the flat function tool of API 4.1: type, name, description, parameters, strict.

    Calls of functions that aren't `parallel` must not overlap others; `read_only` ones run without asking. `source`
    is the file's name as the user gave it.
    """

    name: str
    definition: Json
    parallel: bool
    read_only: bool
    source: str


class Result(NamedTuple):
    """`output` is what the model gets; `seconds` is how long the tool itself ran."""

    output: str
    ok: bool
    seconds: float = 0.0


class Tool(NamedTuple):
    """A function with what runs it: `call` takes the arguments; `gate` lets through as many calls as may overlap."""

    function: Function
    gate: threading.Semaphore
    call: Callable[[Json], Result]


def success(text: str, size: int | None = None) -> Result:
    """The result, or the error that it is too long. `text` may be its beginning only, of `size` characters in all."""
    size = len(text) if size is None else size
    if size > LIMIT:
        return failure(f"the result has {size} characters; at most {LIMIT} are taken", head=text)
    return Result(_whole(text), ok=True)


def failure(error: str, *, head: str = "", **tails: str) -> Result:
    """An error result. The excerpts share the room; empty ones are left out."""
    room = ERROR_LIMIT
    while True:
        body = {"error": _cut(error, max(min(room, _LONGEST_MESSAGE), 200))}
        body |= {"head": head[:room]} if head else {}
        body |= {name: tail[max(len(tail) - room, 0) :] for name, tail in tails.items() if tail}
        output = json.dumps({name: _whole(text) for name, text in body.items()}, ensure_ascii=False)
        if len(output) <= ERROR_LIMIT:
            return Result(output, ok=False)
        room = room * 3 // 4


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _whole(text: str) -> str:
    """Text that UTF-8 has a form for: lone surrogates are replaced."""
    return text if text.isascii() else to_bytes(text).decode()
