"""Many processes on one state file, and `kill -9` in their midst: nothing may be lost or torn.

64 processes hold 10 turns each on 8 chains; then `continue` is killed at 200 random moments.
"""

import itertools
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from benchmarks.ground import Ground
from benchmarks.servers import STREAM_HEAD, Answer, Request, around, deltas
from benchmarks.table import Row, alone
from cometresp.state.records import Turn
from cometresp.state.state import State

PAUSE = 0.01  # between the deltas of an answer, so that a kill can fall between two


class LostError(Exception):
    """Turns were lost or torn."""


class Done(NamedTuple):
    chain: str
    code: int
    id: str  # the answer is the response's id
    moved_on: bool


class House:
    """A state file, a server that gives every answer an id of its own, and what it was asked.

    The text of an answer is its id, in five deltas.
    """

    def __init__(self, ground: Ground, name: str) -> None:
        self.directory = ground.home / name
        self.previous: dict[str, str | None] = {}  # the id that each response was asked to continue
        self._ground = ground
        self._numbers = itertools.count(1)
        ground.server.script = self._answer

    def _answer(self, request: Request, connection: socket.socket) -> None:
        number = f"{next(self._numbers):035x}"
        name = f"resp_{number}"
        self.previous[name] = request.body.get("previous_response_id")
        answer = Answer(5, name, len(name) // 5)
        before, after = around(answer, number, request.body)
        connection.sendall(STREAM_HEAD + before)
        for frame in deltas(answer):
            connection.sendall(frame)
            time.sleep(PAUSE)
        connection.sendall(after)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        command = self._ground.ours(*words, state=self.directory)
        return subprocess.Popen(
            command.words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(command.environ),
        )

    def turn(self, verb: str, chain: str) -> Done:
        process = self.start(verb, "--chain", chain, "go on")
        out, err = process.communicate()
        if process.returncode:
            sys.stderr.write(err.decode())
        return Done(chain, process.returncode, out.decode().strip(), b"moved on meanwhile" in err)

    def state(self) -> State:
        state = State.open(self.directory)
        assert state is not None
        return state


def torn(found: list[Turn], previous: dict[str, str | None]) -> Iterator[str]:
    """What is wrong with the trees that the turns make."""
    by_number = {turn.n: turn for turn in found}
    for turn in found:
        if turn.previous_id != previous.get(turn.id):
            yield f"{turn.id} is recorded to go on from {turn.previous_id}, asked was {previous.get(turn.id)}"
        if turn.parent is None:
            continue
        parent = by_number.get(turn.parent)
        if parent is None:
            yield f"the parent of {turn.id} is missing"
        elif (parent.chain, parent.id, parent.number + 1) != (turn.chain, turn.previous_id, turn.number):
            yield f"the parent of {turn.id} is another one"
    for chain, roots in Counter(turn.chain for turn in found if turn.parent is None).items():
        if roots != 1:
            yield f"{chain} has {roots} roots"


def unsound(directory: Path) -> Iterator[str]:
    with closing(sqlite3.connect(directory / "state.db")) as db:
        if (said := db.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            yield f"integrity_check: {said}"


def rows(ground: Ground) -> Iterator[Row]:
    """What was lost or torn, after each of two trials. Raises LostError at the end if there was any."""
    wrong = []
    for trial in (_together, _killed):
        row, found = trial(ground, random.Random(ground.plan.seed))
        wrong += found
        yield row
    ground.server.script = None
    if wrong:
        raise LostError("\n".join(wrong))


Found = tuple[Row, list[str]]


def _together(ground: Ground, _: random.Random) -> Found:
    """Many processes at once."""
    processes, turns, chains = ground.size(64, 2), ground.size(10, 1), ground.size(8, 1)
    house, names = House(ground, "together"), [f"chain{n}" for n in range(chains)]
    roots = [house.turn("ask", name) for name in names]
    began = time.monotonic()
    with ThreadPoolExecutor(processes) as pool:
        held = pool.map(lambda n: [house.turn("continue", names[n % chains]) for _ in range(turns)], range(processes))
        done = [turn for some in held for turn in some]
    seconds = time.monotonic() - began
    wrong = _lost(house, names, [*roots, *done])
    forks = sum(turn.moved_on for turn in done)
    what = f"{processes} processes, {turns} turns each, {chains} chains: lost or torn"
    said = f"{seconds:.0f} s, {forks} of {len(done)} were told that the chain moved on"
    return alone(what, [len(wrong)], "turns", bound=0, beside=said), wrong


def _lost(house: House, names: list[str], done: list[Done]) -> list[str]:
    """What is wrong after these turns."""
    with closing(house.state()) as state:
        found = state.turns.newest()
        heads = {name: chain.head for name in names if (chain := state.chains.get(name))}
        lines = {name: state.turns.lineage(head) if head else [] for name, head in heads.items()}
    wrong = [*torn(found, house.previous), *unsound(house.directory)]
    wrong += [f"a turn ended with {turn.code}" for turn in done if turn.code]
    recorded = {turn.id: turn for turn in found if turn.status == "completed"}
    wrong += [f"{turn.id} is not recorded" for turn in done if turn.id not in recorded]
    if len(found) != len(done):
        wrong.append(f"{len(found)} turns are recorded")
    for name in names:
        line = {turn.id for turn in lines.get(name, [])}
        told = {turn.id for turn in done if turn.chain == name and turn.moved_on}
        all_of_it = {turn.id for turn in done if turn.chain == name}
        if line != all_of_it - told:
            wrong.append(f"{name}: the line of its head isn't the turns that weren't told that it moved on")
    return wrong


def _killed(ground: Ground, moments: random.Random) -> Found:
    """`kill -9` at random moments."""
    house, kills = House(ground, "killed"), ground.size(200, 3)
    first = house.turn("ask", "killed")
    began = time.monotonic()
    good = {house.turn("continue", "killed").id, first.id}
    typical = time.monotonic() - began
    wrong: list[str] = []
    ended_as: Counter[str] = Counter()
    for _ in range(kills):
        process = house.start("continue", "--chain", "killed", "go on")
        try:
            process.wait(moments.uniform(0, typical * 1.2))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        out, err = process.communicate()
        name = out.decode().strip()
        if process.returncode == 0:
            good.add(name)
            ended_as["not killed"] += 1
        elif process.returncode == -signal.SIGKILL:
            ended_as["killed, with text shown" if name else "killed, nothing shown"] += 1
        else:
            wrong.append(f"exit {process.returncode}: {err.decode()}")
        wrong += after_a_kill(house, good)
    with closing(house.state()) as state:
        found = state.turns.newest(chain="killed")
    wrong += [*torn(found, house.previous), *unsound(house.directory)]
    if house.turn("continue", "killed").code:
        wrong.append("the chain can't be continued")
    statuses = Counter(f"recorded as {turn.status}" for turn in found)
    said = ", ".join(f"{what} {many}" for what, many in (*sorted(ended_as.items()), *sorted(statuses.items())))
    what = f"`kill -9` of `continue` at {kills} random moments: lost or torn"
    return alone(what, [len(wrong)], "turns", bound=0, beside=said), wrong


def after_a_kill(house: House, good: set[str]) -> Iterator[str]:
    with closing(house.state()) as state:
        if state.reports:
            yield f"opened with {state.reports}"
        row = state.chains.get("killed")
        if row is None or row.head is None or row.head.status != "completed":
            yield f"the head is {row and row.head}"
        missing = good - {turn.id for turn in state.turns.newest(chain="killed") if turn.status == "completed"}
        if missing:
            yield f"missing: {missing}"
