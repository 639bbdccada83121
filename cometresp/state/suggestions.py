"""Names and ids for a shell's completion; none where the state can't be read."""

import os
from contextlib import suppress

from cometresp.config import load
from cometresp.errors import CometrespError, RecordError
from cometresp.state.patience import Patience
from cometresp.state.state import State
from cometresp.state.transcript import prompt_of
from cometresp.text import escape_line
from cometresp.wire.ids import is_plain_id

_SHOWN = 50  # characters of a prompt
_RECENT = 20  # responses that are offered
_SECONDS = 0.5  # for which another process is waited for

Suggestions = list[tuple[str, str]]  # (name, first words of the prompt)


def chain_names(incomplete: str) -> Suggestions:
    """The recorded chains whose names begin with `incomplete`."""
    found = []
    try:
        if state := _opened():
            with state:
                for chain in state.chains.all(skipped=[]):
                    if chain.name.startswith(incomplete):
                        words = ""
                        with suppress(RecordError):
                            words = prompt_of(state.turns.first_of(chain.last)) if chain.last else ""
                        found.append((escape_line(chain.name), escape_line(words, _SHOWN)))
    except CometrespError:
        return []
    return found


def response_ids(incomplete: str) -> Suggestions:
    """The responses recorded last whose ids begin with `incomplete`."""
    try:
        state = _opened()
        if state is None:
            return []
        with state:
            turns = state.turns.newest(limit=_RECENT, skipped=[])
    except CometrespError:
        return []
    return [
        (turn.id, escape_line(prompt_of(turn), _SHOWN))
        for turn in turns
        if turn.id.startswith(incomplete) and is_plain_id(turn.id)
    ]


def _opened() -> State | None:
    return State.open(load(os.environ).state_dir, create=False, mend=False, patience=Patience(_SECONDS))
