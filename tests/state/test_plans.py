"""What SQLite does for the statements that commands run: none looks at every turn, however many are recorded."""

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cometresp.state.records import Ending, NewTurn, Settings, Turn
from cometresp.state.state import State
from tests.state.files import opened

URL = "u"
# Tables of a few rows, and what statements made by way of an index (`line`, `used`, `own`, …).
FEW = ("sqlite_master", "looked", "servers", "batches", "line", "used", "own", "needed", "chosen", "extracted")
HARMLESS = re.compile(r"FROM turns +ORDER BY n DESC LIMIT \d+$|WHERE 0$")  # which read so many rows, and none


def grown(folder: Path) -> State:
    """Three chains of some turns, one a branch of another, and a turn that was left to the server."""
    state = opened(folder)
    for name in ("a", "b", "c"):
        for _ in range(3):
            recorded(state, name)
    head = state.chains.get("a")
    assert head is not None
    recorded(state, "branch", head.head)
    recorded(state, "a", head.head, status="queued")
    return state


def recorded(state: State, name: str, parent: Turn | None = None, status: str = "completed") -> int:
    chain = state.chains.get(name)
    parent = parent or (chain.head if chain else None)
    asked = [{"role": "user", "content": f"question of {name}"}]
    settings = Settings("be brief", [{"type": "web_search"}])
    new = NewTurn(name, URL, "m", settings, asked, restarts=parent is None, parent=parent)
    n, _ = state.turns.begin(new, f"resp_{name}_{time.monotonic_ns()}_{'x' * 60}")
    state.turns.finish(n, Ending(status, {"input_tokens": 1}, []), good=status == "completed")
    return n


def head_of(state: State, name: str = "a") -> Turn:
    chain = state.chains.get(name)
    assert chain is not None
    assert chain.head is not None
    return chain.head


STEPS: dict[str, Callable[[State], object]] = {
    "ask": lambda state: recorded(state, "new"),
    "continue": lambda state: recorded(state, "a"),
    "the check before continue": State.check_writable,
    "what continue reads": lambda state: (
        state.turns.pending_after(head_of(state), "a"),
        state.servers.takes_no_previous(URL),
        state.unanswered.of("a"),
    ),
    "chains": lambda state: (state.chains.listed([], words=9), state.servers.without_previous()),
    "chains at TAB": lambda state: (
        state.chains.beginning("", 9, words=9),
        state.chains.beginning("b", 9, words=9),
    ),
    "ids at TAB": lambda state: (
        state.turns.recent("resp", 9, among=99),
        state.turns.lineage(head_of(state), 9),
        state.turns.models(),
    ),
    "replay": lambda state: state.turns.lineage(head_of(state, "branch")),
    "an earlier turn": lambda state: state.turns.back(head_of(state), 1),
    "a deleted turn": lambda state: state.turns.was_deleted(head_of(state)),
    "answers": lambda state: state.turns.answers_to(head_of(state), ["call_1"]),
    "log": lambda state: (
        state.turns.newest(limit=9),
        state.turns.newest(chain="a", limit=9),
        state.turns.at(2),
    ),
    "ids": lambda state: (
        state.turns.get(head_of(state).id, base_url=URL),
        state.turns.meant("resp_a", limit=9),
        state.turns.meant("resp_a_1...xxxxxxxxxx", limit=9),
        state.turns.shown_id(head_of(state).id),
    ),
    "delete": lambda state: state.turns.mark_deleted(head_of(state).id, URL),
    "an output": lambda state: state.turns.keep_output(2, {"type": "function_call_output", "call_id": "x"}),
    "chains set": lambda state: state.chains.set_head("other", head_of(state).id, base_url=URL, model=None),
    "a failed start": lambda state: state.chains.restart("a"),
    "chains rename": lambda state: state.chains.rename("a", "z"),
    "chains rm": lambda state: state.chains.remove(["a", "branch"]),
    "usage": lambda state: [state.turns.sums(by) for by in ("day", "model", "chain", "profile")],
    "usage since a time": lambda state: state.turns.sums("day", 1.0),
    "log -q": lambda state: state.turns.newest(words=["question"], limit=9),
    "log -q --chain": lambda state: state.turns.newest(words=["question"], chain="a", limit=9),
    "chains prune": lambda state: state.chains.prune(1.0),
    "batches": lambda state: (state.batches.newest(URL, 9), state.batches.beginning(URL, "batch", 9)),
}

# Commands that can only do their work by looking at every turn or chain, by the tables that they look through.
# `log -q` isn't among them: it reads page by page, by number, until it has found enough.
LOOKS_AT_EVERY: dict[str, tuple[set[str], str]] = {
    "usage": ({"turns"}, "a sum without --since is of all turns"),
    "usage since a time": ({"turns"}, "no index has the times of turns without text: it would be written with each"),
    "chains": ({"chains"}, "it lists every chain"),
    "chains at TAB": ({"chains"}, "the first of all chains are offered by when they were used"),
    "chains prune": ({"turns"}, "what no chain needs is known when all chains were followed"),
}


@pytest.mark.parametrize("name", STEPS)
def test_no_statement_of_a_command_looks_at_every_turn(tmp_path: Path, name: str) -> None:
    with closing(grown(tmp_path / "s")) as state:
        db = state._database.connection  # noqa: SLF001
        seen: list[str] = []
        db.set_trace_callback(seen.append)
        STEPS[name](state)
        db.set_trace_callback(None)
    plans = [
        plan_of(tmp_path / "s" / "state.db", statement)
        for statement in dict.fromkeys(seen)
        if not HARMLESS.search(statement)
    ]
    scanned = {table for plan in plans for step in plan if (table := scanned_by(step))}
    tables, _ = LOOKS_AT_EVERY.get(name, (set(), ""))
    assert len(seen) > 1
    assert scanned == tables


def plan_of(path: Path, statement: str) -> list[str]:
    if not re.match(r"\s*(SELECT|WITH|UPDATE|DELETE|INSERT)\b", statement):
        return []
    with closing(sqlite3.connect(path)) as db:
        return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]


def scanned_by(step: str) -> str | None:
    """The table whose every row a step of a plan looks at; None for one that has few, or what the statement made."""
    found = re.match(r"SCAN (\w+)", step)
    return found[1] if found and found[1] not in FEW else None
