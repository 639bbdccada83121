"""The open state file: transactions that many processes share, and what happens when the file is damaged."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cometresp.errors import DamagedError, OutputError
from cometresp.state.file import connect, file_of, is_damage, locked, patiently, prepare, set_aside


class Database:
    """One SQLite file.

    Every write is one short `BEGIN IMMEDIATE` transaction, so that processes wait only for each other's writes.

    `reports` are sentences for the user about what was found when the file was opened. `mend`: a damaged file is set
    aside; otherwise it is left where it is.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, *, mend: bool, reports: list[str]) -> None:
        self.path = path
        self.connection = connection
        self.reports = reports
        self._mend = mend
        self._file = file_of(path)

    @classmethod
    def open(cls, directory: Path, *, create: bool, mend: bool) -> "Database | None":
        """Open `state.db`, which is made where it isn't; None where it isn't and `create` is false.

        A damaged file is set aside under a dated name, as `reports` then says; without `mend` DamagedError is
        raised. Raises OutputError where the file can't be used: no permission, another program's, a newer cometresp's.
        """
        path = directory / "state.db"
        if not create and not path.exists():
            return None
        try:
            prepare(directory, path)
            with locked(directory):
                try:
                    return cls(path, connect(path), mend=mend, reports=[])
                except sqlite3.DatabaseError as error:
                    if isinstance(error, sqlite3.OperationalError) and not is_damage(error):
                        raise
                    if not mend:
                        raise _damaged(path) from error
                    aside = set_aside(path)
                prepare(directory, path)
                return cls(path, connect(path), mend=True, reports=[_kept(aside)])
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise OutputError(f"the state file {path} can't be used: {reason}") from error

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A consistent view of the file, whatever other processes write."""
        try:
            patiently(self.connection, "BEGIN", "SELECT 1 FROM sqlite_master")
            try:
                yield self.connection
            finally:
                self.connection.execute("ROLLBACK")
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise self._unusable("read", error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, which is committed at the end of the block."""
        try:
            patiently(self.connection, "BEGIN IMMEDIATE")
            try:
                yield self.connection
                patiently(self.connection, "COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._unusable("written", error) from error

    def check_writable(self) -> None:
        """Raises OutputError where nothing could be recorded: `continue` asks before it sends."""
        with self.writing() as db:
            db.execute("UPDATE chains SET used = used WHERE 0")  # BEGIN alone succeeds on a read-only file

    def shrink(self) -> None:
        """Give the space of removed rows back to the disk, where no other process is in the way."""
        with suppress(sqlite3.OperationalError):  # what is removed is overwritten all the same
            patiently(self.connection, "VACUUM")

    def _unusable(self, verb: str, error: Exception) -> OutputError:
        """The error to raise; a file whose damage shows only now is set aside for the next command."""
        message = f"the state file {self.path} can't be {verb}: {error}"
        if isinstance(error, sqlite3.DatabaseError) and is_damage(error):
            self.close()
            if not self._mend:
                return _damaged(self.path)
            with suppress(OSError), locked(self.path.parent):
                if file_of(self.path) != self._file:  # another process did, and a good one may be there now
                    return DamagedError(f"the state file {self.path} was damaged and has been set aside")
                return DamagedError(_kept(set_aside(self.path)))
        return OutputError(message)


def _damaged(path: Path) -> DamagedError:
    return DamagedError(f"the state file {path} is damaged")


def _kept(aside: Path) -> str:
    return f"the state file was damaged and is kept as {aside}"
