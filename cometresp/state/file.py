"""The state file as a file: its version, its lock, its damage. What is in it is defined elsewhere."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cometresp.state.migrations import STEPS

VERSION = len(STEPS)
_APPLICATION_ID = 0x636F6D74  # "comt"
_BUSY_SECONDS = 60.0
_ONE_WAIT = 0.02  # seconds that SQLite itself waits, during which no signal is handled
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def prepare(directory: Path, path: Path) -> None:
    """The directory 0700 and the file 0600 before anything is in them."""
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_ONE_WAIT, isolation_level=None)
    try:
        _check(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection, path: Path) -> None:
    """Check that the file is cometresp's. A new one gets its tables, an older one is migrated to this version."""
    db.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten
    patiently(db, "BEGIN", "SELECT 1 FROM sqlite_master")
    version = _version(db, path)
    db.execute("ROLLBACK")
    while version < VERSION:
        patiently(db, "BEGIN IMMEDIATE")
        version = _version(db, path)  # another process may have been faster
        if version < VERSION:
            STEPS[version](db)
            version += 1
            db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {version}")
        patiently(db, "COMMIT")


def _version(db: sqlite3.Connection, path: Path) -> int:
    """The version of the file, 0 for an empty one. Raises OSError for another program's or a newer one."""
    application, version, tables = _identity(db)
    if application == _APPLICATION_ID and version > VERSION:
        raise OSError(None, f"it was written by a newer cometresp (its version is {version}, this one's {VERSION})")
    if application not in (0, _APPLICATION_ID) or (application == 0 and tables):
        raise OSError(None, f"{path.name} belongs to another program")
    return version if application else 0


def patiently(db: sqlite3.Connection, *statements: str) -> None:
    """Execute statements that may find the file locked: retry for a minute, so that signals are handled in between."""
    deadline = time.monotonic() + _BUSY_SECONDS
    for statement in statements:
        while True:
            try:
                db.execute(statement).fetchone()
                break
            except sqlite3.OperationalError as error:
                if _code(error) not in _LOCKED or time.monotonic() > deadline:
                    raise
                import random

                time.sleep(random.uniform(0.001, _ONE_WAIT))  # noqa: S311 - only to be out of step with the others


def file_of(path: Path) -> tuple[int, int]:
    """Device and inode of the file: they differ once another file has its name."""
    try:
        facts = path.stat()
    except OSError:
        return 0, 0
    return facts.st_dev, facts.st_ino


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether SQLite reports that the file is no database, or a damaged one."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; errors of the Python module itself have none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _identity(db: sqlite3.Connection) -> tuple[int, int, int]:
    asked = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    application, version, tables = (db.execute(statement).fetchone()[0] for statement in asked)
    return application, version, tables


def set_aside(path: Path) -> Path:
    """Move a damaged file, and its journal, out of the way under a dated name that is free."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"state.damaged-{stamp}.db")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"state.damaged-{stamp}-{number}.db")
    path.rename(aside)
    journal = path.with_name(path.name + "-journal")
    if journal.exists():
        journal.rename(aside.with_name(aside.name + "-journal"))
    return aside


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """One process at a time opens the file, so that no one sets aside the new file that another has just made."""
    try:
        import fcntl
    except ImportError:  # Windows can't rename a file that is open: there the rename itself is the lock
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
