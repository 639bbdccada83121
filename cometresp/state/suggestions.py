"""Names and ids for a shell's completion; nothing where the state can't be read."""

import os

from cometresp.config import load
from cometresp.errors import CometrespError
from cometresp.state.state import State
from cometresp.state.transcript import asked
from cometresp.text import escape_line

_HELP_WORDS = 50
_RECENT = 20


def chain_names(incomplete: str) -> list[tuple[str, str]]:
    """(name, first words) of the recorded chains that begin so."""
    try:
        state = _opened()
        rows = state.chains() if state else []
    except CometrespError:
        return []
    found = []
    for row in rows:
        turn = row.head or row.pending
        if state and row.name.startswith(incomplete):
            words = asked(state.began(turn)) if turn else ""
            found.append((escape_line(row.name), escape_line(words, _HELP_WORDS)))
    return found


def response_ids(incomplete: str) -> list[tuple[str, str]]:
    """(id, first words) of the responses recorded last that begin so."""
    try:
        state = _opened()
        turns = state.turns(limit=_RECENT) if state else []
    except CometrespError:
        return []
    return [
        (escape_line(turn.id), escape_line(asked(turn), _HELP_WORDS))
        for turn in turns
        if turn.id.startswith(incomplete)
    ]


def _opened() -> State | None:
    return State.open(load(os.environ).state_dir, create=False, mend=False)
