"""State files of an older version: whatever happens meanwhile, they are of one version or the next."""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from cometresp.errors import OutputError
from cometresp.state import file as state_file
from cometresp.state.migrations import STEPS
from cometresp.state.records import Settings
from cometresp.state.state import State
from tests.conftest import Command
from tests.recorded import recorded, state_path
from tests.scripted import Wire, call, message
from tests.state.files import at_once, named_by_prompt, old_file, opened


def tables(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as db:
        return sorted(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_an_old_file_is_migrated_and_goes_on(ask: Command, wire: Wire) -> None:
    path = old_file(state_path(ask).parent, wire.url)
    named_by_prompt(wire)
    assert ask("continue", "new").code == 0
    assert wire.bodies() == [
        {
            "model": "m2",
            "instructions": "be brief",
            "input": "new",
            "tools": [{"type": "function", "name": "weather", "parameters": {}}],
            "previous_response_id": "r3",
            "stream": True,
        }
    ]
    heads = {row["name"]: (row["head"], row["pending"]) for row in json.loads(ask("chains", "--json").out)}
    assert heads == {"default": ("resp_new", None), "other": ("r5", None), "late": (None, "bg")}
    assert json.loads(ask("chains", "show", "other", "--json").out) == [
        {"role": "user", "content": "a"},
        call(),
        {"type": "function_call_output", "call_id": "call_1", "output": "4"},
        message("4 degrees"),
        {"role": "user", "content": "d"},
        message("branch"),
    ]
    statuses = [(turn["id"], turn["status"]) for turn in json.loads(ask("log", "--json").out)]
    assert statuses == [
        ("resp_new", "completed"),
        ("bg", "queued"),
        ("r5", "completed"),
        ("r4", "cut"),
        ("r3", "completed"),
        ("r2", "completed"),
        ("r1", "completed"),
    ]
    assert version(path) == state_file.VERSION


def test_a_migrated_file_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    path = old_file(tmp_path / "old", "u")
    opened(tmp_path / "old").close()
    opened(tmp_path / "new").close()
    assert tables(path) == tables(tmp_path / "new" / "state.db")


def test_settings_survive_the_migration(tmp_path: Path) -> None:
    path = old_file(tmp_path / "old", "u")
    with closing(sqlite3.connect(path)) as db:
        db.execute("""UPDATE turns SET settings = '{"store": false, "conversation": "conv"}' WHERE id = 'r4'""")
        db.execute("UPDATE turns SET settings = 'broken' WHERE id = 'bg'")
        db.commit()
    tools = [{"type": "function", "name": "weather", "parameters": {}}]
    with closing(opened(tmp_path / "old")) as state:
        assert {turn.id: turn.settings for turn in state.turns.newest()} == {
            "r1": Settings("be brief", tools),
            "r2": Settings("be brief", tools),
            "r3": Settings("be brief", tools),
            "r4": Settings(store=False, conversation="conv"),
            "r5": Settings("be brief"),
            "bg": Settings(),
        }


def test_many_processes_open_an_old_file_at_once(ask: Command, wire: Wire) -> None:
    old_file(state_path(ask).parent, wire.url)
    named_by_prompt(wire)
    assert set(at_once(ask, [["ask", "--chain", f"c{n}", f"n{n}"] for n in range(8)])) == {0}
    assert set(recorded(ask)) == {"r1", "r2", "r3", "r4", "r5", "bg", *(f"resp_n{n}" for n in range(8))}


def test_a_migration_that_stops_midway_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old_file(tmp_path / "old", "u")
    before = tables(path)
    real = STEPS[1]

    def stopping(db: sqlite3.Connection) -> None:
        real(db)
        raise KeyboardInterrupt

    monkeypatch.setattr(state_file, "STEPS", (STEPS[0], stopping))
    with pytest.raises(KeyboardInterrupt):
        State.open(tmp_path / "old")
    assert (version(path), tables(path)) == (1, before)
    monkeypatch.undo()
    with closing(opened(tmp_path / "old")) as state:
        assert len(state.turns.newest()) == 6
    assert version(path) == state_file.VERSION


def test_a_file_that_a_newer_one_migrates_meanwhile_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_file(tmp_path / "old", "u")
    with closing(sqlite3.connect(path, isolation_level=None)) as newer:

        def migrate(*_: object) -> None:
            """What the newer one does while this one, which has seen version 1, waits for its turn."""
            if newer.in_transaction:
                newer.execute("PRAGMA user_version = 99")
                newer.execute("COMMIT")

        newer.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(threading.Event, "wait", migrate)
        with pytest.raises(OutputError, match="newer cometresp"):
            State.open(tmp_path / "old")
        assert not newer.in_transaction
    assert version(path) == 99


KILLED = """
import os, signal, sys
from pathlib import Path
from cometresp.state import file
from cometresp.state.state import State

def killed(db):
    file.migrations_last(db)
    os.kill(os.getpid(), signal.SIGKILL)

file.migrations_last = file.STEPS[4]
file.STEPS = (*file.STEPS[:4], killed)
State.open(Path(sys.argv[1]))
"""


def test_a_large_file_whose_migration_is_killed_is_still_of_its_version(tmp_path: Path) -> None:
    path = version_4(tmp_path, turns=20_000)
    before = tables(path)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.with_name("state.db-journal").stat().st_size > 0  # the file was being written
    assert (version(path), tables(path)) == (4, before)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT count(*), max(n) FROM turns").fetchone() == (20_000, 20_000)
    with closing(opened(tmp_path)) as state:
        [chain] = state.chains.listed([], words=9)
        assert (chain.head, chain.turns, chain.words) == (f"resp_{20_000:060}", 20_000, "question")
    assert version(path) == state_file.VERSION


def version_4(directory: Path, *, turns: int) -> Path:
    """A state file of version 4 with one chain of so many turns."""
    path = directory / "state.db"
    with closing(sqlite3.connect(path)) as db:
        for step in STEPS[:4]:
            step(db)
        db.execute("PRAGMA application_id = 0x636F6D74")
        db.execute("PRAGMA user_version = 4")
        asked = '[{"role": "user", "content": "question"}]'
        db.executemany(
            "INSERT INTO turns (n, id, parent, chain, number, base_url, settings, status, created, input)"
            " VALUES (?, ?, ?, 'a', ?, 'u', '{}', 'completed', ?, ?)",
            ((n, f"resp_{n:060}", n - 1 or None, n, time.time(), asked) for n in range(1, turns + 1)),
        )
        db.execute("INSERT INTO chains (name, head, used) VALUES ('a', ?, ?)", (turns, time.time()))
        db.commit()
    return path
