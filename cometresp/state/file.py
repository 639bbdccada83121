"""The state file as a file: its version, its locks, its damage. What is in it is defined elsewhere.

Reading and writing take SQLite's own lock, for as long as a transaction lasts. Only who makes the file or sets it aside
takes the lock of its folder as well, and waits for nothing else while holding it.
"""

import os
import sqlite3
import time
from contextlib import AbstractContextManager, closing
from pathlib import Path
from urllib.parse import quote

from cometresp.locks import folder_locked
from cometresp.state.migrations import STEPS
from cometresp.state.patience import ONE_TRY, Patience

VERSION = len(STEPS)
_APPLICATION_ID = 0x636F6D74  # "comt"
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_COLUMNS = "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'"


def prepare(path: Path, patience: Patience) -> None:
    """Make the file where it isn't: the folder 0700 and the file 0600 before anything is in them."""
    if path.exists():
        return
    path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with locked(path.parent, patience):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def connect(path: Path, patience: Patience) -> sqlite3.Connection:
    """The file, which must be there, with the tables of this version."""
    address = f"file:{quote(os.fsencode(path), safe='')}?mode=rw"  # SQLite would make it, with another mode
    db = sqlite3.connect(address, timeout=ONE_TRY, isolation_level=None, uri=True)
    db.text_factory = _text
    try:
        _check(db, path, patience)
    except BaseException:
        db.close()
        raise
    return db


def _text(data: bytes) -> str:
    """Text of a column; bytes that aren't UTF-8 are surrogates, by which the row is known to be damaged."""
    return data.decode(errors="surrogateescape")


def _check(db: sqlite3.Connection, path: Path, patience: Patience) -> None:
    """Check that the file is cometresp's. A new one gets its tables, an older one is migrated to this version."""
    db.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten
    patiently(db, path, patience, "BEGIN", "SELECT 1 FROM sqlite_master")
    version = version_of(db, path)
    db.execute("ROLLBACK")
    while version < VERSION:
        patiently(db, path, patience, "BEGIN IMMEDIATE")
        version = version_of(db, path)  # another process may have been faster
        if version < VERSION:
            STEPS[version](db)
            version += 1
            db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {version}")
        patiently(db, path, patience, "COMMIT")


def version_of(db: sqlite3.Connection, path: Path) -> int:
    """The version of the file, 0 for an empty one. Raises OSError for another program's or a newer one."""
    application, version, tables = _identity(db)
    if application == _APPLICATION_ID and version > VERSION:
        raise OSError(None, f"it was written by a newer cometresp (its version is {version}, this one's {VERSION})")
    if application not in (0, _APPLICATION_ID) or (application == 0 and tables):
        raise OSError(None, f"{path.name} belongs to another program")
    return max(version, 0) if application else 0


def patiently(db: sqlite3.Connection, path: Path, patience: Patience, *statements: str) -> None:
    """Execute statements that may find the file locked. Raises LockedError where that lasts too long."""
    for statement in statements:
        for _ in patience.tries(f"the state file {path}", path):
            try:
                db.execute(statement).fetchone()
                break
            except sqlite3.OperationalError as error:
                if not is_locked(error):
                    raise


def file_of(path: Path) -> tuple[int, int]:
    """Device and inode of the file: they differ once another file has its name."""
    try:
        facts = path.stat()
    except OSError:
        return 0, 0
    return facts.st_dev, facts.st_ino


def is_locked(error: Exception) -> bool:
    """Whether SQLite reports that another process holds the file."""
    return _code(error) in _LOCKED


def is_damage(error: Exception) -> bool:
    """Whether the file is no database, or a damaged one, by what reading it raised.

    SQLite quotes a damaged file in its message, which Python can't always decode.
    """
    return isinstance(error, UnicodeDecodeError) or _code(error) in _DAMAGED


def is_unlike_ours(error: Exception) -> bool:
    """Whether a statement of ours makes no sense to the file: it has not the tables that its version should have."""
    return _code(error) == sqlite3.SQLITE_ERROR


def lacks_tables(db: sqlite3.Connection) -> bool:
    """Whether a table or a column of this version isn't in the file."""
    with closing(sqlite3.connect(":memory:")) as new:
        for step in STEPS:
            step(new)
        expected = set(new.execute(_COLUMNS))
    return not expected <= set(db.execute(_COLUMNS))


def _code(error: Exception) -> int:
    """SQLite's primary result code; errors of the Python module itself have none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _identity(db: sqlite3.Connection) -> tuple[int, int, int]:
    asked = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    application, version, tables = (db.execute(statement).fetchone()[0] for statement in asked)
    return application, version, tables


def set_aside(path: Path, file: tuple[int, int], patience: Patience) -> Path | None:
    """Move a damaged file, and its journal, out of the way under a dated name that is free; returns the new name.

    None where `file`, as `file_of` knew it, has gone from there: another process set it aside, and a good one may have
    its name by now.
    """
    with locked(path.parent, patience):
        if file_of(path) != file:
            return None
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


def locked(directory: Path, patience: Patience) -> AbstractContextManager[None]:
    """One process at a time makes the file or sets it aside, so that none sets aside the new one of another.

    Windows can't rename a file that is open: there the rename itself is the lock.
    """
    return folder_locked(directory, patience.tries(f"the folder {directory}"))
