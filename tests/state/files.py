"""State files for tests: opened, new, or of version 1."""

import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from cometresp.state.state import State
from tests.called import popen
from tests.conftest import Command
from tests.scripted import Request, Wire, text_stream

VERSION_1 = Path(__file__).parent / "state_v1.sql"


def named_by_prompt(wire: Wire) -> None:
    """Every answer gets an id of its own, told by the request's prompt."""

    def answer(request: Request, connection: object) -> None:
        connection.sendall(text_stream("x", response_id=f"resp_{request.json()['input'][:60]}"))  # type: ignore[attr-defined]

    wire.answer(answer)


def at_once(run: Command, commands: list[list[str]]) -> list[int]:
    processes = [popen(run, *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for words in commands]
    return [process.wait(60) for process in processes]


def opened(directory: Path) -> State:
    state = State.open(directory)
    assert state is not None
    return state


def execute(folder: Path, sql: str, *values: object) -> None:
    """Change the state file behind the program's back."""
    with closing(sqlite3.connect(folder / "state.db", isolation_level=None)) as db:
        db.execute(sql, values)


def old_file(directory: Path, base_url: str) -> Path:
    """A state file of version 1 whose turns were begun just now."""
    directory.mkdir(parents=True)
    with closing(sqlite3.connect(directory / "state.db")) as db:
        db.executescript(VERSION_1.read_text())
        db.execute("UPDATE turns SET base_url = ?, created = ?", (base_url, time.time()))
        db.commit()
    return directory / "state.db"
