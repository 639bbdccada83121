"""What the state file holds, as plain data: turns, their settings, chains."""

import json
from typing import Any, NamedTuple


class Settings(NamedTuple):
    """What the API doesn't carry over from turn to turn, so that `continue` sends it again."""

    instructions: str | None = None
    tools: list[dict[str, Any]] | None = None
    store: bool | None = None
    conversation: str | None = None

    def as_json(self) -> str:
        kept = {"instructions": self.instructions, "tools": self.tools, "store": self.store}
        return json.dumps({**kept, "conversation": self.conversation})


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
