"""State files of many turns, and what commands cost with them: `python benchmarks/states.py [TURNS]`.

`make` writes a file. The program prints, for each shape, the CPU of commands as a ratio to the same command with an
empty state, lower quartiles of runs in turn.
"""

import argparse
import json
import os
import random
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).parent.parent))

from cometresp.state.state import State

_ROOT = Path(__file__).parent.parent
Shape = Literal["chains", "one", "branches"]
SHAPES: tuple[Shape, ...] = ("chains", "one", "branches")
CHAINS = 5_000
RARE = "heliotrope"  # a word of one old turn alone
_WORDS = re.findall(
    r"\S+",
    """
    the of and a to in is that it was for on are as with they be at one have this from or had by but some what there we
    can out other were all your when use up how said each which their time will way about many then them would write
    like these her long make thing see him two has look more day could go come did my sound no most number who over
    know water than call first people may down side been now find — “yes” naïve façade Größe
""",
)
_COLUMNS = (
    "n, id, parent, previous_id, chain, number, base_url, model, settings, status, usage, created, ended, input, output"
)


def make(
    directory: Path,
    shape: Shape = "chains",
    *,
    turns: int = 100_000,
    chains: int = CHAINS,
    base_url: str = "http://127.0.0.1:1/v1",
    answer: int = 1_500,
) -> Path:
    """Write a state file whose turns have answers of so many characters on average; returns its path.

    `chains`: the turns are those of so many chains, taking turns. `one`: all are of one chain. `branches`: all but so
    many are of one chain, and each of the others is a branch of its last turn. `default` is the chain used last.
    """
    state = State.open(directory)
    assert state is not None
    state.close()
    path = directory / "state.db"
    with closing(sqlite3.connect(path)) as db:
        marks = ", ".join("?" * (_COLUMNS.count(",") + 1))
        rows = _rows(shape, turns, chains, base_url, answer)
        db.executemany(f"INSERT INTO turns ({_COLUMNS}) VALUES ({marks})", rows)
        db.execute("INSERT INTO chains (name, head, used) SELECT chain, max(n), max(created) FROM turns GROUP BY chain")
        db.commit()
    return path


def _rows(shape: Shape, turns: int, chains: int, base_url: str, answer: int) -> Iterator[tuple[object, ...]]:
    of = random.Random(1)
    began = time.time() - 80 * 86400
    trunk = max(turns - chains, 1)
    for n in range(1, turns + 1):
        chain, parent, number = "default", n - 1 or None, n
        if shape == "chains":
            place, back = (turns - n) % chains, n - chains
            chain = "default" if place == 0 else f"chain {place}"
            parent, number = (back, (n - 1) // chains + 1) if back > 0 else (None, 1)
        elif shape == "branches" and n > trunk:
            chain, parent, number = f"chain {n}", trunk, trunk + 1
        said = " ".join(of.choices(_WORDS, k=of.randint(1, answer // 5 * 2)))
        asked = " ".join(of.choices(_WORDS, k=60)) + (f" {RARE}" if n == turns // 50 else "")
        usage = {"input_tokens": 900 + n % 100, "output_tokens": 500, "total_tokens": 1400 + n % 100}
        item = {
            "id": f"msg_{n:048x}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": said, "annotations": []}],
        }
        created = began + n * 60 * 86400 / turns
        yield (
            *(n, _id(n), parent, _id(parent) if parent else None, chain, number, base_url, "m"),
            *('{"store": null, "conversation": null}', "completed", json.dumps(usage), created, created + 4),
            *(json.dumps([{"role": "user", "content": asked}]), json.dumps([item])),
        )


def _id(n: int) -> str:
    return f"resp_{n * 7919:08x}{n:040x}"


# what it costs ------------------------------------------------------------------------------------------------------

# A name, and the words of the command, or a line to complete.
COMMANDS: dict[str, list[str] | str] = {
    "ask": ["ask", "-q", "--chain", "bench", "hi"],
    "continue": ["continue", "-q", "hi"],
    "chains": ["chains"],
    "log": ["log"],
    "log --chain": ["log", "--chain", "default"],
    "log -q, one turn has it": ["log", "-q", RARE],
    "log -q, most turns have it": ["log", "-q", "water"],
    "usage": ["usage"],
    "a chain at TAB": "cometresp continue --chain ",
    "an id at TAB": "cometresp get ",
    "an earlier turn at TAB": "cometresp get last~",
    "a model at TAB": "cometresp ask -m ",
    "the turn before": ["get", "--dry-run", "@default~"],
}


def main() -> None:
    from tests.scripted import serving, text_stream

    parser = argparse.ArgumentParser()
    parser.add_argument("turns", type=int, nargs="?", default=100_000)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving() as wire:
        wire.answer(text_stream("hello", response_id="resp_new"))
        homes = {"empty": Path(folder, "empty")}
        for shape in SHAPES:
            homes[shape] = Path(folder, shape)
            make(homes[shape], shape, turns=given.turns, chains=given.turns // 20, base_url=wire.url)
        seed(homes["empty"], wire.url)
        print(f"| {given.turns:,} turns | empty, ms | " + " | ".join(SHAPES) + " |")
        print("|---|---|" + "---|" * len(SHAPES))
        for name, words in COMMANDS.items():
            found: dict[str, list[float]] = {home: [] for home in homes}
            for _ in range(given.runs):
                for home, path in homes.items():
                    found[home].append(cost(words, path, wire.url))
            middle = {home: sorted(values)[len(values) // 4] for home, values in found.items()}
            ratios = " | ".join(f"{middle[shape] / middle['empty']:.2f}" for shape in SHAPES)
            print(f"| {name} | {middle['empty'] * 1000:.0f} | {ratios} |", flush=True)


def seed(directory: Path, base_url: str) -> None:
    """A file of one turn, so that there is something to continue."""
    make(directory, "one", turns=2, base_url=base_url)


def cost(words: list[str] | str, directory: Path, base_url: str) -> float:
    """The CPU, in seconds, of one run."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "COMETRESP_STATE_DIR": str(directory),
        "COMETRESP_NO_STDIN": "1",
        "COMETAPI_KEY": "sk-none",
        "COMETAPI_BASE_URL": base_url,
        "COMETAPI_DEFAULT_MODEL": "m",
    }
    command = [sys.executable, "-m", "cometresp"]
    if isinstance(words, str):
        environ |= {"_COMETRESP_COMPLETE": "fish", "_COMETRESP_LINE": words}
    else:
        command += words
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environ, cwd=_ROOT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
