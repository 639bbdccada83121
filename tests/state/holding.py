"""Holding the state file as a stuck process does: by the lock of its folder, or by SQLite's own."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def folder_held(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def file_held(path: Path, kind: str = "EXCLUSIVE") -> Iterator[None]:
    """By a transaction that is never ended; with DEFERRED one that only reads."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"BEGIN {kind}")
        db.execute("SELECT count(*) FROM turns").fetchone()
        yield
