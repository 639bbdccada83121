"""Many processes on one state file, and `kill -9` in their midst: `python benchmarks/many.py`, cometresp installed.

64 processes hold 10 turns each on 8 chains, against a local server; then `continue` is killed at 200 random moments.
Prints what was found; the exit code is 1 where something is lost or torn. `--seed N` repeats the moments.
"""

import argparse
import itertools
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from cometresp.state.records import Turn
from cometresp.state.state import State
from tests.scripted import Request, Wire, created, delta, ended, frames, message, response, serving, sse

COMMAND = [sys.executable, "-m", "cometresp"]
PROCESSES, TURNS, CHAINS, KILLS = 64, 10, 8, 200
PIECES, PAUSE = 5, 0.01  # of an answer on its way, so that a kill can fall between two


class Done(NamedTuple):
    chain: str
    code: int
    id: str  # the answer is the response's id
    moved_on: bool


class Ground:
    """A home with a state file, a server that gives every answer an id of its own, and what it was asked."""

    def __init__(self, home: Path, wire: Wire) -> None:
        self.directory = home / "state"
        self.previous: dict[str, str | None] = {}  # the id that each response was asked to go on from
        self._numbers = itertools.count(1)
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "COMETRESP_STATE_DIR": str(self.directory),
            "COMETRESP_NO_STDIN": "1",
            "COMETAPI_KEY": "sk-none",
            "COMETAPI_BASE_URL": wire.url,
            "COMETAPI_DEFAULT_MODEL": "m",
        }
        wire.answer(self._answer)

    def _answer(self, request: Request, connection: socket.socket) -> None:
        name = f"resp_{next(self._numbers)}"
        self.previous[name] = request.json().get("previous_response_id")
        connection.sendall(sse(created(name)))
        for n in range(PIECES):
            connection.sendall(frames([delta(name if n == 0 else "")]))
            time.sleep(PAUSE)
        connection.sendall(frames([ended(response(message(name), response_id=name))]))

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*COMMAND, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environ,
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


def together(ground: Ground, _: random.Random) -> list[str]:
    """Many processes at once: what is wrong afterwards."""
    names = [f"chain{n}" for n in range(CHAINS)]
    roots = [ground.turn("ask", name) for name in names]
    began = time.perf_counter()
    with ThreadPoolExecutor(PROCESSES) as pool:
        held = pool.map(lambda n: [ground.turn("continue", names[n % CHAINS]) for _ in range(TURNS)], range(PROCESSES))
        turns = [turn for some in held for turn in some]
    seconds = time.perf_counter() - began
    with closing(ground.state()) as state:
        found = state.turns.newest()
        heads = {name: chain.head for name in names if (chain := state.chains.get(name))}
        lines = {name: state.turns.lineage(head) if head else [] for name, head in heads.items()}
    wrong = [*torn(found, ground.previous), *unsound(ground.directory)]
    wrong += [f"a turn ended with {turn.code}" for turn in (*roots, *turns) if turn.code]
    recorded = {turn.id: turn for turn in found if turn.status == "completed"}
    wrong += [f"{turn.id} is not recorded" for turn in (*roots, *turns) if turn.id not in recorded]
    if len(found) != len(turns) + len(roots):
        wrong.append(f"{len(found)} turns are recorded")
    for name in names:
        line = {turn.id for turn in lines.get(name, [])}
        told = {turn.id for turn in turns if turn.chain == name and turn.moved_on}
        all_of_it = {turn.id for turn in (*roots, *turns) if turn.chain == name}
        if line != all_of_it - told:
            wrong.append(f"{name}: the line of its head isn't the turns that weren't told that it moved on")
    forks = sum(turn.moved_on for turn in turns)
    print(f"{PROCESSES} processes, {TURNS} turns each, {CHAINS} chains, one state file: {seconds:.0f} s")
    print(f"  exit 0                {sum(turn.code == 0 for turn in turns)} of {len(turns)}")
    print(f"  recorded              {sum(turn.id in recorded for turn in turns)} of {len(turns)}, {len(roots)} roots")
    print(f"  moved on meanwhile    {forks}, each told")
    print(f"  longest line          {max(map(len, lines.values()))} turns")
    return wrong


def killed(ground: Ground, moments: random.Random) -> list[str]:
    """`kill -9` at random moments: what is wrong after any of them."""
    wrong = []
    first = ground.turn("ask", "killed")
    began = time.perf_counter()
    good = {ground.turn("continue", "killed").id, first.id}
    typical = time.perf_counter() - began
    ended_as: Counter[str] = Counter()
    for _ in range(KILLS):
        process = ground.start("continue", "--chain", "killed", "go on")
        try:
            process.wait(moments.uniform(0, typical * 1.2))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        out, err = process.communicate()
        name = out.decode().strip()
        if process.returncode == 0:
            good.add(name)
            ended_as["exit 0"] += 1
        elif process.returncode == -signal.SIGKILL:
            ended_as["killed, with text shown" if name else "killed, nothing shown"] += 1
        else:
            wrong.append(f"exit {process.returncode}: {err.decode()}")
        wrong += after_a_kill(ground, good)
    with closing(ground.state()) as state:
        found = state.turns.newest(chain="killed")
        left = Counter(turn.status for turn in found)
    wrong += [*torn(found, ground.previous), *unsound(ground.directory)]
    if ground.turn("continue", "killed").code:
        wrong.append("the chain doesn't go on")
    print(f"kill -9 of continue at {KILLS} random moments within {typical * 1.2:.2f} s")
    for what, many in sorted(ended_as.items()):
        print(f"  {what:<25} {many}")
    print(f"  recorded as           {', '.join(f'{status} {many}' for status, many in sorted(left.items()))}")
    return wrong


def after_a_kill(ground: Ground, good: set[str]) -> Iterator[str]:
    with closing(ground.state()) as state:
        if state.reports:
            yield f"opened with {state.reports}"
        row = state.chains.get("killed")
        if row is None or row.head is None or row.head.status != "completed":
            yield f"the head is {row and row.head}"
        missing = good - {turn.id for turn in state.turns.newest(chain="killed") if turn.status == "completed"}
        if missing:
            yield f"missing: {missing}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    seed = parser.parse_args().seed
    wrong = []
    for trial in (together, killed):
        with tempfile.TemporaryDirectory() as home, serving() as wire:
            wrong += trial(Ground(Path(home), wire), random.Random(seed))
    print("nothing is lost or torn" if not wrong else "\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
