"""Names and ids for a shell's completion; none where the state can't be read."""

import os
from collections.abc import Callable, Iterable

from cometresp.config import load
from cometresp.config_file import load_file
from cometresp.errors import CometrespError
from cometresp.state.patience import Patience
from cometresp.state.state import State
from cometresp.state.transcript import prompt_of
from cometresp.text import escape_line
from cometresp.wire.ids import is_plain_id

_SHOWN = 50  # characters of a prompt
_RECENT = 20  # responses that are offered
_SEARCHED = 200  # those among which one is looked for that begins as typed
_MOST_CHAINS = 100
_SECONDS = 0.5  # for which another process is waited for
_LAST = "last"

Suggestions = list[tuple[str, str]]  # (name, first words of the prompt)


def chain_names(typed: str, *, offline: bool = False) -> Suggestions:
    """The recorded chains whose names begin as typed, the last used first."""

    def found(state: State) -> Suggestions:
        return [(chain.name, chain.words) for chain in state.chains.beginning(typed, _MOST_CHAINS, words=_SHOWN)]

    return _read(found, offline=offline)


def response_ids(typed: str, *, offline: bool = False) -> Suggestions:
    """`last`, the heads of chains as `@CHAIN`, and the responses recorded last, as far as they begin as typed."""

    def recent(state: State) -> Suggestions:
        turns = state.turns.recent(typed, _RECENT, among=_SEARCHED if typed else _RECENT)
        found = [(_offered(state, turn.id, typed), escape_line(prompt_of(turn), _SHOWN)) for turn in turns]
        newest = state.turns.newest(limit=1, skipped=[]) if _LAST.startswith(typed) else []
        return [(_LAST, f"the newest: {escape_line(prompt_of(turn), _SHOWN)}") for turn in newest] + found

    if "~" in typed:
        return _read(lambda state: _before(state, typed), offline=offline)
    if typed.startswith("@"):
        return [(f"@{name}", words) for name, words in chain_names(typed[1:], offline=offline)]
    at_heads = [] if typed else [(f"@{name}", words) for name, words in chain_names("", offline=offline)]
    return _read(recent, offline=offline) + at_heads


def batch_ids(typed: str, *, offline: bool = False) -> Suggestions:
    """`last`, and the batches that were submitted last, as far as they begin as typed."""

    def recent(state: State) -> Suggestions:
        found = [batch for batch in state.batches.newest(None, _SEARCHED) if is_plain_id(batch.id)]
        words = [escape_line(f"{batch.status} {batch.file or ''}".rstrip(), _SHOWN) for batch in found]
        newest = [(_LAST, f"the newest: {words[0]}")] if found else []
        offers = [*newest, *((batch.id, said) for batch, said in zip(found, words, strict=True))]
        return [offer for offer in offers if offer[0].startswith(typed)][: _RECENT + 1]

    return _read(recent, offline=offline)


def _before(state: State, typed: str) -> Suggestions:
    """`last~1`, `@CHAIN~1`, `ID~1` and so on: the turns before the one that is named, as far as they begin as typed."""
    base = typed.rpartition("~")[0]
    if base.startswith("@"):
        chain = state.chains.get(base[1:])
        turn = chain.last if chain else None
    else:
        found = state.turns.newest(limit=1) if base == _LAST else state.turns.meant(base, limit=2)
        turn = found[0] if len(found) == 1 else None
    earlier = state.turns.lineage(turn, _RECENT)[-2::-1] if turn else []
    offers = [(f"{base}~{n}", escape_line(prompt_of(one), _SHOWN)) for n, one in enumerate(earlier, 1)]
    return [offer for offer in offers if offer[0].startswith(typed)]


def _offered(state: State, response_id: str, typed: str) -> str:
    """The id as it is inserted: whole, but short of one that is as long as those of some gateways, if it begins so."""
    short = state.turns.shown_if_long(response_id)
    return short if short.startswith(typed) else response_id


def used_models(*, offline: bool = False) -> list[str]:
    """The models of recorded turns, the last used first."""
    return [name for name, _ in _read(lambda state: [(name, "") for name in state.turns.models()], offline=offline)]


def profile_names(typed: str) -> Suggestions:
    """The profiles of the config file that begin as typed."""
    try:
        profiles = load_file({**os.environ, "COMETRESP_PROFILE": ""}).table.get("profile", {})
    except CometrespError:
        return []
    return _begun(profiles, typed)


def server_names(typed: str) -> Suggestions:
    """The MCP servers of the config file and its profile that begin as typed."""
    try:
        return _begun(load_file(os.environ).entries("mcp"), typed)
    except CometrespError:
        return []


def _begun(names: Iterable[str], typed: str) -> Suggestions:
    return [(name, "") for name in names if name.startswith(typed) and escape_line(name) == name]


def _read(what: Callable[[State], Suggestions], *, offline: bool) -> Suggestions:
    """What is read from the state file; nothing where it can't be read."""
    try:
        folder = load(os.environ, offline=offline).state_dir
        state = State.open(folder, create=False, mend=False, patience=Patience(_SECONDS))
        if state is None:
            return []
        with state:
            return what(state)
    except CometrespError:
        return []
