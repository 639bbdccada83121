"""What the state file holds, as plain data: turns, their settings, chains."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cometresp.errors import RecordError
from cometresp.text import escape_line
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json, listed


class Settings(NamedTuple):
    """What the API doesn't carry over from turn to turn, so that `continue` sends it again.

    `forgotten` names those of "instructions" and "tools" that the turn had but that aren't recorded (any more).
    """

    instructions: str | None = None
    tools: list[Json] | None = None
    store: bool | None = None
    conversation: str | None = None
    forgotten: tuple[str, ...] = ()


class Turn(NamedTuple):
    """A recorded turn. `input` and `output` are None where they were not recorded.

    `outputs` are items that answer its calls, recorded before they were sent. `request_id` is that of the HTTP reply;
    `deleted` is when the response was deleted from its server, `reason` why it is incomplete, `cost` what it cost in
    USD, if that was known when it ended, `profile` the one that the settings came from. `request` has the other fields
    of the request; None where they were not recorded. `asked_model` is the model that was asked for, where another one
    answered in its place.
    """

    n: int
    id: str
    parent: int | None
    previous_id: str | None
    chain: str
    number: int
    base_url: str
    model: str | None
    settings: Settings
    status: str
    usage: Json
    created: float
    ended: float | None
    sequence: int | None
    input: list[Json] | None
    output: list[Json] | None
    outputs: list[Json]
    request_id: str | None
    deleted: float | None
    reason: str | None
    cost: float | None = None
    profile: str | None = None
    request: Json | None = None
    asked_model: str | None = None

    @property
    def wanted_model(self) -> str | None:
        """The model that was asked for, whichever answered."""
        return self.asked_model or self.model


COMPACTED = "compacted"  # status of a turn whose input takes the place of all turns before it
BROKEN = ("cut", "interrupted")  # statuses of a turn whose answer broke off here
UNENDED = ("queued", "in_progress", *BROKEN)  # statuses of a turn whose end isn't recorded

Heads = tuple[int | None, int | None]  # (head, pending) of a chain, as numbers of turns


class NewTurn(NamedTuple):
    """A turn about to be recorded: everything but what the response will say.

    `restarts` its chain, rather than continuing it. `expected` are the heads of the chain when the turn was planned.
    `request` has the fields of the request that stand nowhere else here.
    """

    chain: str
    base_url: str
    model: str | None
    settings: Settings
    input: list[Json] | None
    restarts: bool
    parent: Turn | None = None
    previous_id: str | None = None
    expected: Heads | None = None
    profile: str | None = None
    request: Json | None = None
    asked_model: str | None = None


class Ending(NamedTuple):
    """How a turn ended. `output` is None where it isn't recorded; `reason` is why it is incomplete."""

    status: str
    usage: Json
    output: list[Json] | None
    sequence: int | None = None
    response_id: str = ""
    request_id: str | None = None
    reason: str | None = None
    cost: float | None = None


class Chain(NamedTuple):
    """A chain: `head` is the turn that the next one continues, `pending` one that restarted it and hasn't completed.

    `before` is the head that it had before it was restarted.
    """

    name: str
    head: Turn | None
    pending: Turn | None
    used: float
    before: Turn | None = None

    @property
    def last(self) -> Turn | None:
        """The head, else the turn that is to become it."""
        return self.head or self.pending

    @property
    def heads(self) -> Heads:
        return self.head.n if self.head else None, self.pending.n if self.pending else None


# as rows ------------------------------------------------------------------------------------------------------------

UNREADABLE = (ValueError, TypeError, RecursionError)
_END_OF_TIME = 253_370_764_800.0  # the year 9999, the last that has a date


def settings_columns(settings: Settings, *, with_text: bool) -> tuple[str, str | None, str | None]:
    """The columns settings, instructions and tools; '' in the last two where text isn't kept."""

    def kept(value: object) -> str | None:
        if value is None:
            return None
        return json.dumps(value) if with_text else ""

    rest = {"store": settings.store, "conversation": settings.conversation}
    return json.dumps(rest), kept(settings.instructions), kept(settings.tools)


def turn_of(row: Iterable[Any]) -> Turn:
    """A row of TURN_COLUMNS. Raises RecordError for what cometresp didn't write."""
    n, response_id, *_ = row = tuple(row)
    values = values_of(shown_turn(n, response_id), TURN, row)
    rest, apart = values.pop("settings"), {name: values.pop(name) for name in ("instructions", "tools")}
    settings = Settings(
        **{name: value for name, value in apart.items() if value != ""},
        store=rest.get("store"),
        conversation=rest.get("conversation"),
        forgotten=tuple(name for name, value in apart.items() if value == ""),
    )
    return Turn(settings=settings, **values)


class ChainRow(NamedTuple):
    """A row of CHAIN_COLUMNS: `head`, `pending` and `before` are numbers of turns."""

    name: str
    head: int | None
    pending: int | None
    used: float
    before: int | None


def chain_of(row: Iterable[Any]) -> ChainRow:
    """A row of CHAIN_COLUMNS. Raises RecordError for what cometresp didn't write."""
    name, *_ = row = tuple(row)
    shown = f"chain {escape_line(name, 80)}" if isinstance(name, str) else "a chain"
    return ChainRow(**values_of(shown, CHAIN, row))


def values_of(shown: str, columns: Mapping[str, Callable[[Any], Any]], row: Sequence[Any]) -> dict[str, Any]:
    """The values of a row's columns. Raises RecordError for one that can't be read, which says what is `shown`."""
    try:
        return {name: value_of(column) for (name, value_of), column in zip(columns.items(), row, strict=True)}
    except UNREADABLE as error:
        for (name, value_of), column in zip(columns.items(), row, strict=True):
            try:
                value_of(column)
            except UNREADABLE:
                raise RecordError(f"the record of {shown} is damaged: its {name} can't be read") from error
        raise


def shown_turn(n: object, response_id: object) -> str:
    """A turn in messages about its record."""
    return f"turn {n}" + (f" ({escape_line(response_id, 80)})" if isinstance(response_id, str) else "")


def _text(column: Any) -> str:
    if not isinstance(column, str):
        raise TypeError
    column.encode()  # a byte that wasn't UTF-8 is a surrogate, which raises ValueError
    return column


def _text_or_none(column: Any) -> str | None:
    return None if column is None else _text(column)


def _whole(column: Any) -> int:
    if not isinstance(column, int):
        raise TypeError
    return column


def _time(column: Any) -> float:
    if not isinstance(column, int | float) or not 0 <= column <= _END_OF_TIME:
        raise ValueError
    return float(column)


def _cost(column: Any) -> float:
    if not isinstance(column, int | float) or not 0 <= column < math.inf:
        raise ValueError
    return float(column)


def _object(column: Any) -> Json:
    value = json.loads(_text(column))
    if not isinstance(value, dict):
        raise TypeError
    return value


@lru_cache(maxsize=16)  # those of most turns are the same
def _settings(column: Any) -> Json:
    """The settings that don't stand in columns of their own: store and conversation. It is only to be read."""
    value = _object(column)
    _text_or_none(value.get("conversation"))
    return value


def _list(column: Any) -> list[Any]:
    value = json.loads(_text(column))
    if not isinstance(value, list):
        raise TypeError
    return value


def _items(column: Any) -> list[Json]:
    return listed(_list(column))


def _outputs(column: Any) -> list[Json]:
    return [] if column is None else _items(column)


def _usage(column: Any) -> Json:
    return {} if column in (None, "") else _object(column)


def _dropped_or(value_of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """'' as it is: what was there isn't recorded."""
    return lambda column: column if column in (None, "") else value_of(column)


def _or_none(value_of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda column: None if column is None else value_of(column)


TURN: dict[str, Callable[[Any], Any]] = {
    "n": _whole,
    "id": _text,
    "parent": _or_none(_whole),
    "previous_id": _text_or_none,
    "chain": _text,
    "number": _whole,
    "base_url": _text,
    "model": _text_or_none,
    "settings": _settings,
    "status": _text,
    "usage": _usage,
    "created": _time,
    "ended": _or_none(_time),
    "sequence": _or_none(_whole),
    "input": _or_none(_items),
    "output": _or_none(_items),
    "instructions": _dropped_or(lambda column: json.loads(_text(column))),
    "tools": _dropped_or(_list),
    "outputs": _outputs,
    "request_id": _text_or_none,
    "deleted": _or_none(_time),
    "reason": _text_or_none,
    "cost": _or_none(_cost),
    "profile": _text_or_none,
    "request": _or_none(_object),
    "asked_model": _text_or_none,
}
CHAIN: dict[str, Callable[[Any], Any]] = {
    "name": _text,
    "head": _or_none(_whole),
    "pending": _or_none(_whole),
    "used": _time,
    "before": lambda column: column if isinstance(column, int) else None,  # it is only for hints
}
TURN_COLUMNS = ", ".join(TURN)
CHAIN_COLUMNS = ", ".join(CHAIN)
