"""Fields of JSON by their path: `usage.input_tokens`, `output[0].id`, `output[].content[].text`.

Steps are separated by dots. `[N]` is the entry of a list at that place, from the end if it is negative; a step that is
a number means the same, as in `--param`. `[]` is each entry. `["a.b"]` is a name that has dots or brackets in it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from cometresp.errors import ExitCode, TurnError, UsageError
from cometresp.nearest import nearest
from cometresp.text import escape, escape_json, escape_line, json_bytes, quoted, to_bytes, valid_json
from cometresp.tuples import NamedTuple

_STEP = re.compile(r'([^.\[\]"\s][^.\[\]"]*)|\[(-?\d{1,9})\]|\[\]|\[("(?:[^"\\]|\\.)+")\]')
_HINT = "as in usage.input_tokens, output[0].id or output[].content[].text"
_SHOWN = 12  # names of what is there
_LONGEST = 40  # characters of one

Step = str | int | None  # a name, a place in a list, each entry of a list


class Lacking(NamedTuple):
    """Where a path ended too early: the steps until there, and the value in which the next `step` isn't."""

    until: tuple[Step, ...]
    value: object
    step: Step


def steps_of(path: str, flag: str = "--select") -> tuple[Step, ...]:
    """The steps of a path. Raises UsageError for a malformed one."""
    steps: list[Step] = []
    place = 0
    while place < len(path) or not steps:
        found = _STEP.match(path, place)
        if found is None:
            raise UsageError(f"{flag}: {quoted(path)} is not a path", hint=_HINT)
        steps.append(_step(found, flag))
        place = found.end()
        dotted = path.startswith(".", place)
        place += dotted
        if (dotted and (place == len(path) or path[place] == "[")) or (
            not dotted and place < len(path) and path[place] != "["
        ):
            raise UsageError(f"{flag}: {quoted(path)} is not a path", hint=_HINT)
    return tuple(steps)


def _step(found: re.Match[str], flag: str) -> Step:
    name, number, in_quotes = found.groups()
    if name is not None:
        return str(name)
    if number is not None:
        return int(number)
    if in_quotes is None:
        return None
    try:
        return str(json.loads(in_quotes))
    except ValueError:
        raise UsageError(f"{flag}: {quoted(in_quotes)} is not a name in quotes", hint=_HINT) from None


def select(document: object, path: str, what: str, flag: str = "--select") -> list[Any]:
    """The values at a path, one if there is no `[]` in it. `what` the document is, for the message.

    An entry of a list that lacks the rest of the path is left out. Raises TurnError (8) where nothing has it, with
    what is there, and UsageError for a malformed path.
    """
    steps = steps_of(path, flag)
    found = list(_values(document, steps, ()))
    values = [value for value in found if not isinstance(value, Lacking)]
    if not values and found:
        longest = max((lack for lack in found if isinstance(lack, Lacking)), key=lambda lack: len(lack.until))
        raise TurnError(ExitCode.MISMATCH, f"{flag}: {what} has no {escape_line(path)}", hint=_what_is_there(longest))
    return values


def _values(value: Any, steps: Sequence[Step], until: tuple[Step, ...]) -> Iterator[Any]:
    """The values, and a Lacking for each place where there is none."""
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if step is None and isinstance(value, list):
        for entry in value:
            yield from _values(entry, rest, (*until, None))
    elif step is not None and (found := _at(value, step)):
        yield from _values(found[0], rest, (*until, step))
    else:
        yield Lacking(until, value, step)


def _at(value: Any, step: str | int) -> list[Any]:
    """What a value has at this step, in a list; an empty list if it has nothing there."""
    if isinstance(value, dict):
        return [value[step]] if step in value else []
    if not isinstance(value, list):
        return []
    place = step if isinstance(step, int) else int(step) if re.fullmatch("[0-9]{1,9}", step) else None
    return [value[place]] if place is not None and -len(value) <= place < len(value) else []


def _what_is_there(lack: Lacking) -> str:
    where, value = _written(lack.until) or "it", lack.value
    if isinstance(value, list):
        return f"{where} is a list of {len(value)}; [0] is its first entry, [] is each" if value else f"{where} is []"
    if not isinstance(value, dict):
        kind = {str: "a string", bool: "true or false", type(None): "null"}.get(type(value), "a number")
        return f"{where} is {kind}"
    if isinstance(lack.step, str) and (near := nearest(lack.step, list(value))):
        return f"did you mean {_written((*lack.until, near))}?"
    names = [escape_line(str(name), _LONGEST) for name in value]
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return f"{where} has {', '.join([*names[:_SHOWN], *more])}" if names else f"{where} is {{}}"


def _written(steps: Sequence[Step]) -> str:
    """The steps as a path."""
    words = ""
    for step in steps:
        if isinstance(step, str):
            words += f".{escape_line(step, _LONGEST)}" if words else escape_line(step, _LONGEST)
        else:
            words += "[]" if step is None else f"[{step}]"
    return words


def printed(values: Sequence[Any], *, to_terminal: bool) -> bytes:
    """The values, each on lines of its own: strings as they are, others as JSON; escaped for a terminal."""
    return b"".join(_printed(value, to_terminal=to_terminal) for value in values)


def _printed(value: Any, *, to_terminal: bool) -> bytes:
    if isinstance(value, str):
        text = value if value.endswith("\n") else value + "\n"
        return to_bytes(escape(text) if to_terminal else text)
    document = valid_json(json.dumps(value, ensure_ascii=False))
    return json_bytes((escape_json(document) if to_terminal else document) + "\n")
