"""The lines of an output, as they are and as JSON. What isn't one of its lines is left out, and said.

Killed runs leave lines that were begun, at the end or in the middle; a file of requests is no output, and is refused.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO

from cometresp.errors import UsageError
from cometresp.wire.json import Json

Tell = Callable[[str], None]

_MOST_NAMED = 20
_STARTS = (b'{"id": "batch_req_', b'{"custom_id": ')  # of a line
_BEGINS = re.compile(b"|".join(map(re.escape, _STARTS)))
_OF_REQUESTS = ("body", "prompt", "input")
_OF_RESPONSES = ("response", "error", "text", "exit")


def output_lines(
    file: BinaryIO, shown: str, tell: Tell | None = None, *, known: bool = False, torn: bool = True
) -> Iterator[tuple[bytes, Json]]:
    """The lines of an output, each with its end, and as JSON. `tell` is called with what is left out.

    Raises UsageError for a file of something else: one that has an object of another kind, such as a request, or none
    of the lines of an output, unless it is `known` to be one. `torn`: say also that the last line was only begun, as a
    killed run leaves it.
    """
    left_out: list[int] = []
    found = 0
    for number, data in enumerate(file, 1):
        if not data.strip():
            continue
        is_last = not data.endswith(b"\n")
        if (line := _parsed(data, shown, number)) is not None:
            found += 1
            yield data + b"\n" * is_last, line
        elif (behind := _behind_torn(data, shown, number)) is not None:
            found += 1
            if tell is not None:
                tell(f"{shown}: line {number} begins with a torn one, which is left out")
            yield behind[0] + b"\n" * is_last, behind[1]
        elif is_last and (found or known or _is_begun(data)):
            if tell is not None and (torn or not _is_begun(data)):
                tell(f"{shown}: its last line is torn, and left out")
        else:
            left_out.append(number)
    if left_out and not (found or known):
        raise UsageError(f"{shown}: line {left_out[0]} is no line of a batch's output")
    if left_out and tell is not None:
        tell(_left_out(shown, left_out))


def is_output(file: Iterable[bytes]) -> bool:
    """Whether the first line that isn't blank is one of an output; True for a file of blanks."""
    data = next((data for data in file if data.strip()), None)
    if data is None:
        return True
    with suppress(UsageError):
        return _parsed(data, "", 1) is not None or _is_begun(data)
    return False


def _parsed(data: bytes, shown: str, number: int) -> Json | None:
    """The JSON of a line; None for what is no object. Raises UsageError for an object of another kind."""
    try:
        line = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict):
        return None
    if any(name in line for name in _OF_REQUESTS):
        raise UsageError(f"{shown}: line {number} is a request, and no line of a batch's output")
    if not any(name in line for name in _OF_RESPONSES) or not isinstance(line.get("custom_id"), str):
        raise UsageError(f"{shown}: line {number} is no line of a batch's output")
    return line


def _behind_torn(data: bytes, shown: str, number: int) -> tuple[bytes, Json] | None:
    """A whole line behind one that was only begun.

    Where several processes write to one file, as under GNU parallel, one may be killed while it writes.
    """
    for begin in _BEGINS.finditer(data, 1):
        with suppress(UsageError):
            if (line := _parsed(data[begin.start() :], shown, number)) is not None:
                return data[begin.start() :], line
    return None


def _is_begun(data: bytes) -> bool:
    """Whether it is the beginning of a line of an output."""
    return any(data.startswith(start) or start.startswith(data) for start in _STARTS)


def _left_out(shown: str, numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"{shown}: line {numbers[0]} is no line of a batch's output, and is left out"
    named = ", ".join(map(str, numbers[:_MOST_NAMED]))
    more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
    return f"{shown}: {len(numbers)} lines are none of a batch's output, and are left out: {named}{more}"
