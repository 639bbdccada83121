"""The open state file: transactions that many processes share, and what happens when the file is damaged."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cometresp.errors import CometrespError, DamagedError, LockedError, OutputError
from cometresp.state.file import (
    connect,
    file_of,
    is_damage,
    is_locked,
    is_unlike_ours,
    lacks_tables,
    patiently,
    prepare,
    set_aside,
)
from cometresp.state.patience import Patience

_OPENINGS = 5  # of a file that other processes set aside and make again meanwhile


class Database:
    """One SQLite file.

    Every write is one short `BEGIN IMMEDIATE` transaction, so that processes wait only for each other's writes, and for
    no longer than `patience` lasts: then LockedError is raised.

    `reports` are sentences for the user about what was found when the file was opened. `mend`: a damaged file is set
    aside; otherwise it is left where it is.
    """

    def __init__(
        self, path: Path, file: tuple[int, int], connection: sqlite3.Connection, *, mend: bool, patience: Patience
    ) -> None:
        self.path = path
        self.connection = connection
        self.reports: list[str] = []
        self._file = file
        self._mend = mend
        self._patience = patience

    @classmethod
    def open(cls, directory: Path, *, create: bool, mend: bool, patience: Patience | None = None) -> "Database | None":
        """Open `state.db`, which is made where it isn't; None where it isn't and `create` is false.

        A damaged file is set aside under a dated name, as `reports` then says; without `mend` DamagedError is
        raised. Raises OutputError where the file can't be used: no permission, another program's, a newer cometresp's,
        LockedError where another process holds it.
        """
        path, patience = directory / "state.db", patience or Patience()
        reports: list[str] = []
        try:
            for _ in range(_OPENINGS):
                if not create and not reports and _is_absent(path):
                    return None
                prepare(path, patience)
                if database := _opened(path, reports, mend=mend, patience=patience):
                    database.reports = reports
                    return database
        except CometrespError:
            raise
        except Exception as error:
            raise OutputError(f"the state file {path} can't be used: {_reason(error)}") from error
        raise OutputError(f"the state file {path} can't be used: others replace it")

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A consistent view of the file, whatever other processes write."""
        with self._transaction("read", "BEGIN", "SELECT 1 FROM sqlite_master") as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, which is committed at the end of the block."""
        with self._transaction("written", "BEGIN IMMEDIATE") as db:
            yield db
            self._patiently("COMMIT")

    def check_writable(self) -> None:
        """Raises OutputError where nothing could be recorded: `continue` asks before it sends."""
        with self.writing() as db:
            db.execute("UPDATE chains SET used = used WHERE 0")  # BEGIN alone succeeds on a read-only file

    def shrink(self) -> None:
        """Give the space of removed rows back to the disk, where no other process is in the way."""
        # If it fails: what is removed is overwritten all the same.
        with suppress(sqlite3.Error, LockedError), self._patience.briefly():
            self._patiently("VACUUM")

    def _patiently(self, *statements: str) -> None:
        patiently(self.connection, self.path, self._patience, *statements)

    @contextmanager
    def _transaction(self, verb: str, *begin: str) -> Iterator[sqlite3.Connection]:
        """The block in one transaction, which is rolled back unless the block commits it.

        Whatever is raised but for our own errors is the file's: nothing else is used in such a block.
        """
        try:
            try:
                self._patiently(*begin)
                yield self.connection
            finally:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
        except CometrespError:
            raise
        except Exception as error:
            raise self._unusable(verb, error) from error

    def _unusable(self, verb: str, error: Exception) -> OutputError:
        """The error to raise; a file whose damage shows only now is set aside for the next command."""
        if is_locked(error):
            return LockedError(f"another process holds the state file {self.path}")
        if not self._is_damage(error):
            return OutputError(f"the state file {self.path} can't be {verb}: {_reason(error)}")
        self.close()
        if not self._mend:
            return _damaged(self.path)
        with suppress(OSError):
            if aside := set_aside(self.path, self._file, self._patience):
                return DamagedError(_kept(aside))
            return DamagedError(f"the state file {self.path} was damaged and has been set aside")
        return _damaged(self.path)

    def _is_damage(self, error: Exception) -> bool:
        try:
            return is_damage(error) or (is_unlike_ours(error) and lacks_tables(self.connection))
        except (sqlite3.Error, ValueError) as another:
            return is_damage(another)


def _opened(path: Path, reports: list[str], *, mend: bool, patience: Patience) -> Database | None:
    """The open file; None where it is to be opened once more, since another one has its name now."""
    file = file_of(path)
    try:
        connection = connect(path, patience)
    except (sqlite3.Error, ValueError) as error:
        if not (is_damage(error) or is_unlike_ours(error)):
            if path.exists():
                raise
            return None
        if not mend:
            raise _damaged(path) from error
        if aside := set_aside(path, file, patience):
            reports.append(_kept(aside))
        return None
    if file_of(path) == file:
        return Database(path, file, connection, mend=mend, patience=patience)
    connection.close()
    return None


def _is_absent(path: Path) -> bool:
    """Whether there is no such file. Raises OSError where that can't be said, as where its folder is a file."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    return False


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) if isinstance(error, sqlite3.Error) else f"{type(error).__name__}: {error}"


def _damaged(path: Path) -> DamagedError:
    return DamagedError(f"the state file {path} is damaged")


def _kept(aside: Path) -> str:
    return f"the state file was damaged and is kept as {aside}"
