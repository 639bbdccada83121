"""What the state file holds, as plain data: turns, their settings, chains."""

import json
from typing import Any, NamedTuple


class Settings(NamedTuple):
    """What the API doesn't carry over from turn to turn, so that `continue` sends it again.

    `forgotten` names those of "instructions" and "tools" that the turn had but that aren't recorded (any more).
    """

    instructions: str | None = None
    tools: list[dict[str, Any]] | None = None
    store: bool | None = None
    conversation: str | None = None
    forgotten: tuple[str, ...] = ()


class Turn(NamedTuple):
    """A recorded turn. `input` and `output` are None where they were not recorded."""

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
    usage: dict[str, Any]
    created: float
    ended: float | None
    sequence: int | None
    input: list[dict[str, Any]] | None
    output: list[dict[str, Any]] | None


UNENDED = ("queued", "in_progress", "cut", "interrupted")  # statuses of a turn whose end isn't recorded

# (head, pending) of a chain, as numbers of turns.
Stand = tuple[int | None, int | None]


class NewTurn(NamedTuple):
    """A turn about to be recorded: everything but what the response will say."""

    chain: str
    base_url: str
    model: str | None
    settings: Settings
    input: list[dict[str, Any]] | None
    anew: bool  # it starts the chain, rather than going on with it
    parent: Turn | None = None
    previous_id: str | None = None
    stood: Stand | None = None  # where the chain stood when the turn was planned


class ChainRow(NamedTuple):
    name: str
    head: Turn | None
    pending: Turn | None
    used: float

    @property
    def stand(self) -> Stand:
        return self.head.n if self.head else None, self.pending.n if self.pending else None


# as rows of the table of turns -------------------------------------------------------------------------------------


def settings_columns(settings: Settings, *, text: bool) -> tuple[str, str | None, str | None]:
    """The columns settings, instructions and tools; '' in the last two where text isn't to be kept."""

    def kept(value: Any) -> str | None:
        if value is None:
            return None
        return json.dumps(value) if text else ""

    rest = {"store": settings.store, "conversation": settings.conversation}
    return json.dumps(rest), kept(settings.instructions), kept(settings.tools)


def _settings(rest: str, instructions: str | None, tools: str | None) -> Settings:
    apart = {"instructions": instructions, "tools": tools}
    known = {name: value for name, value in json.loads(rest).items() if name in Settings._fields}
    known |= {name: json.loads(text) for name, text in apart.items() if text}
    return Settings(**known)._replace(forgotten=tuple(name for name, text in apart.items() if text == ""))


def turn_of(row: tuple[Any, ...]) -> Turn:
    """A row of the table of turns. Raises ValueError and TypeError for what cometresp didn't write."""
    n, response_id, parent, previous, chain, number, url, model, settings, status, usage, *rest = row
    created, ended, sequence, input_, output, instructions, tools = rest

    def items_of(text: str | None) -> list[dict[str, Any]] | None:
        items = None if text is None else json.loads(text)
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else None

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
    )
