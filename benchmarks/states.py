"""State files of many turns: `make` writes one."""

import json
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

from cometresp.state.state import State

Shape = Literal["chains", "one", "branches"]
SHAPES: tuple[Shape, ...] = ("chains", "one", "branches")
CHAINS = 5_000
RARE = "heliotrope"  # a word of one old turn alone
_TEXT = (
    "the of and a to in is that it was for on are as with they be at one have this from or had by but some what there"
    " we can out other were all your when use up how said each which their time will way about many then them would"
    " write like these her long make thing see him two has look more day could go come did my sound no most number who"
    " over know water than call first people may down side been now find — “yes” naïve façade Größe"
)
_WORDS = _TEXT.split()
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
    answer: int = 2_400,
) -> Path:
    """Write a state file whose turns have answers of so many characters; returns its path.

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
        said = " ".join(of.choices(_WORDS, k=answer // 5))
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
