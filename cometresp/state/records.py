"""What the state file holds, as plain data: turns, their settings, chains."""

import json
from typing import Any, NamedTuple

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
    `deleted` is when the response was deleted from its server.
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


COMPACTED = "compacted"  # status of a turn whose input takes the place of all turns before it
BROKEN = ("cut", "interrupted")  # statuses of a turn whose answer broke off here
UNENDED = ("queued", "in_progress", *BROKEN)  # statuses of a turn whose end isn't recorded

Heads = tuple[int | None, int | None]  # (head, pending) of a chain, as numbers of turns


class NewTurn(NamedTuple):
    """A turn about to be recorded: everything but what the response will say.

    `restarts` its chain, rather than continuing it. `expected` are the heads of the chain when the turn was planned.
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


class Ending(NamedTuple):
    """How a turn ended. `output` is None where it isn't recorded."""

    status: str
    usage: Json
    output: list[Json] | None
    sequence: int | None = None
    response_id: str = ""
    request_id: str | None = None


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


# as rows of the table of turns --------------------------------------------------------------------------------------

COLUMNS = (
    "n, id, parent, previous_id, chain, number, base_url, model, settings, status, usage, created, ended, sequence,"
    " input, output, instructions, tools, outputs, request_id, deleted"
)


def settings_columns(settings: Settings, *, with_text: bool) -> tuple[str, str | None, str | None]:
    """The columns settings, instructions and tools; '' in the last two where text isn't kept."""

    def kept(value: object) -> str | None:
        if value is None:
            return None
        return json.dumps(value) if with_text else ""

    rest = {"store": settings.store, "conversation": settings.conversation}
    return json.dumps(rest), kept(settings.instructions), kept(settings.tools)


def _settings(rest: str, instructions: str | None, tools: str | None) -> Settings:
    apart = {"instructions": instructions, "tools": tools}
    known = {name: value for name, value in json.loads(rest).items() if name in Settings._fields}
    known |= {name: json.loads(column) for name, column in apart.items() if column}
    return Settings(**known)._replace(forgotten=tuple(name for name, column in apart.items() if column == ""))


def turn_of(row: tuple[Any, ...]) -> Turn:
    """A row of COLUMNS. Raises ValueError and TypeError for what cometresp didn't write."""
    n, response_id, parent, previous, chain, number, url, model, settings, status, usage, *rest = row
    created, ended, sequence, input_, output, instructions, tools, outputs, request_id, deleted = rest

    def items_of(column: str | None) -> list[Json] | None:
        items = None if column is None else json.loads(column)
        return listed(items) if isinstance(items, list) else None

    return Turn(
        n=n,
        id=response_id,
        parent=parent,
        previous_id=previous,
        chain=chain,
        number=number,
        base_url=url,
        model=model,
        settings=_settings(settings, instructions, tools),
        status=status,
        usage=json.loads(usage) if usage else {},
        created=created,
        ended=ended,
        sequence=sequence,
        input=items_of(input_),
        output=items_of(output),
        outputs=items_of(outputs) or [],
        request_id=request_id,
        deleted=deleted,
    )
