"""A function as it is offered to the model, and the result of a call.

A result is text, or content parts with images among them. An error is a result as well: `ok` is false and the text is a
JSON object, so that the model can read it and correct its call:

  {"error": "exit 2", "stderr": "the end of the output"}

`error` is always present. `stdout` and `stderr` are the ends of the output, `head` is the start of a result that was
too long. An error has at most ERROR_LIMIT characters, a successful result at most LIMIT. (The API allows 10 MiB, API 9,
but no model has a context of that size.)
"""

import json
import threading
from collections.abc import Callable

from cometresp.text import to_bytes
from cometresp.tuples import NamedTuple
from cometresp.wire.items import Output
from cometresp.wire.json import Json

LIMIT = 100_000
ERROR_LIMIT = 4_000
_LONGEST_MESSAGE = 1_200


class Function(NamedTuple):
    """`definition` is the flat function tool of API 4.1: type, name, description, parameters, strict.

    Calls of a function that isn't `parallel` must not overlap others. A `read_only` function runs without approval.
    `source` is the file name as the user gave it, or the name of an MCP server.
    """

    name: str
    definition: Json
    parallel: bool
    read_only: bool
    source: str


class Result(NamedTuple):
    """`output` is for the model: a text, or content parts (API 3.2); `seconds` is how long the tool itself ran."""

    output: Output
    ok: bool
    seconds: float = 0.0


class Tool(NamedTuple):
    """A function and what runs it: `call` takes the arguments; `gate` allows as many calls as may overlap."""

    function: Function
    gate: threading.Semaphore
    call: Callable[[Json], Result]


def success(text: str, size: int | None = None) -> Result:
    """A result, or the error that it is too long. `text` may be only the start of a result of `size` characters."""
    size = len(text) if size is None else size
    if size > LIMIT:
        return failure(f"the result has {size} characters; at most {LIMIT} are accepted", head=text)
    return Result(_encodable(text), ok=True)


def failure(error: str, *, head: str = "", **tails: str) -> Result:
    """An error result. Each excerpt is shortened until all of them fit; empty ones are left out."""
    limit = ERROR_LIMIT
    while True:
        body = {"error": _cut(error, max(min(limit, _LONGEST_MESSAGE), 200))}
        body |= {"head": head[:limit]} if head else {}
        body |= {name: tail[max(len(tail) - limit, 0) :] for name, tail in tails.items() if tail}
        output = json.dumps({name: _encodable(text) for name, text in body.items()}, ensure_ascii=False)
        if len(output) <= ERROR_LIMIT:
            return Result(output, ok=False)
        limit = limit * 3 // 4


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _encodable(text: str) -> str:
    """The text with lone surrogates replaced, which UTF-8 can't encode."""
    return text if text.isascii() else to_bytes(text).decode()
