"""A state file that can't be used."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.matrix.fault import Around, Fault
from tests.scripted import Wire, text_stream

FOLDER = Path(".local/state/cometresp")
GOOD = text_stream("whole")


def changing(change: Callable[[Path], object]) -> Around:
    """The state file is changed before the command runs."""

    @contextmanager
    def around(home: Path, _: Wire) -> Iterator[None]:
        change(home / FOLDER / "state.db")
        yield

    return around


def running(statement: str) -> Around:
    def change(path: Path) -> None:
        with sqlite3.connect(path) as db:
            db.execute(statement)
        db.close()

    return changing(change)


def written(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)


def replaced_by_a_file(path: Path) -> None:
    path.unlink()
    for other in path.parent.iterdir():
        other.unlink()
    path.parent.rmdir()
    path.parent.write_text("mine")


@contextmanager
def database_locked(home: Path, _: Wire) -> Iterator[None]:
    db = sqlite3.connect(home / FOLDER / "state.db")
    db.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        db.close()


@contextmanager
def folder_locked(home: Path, _: Wire) -> Iterator[None]:
    lock = os.open(home / FOLDER, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


FAULTS = [
    Fault("its folder is a file", GOOD, around=changing(replaced_by_a_file)),
    Fault("the file isn't a database", GOOD, around=changing(lambda path: path.write_bytes(b"no database" * 1000))),
    Fault("the file is empty", GOOD, around=changing(lambda path: path.write_bytes(b""))),
    Fault("the file is cut", GOOD, around=changing(lambda path: os.truncate(path, 5000))),
    Fault("a page is overwritten", GOOD, around=changing(lambda path: written(path, 4096, b"\xff" * 4096))),
    Fault("the file is of another program", GOOD, around=running("PRAGMA application_id = 7")),
    Fault("the file is of a newer version", GOOD, around=running("PRAGMA user_version = 99")),
    Fault("a table is missing", GOOD, around=running("DROP TABLE chains")),
    Fault("settings that are null", GOOD, around=running("UPDATE turns SET settings = 'null'")),
    Fault("a time that is text", GOOD, around=running("UPDATE turns SET created = 'abc'")),
    Fault("a time beyond all calendars", GOOD, around=running("UPDATE turns SET created = 1e300")),
    Fault("a number that is text", GOOD, around=running("UPDATE turns SET number = 'x'")),
    Fault("items that are no JSON", GOOD, around=running("UPDATE turns SET input = '{', output = '['")),
    Fault("an id that is a BLOB", GOOD, around=running("UPDATE turns SET id = x'ff00' WHERE id = 'resp_0'")),
    Fault("another process holds the database", GOOD, around=database_locked),
    Fault("another process holds the folder", GOOD, around=folder_locked),
]
