"""The state file: what was recorded of turns, chains and servers, in one SQLite file.

It is in rollback-journal mode, so that it stays one file; any number of processes can use it at once.
"""

import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cometresp.state.chains import Chains
from cometresp.state.database import Database
from cometresp.state.patience import Patience
from cometresp.state.turns import Turns

if TYPE_CHECKING:
    from cometresp.state.batches import Batches
    from cometresp.state.unanswered import Unanswered

_REMEMBERED_SECONDS = 7 * 86400


class State:
    """An open state file. Make it with `State.open`, use it as a context."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.turns = Turns(database)
        self.chains = Chains(database)
        self.servers = Servers(database)

    @cached_property
    def unanswered(self) -> "Unanswered":
        from cometresp.state.unanswered import Unanswered

        return Unanswered(self._database)

    @cached_property
    def batches(self) -> "Batches":
        from cometresp.state.batches import Batches

        return Batches(self._database)

    @classmethod
    def open(
        cls, directory: Path, *, create: bool = True, mend: bool = True, patience: Patience | None = None
    ) -> "State | None":
        """Open `state.db` in a directory; None where it isn't there and `create` is false.

        A damaged file is set aside, as `reports` then says; without `mend` it is left, and DamagedError is raised.
        Raises OutputError where the file can't be used, LockedError where `patience` with other processes is at an end.
        """
        database = Database.open(directory, create=create, mend=mend, patience=patience)
        return None if database is None else cls(database)

    @property
    def reports(self) -> list[str]:
        """Sentences for the user about what was found when the file was opened."""
        return self._database.reports

    def check_writable(self) -> None:
        """Raises OutputError where nothing could be recorded."""
        self._database.check_writable()

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Servers:
    """What base URLs were seen to refuse."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def saw_no_previous(self, base_url: str) -> None:
        """Remember that a server doesn't take `previous_response_id`."""
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO servers (base_url, no_previous) VALUES (:url, :now)"
                " ON CONFLICT (base_url) DO UPDATE SET no_previous = :now",
                {"url": base_url, "now": time.time()},
            )

    def without_previous(self) -> list[tuple[str, float]]:
        """The base URLs that were seen within the last seven days to refuse `previous_response_id`, and when."""
        with self._database.reading() as db:
            return db.execute(
                "SELECT base_url, no_previous FROM servers"
                " WHERE no_previous BETWEEN ? AND ? AND typeof(base_url) = 'text' ORDER BY base_url",
                _remembered(),
            ).fetchall()

    def takes_no_previous(self, base_url: str) -> bool:
        """Whether a server was seen within the last seven days to refuse `previous_response_id`."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT no_previous BETWEEN ? AND ? FROM servers WHERE base_url = ?",
                (*_remembered(), base_url),
            ).fetchone()
            return bool(row and row[0])


def _remembered() -> tuple[float, float]:
    """The times between which a refusal counts. One of the future is none: its record is damaged, or its clock was."""
    now = time.time()
    return now - _REMEMBERED_SECONDS, now + _REMEMBERED_SECONDS
