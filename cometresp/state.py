"""The state file: chains, responses and the items of each turn (design section 5).

One SQLite file in rollback-journal mode. Every write is one short `BEGIN IMMEDIATE` transaction, so that any number of
processes can share it: who waits, waits in SQLite. A turn is a row of its own, since some servers give every response
the same id; a response id names the newest turn that has it.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cometresp.errors import OutputError
from cometresp.records import ChainRow, NewTurn, Settings, Stand, Turn
from cometresp.statefile import connect, file_of, locked, patiently, prepare, set_aside

_KEPT_SECONDS = 90 * 86400


@dataclass(slots=True)
class State:
    """An open state file. Make it with `State.open`."""

    path: Path
    db: sqlite3.Connection
    reports: list[str] = field(default_factory=list)
    _file: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self._file = file_of(self.path)

    @classmethod
    def open(cls, directory: Path, *, create: bool = True) -> "State | None":
        """Open `state.db`, making it where it isn't; None where it isn't and `create` is false.

        A damaged file is set aside under a dated name, which `reports` then says. Raises OutputError where the file
        can't be used: no permission, another program's, a newer cometresp's.
        """
        path = directory / "state.db"
        if not create and not path.exists():
            return None
        try:
            prepare(directory, path)
            with locked(directory):
                try:
                    return cls(path, connect(path))
                except sqlite3.DatabaseError as error:
                    if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
                        raise
                    aside = set_aside(path)
                prepare(directory, path)
                return cls(path, connect(path), [f"the state file was damaged and is kept as {aside}"])
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise OutputError(f"the state file {path} can't be used: {reason}") from error

    def close(self) -> None:
        self.db.close()

    # reading -------------------------------------------------------------------------------------------------------

    def chain(self, name: str) -> ChainRow | None:
        with self._reading():
            row = self.db.execute("SELECT name, head, pending, used FROM chains WHERE name = ?", (name,)).fetchone()
            return self._chain_row(row) if row else None

    def chains(self) -> list[ChainRow]:
        with self._reading():
            rows = self.db.execute("SELECT name, head, pending, used FROM chains ORDER BY used DESC, name").fetchall()
            return [self._chain_row(row) for row in rows]

    def turn(self, response_id: str, *, base_url: str | None = None) -> Turn | None:
        """The newest turn that has this response id, of any server or of one."""
        with self._reading():
            row = self.db.execute(
                "SELECT * FROM turns WHERE id = ?1 AND (?2 IS NULL OR base_url = ?2) ORDER BY n DESC LIMIT 1",
                (response_id, base_url),
            ).fetchone()
            return _turn(row) if row else None

    def turn_at(self, n: int) -> Turn | None:
        with self._reading():
            row = self.db.execute("SELECT * FROM turns WHERE n = ?", (n,)).fetchone()
            return _turn(row) if row else None

    def turns(self, *, chain: str | None = None, limit: int = -1) -> list[Turn]:
        """Recorded turns, newest first; `chain` takes those of one chain, also abandoned ones."""
        with self._reading():
            rows = self.db.execute(
                "SELECT * FROM turns WHERE ?1 IS NULL OR chain = ?1 ORDER BY n DESC LIMIT ?2", (chain, limit)
            ).fetchall()
            return [_turn(row) for row in rows]

    def lineage(self, turn: Turn) -> list[Turn]:
        """The turns of the conversation up to and with this one, oldest first."""
        with self._reading():
            line = [turn]
            while (parent := line[-1].parent) is not None and parent < line[-1].n:
                row = self.db.execute("SELECT * FROM turns WHERE n = ?", (parent,)).fetchone()
                if row is None:
                    break
                line.append(_turn(row))
            return line[::-1]

    # writing -------------------------------------------------------------------------------------------------------

    def begin(self, new: NewTurn, response_id: str) -> tuple[int, str | None]:
        """Record a turn when its response id is first seen; returns the row's number.

        A turn that starts its chain anew takes the head away, until it completes: that head's id is returned too.
        """
        now = time.time()
        with self._writing():
            parent = self.db.execute(
                "SELECT n, number FROM turns WHERE n = ?1 OR (?1 IS NULL AND id = ?2) ORDER BY n DESC LIMIT 1",
                (new.parent.n if new.parent else None, new.previous_id),
            ).fetchone()
            cursor = self.db.execute(
                "INSERT INTO turns (id, parent, previous_id, chain, number, base_url, model, settings, status, created,"
                " input) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'in_progress', ?, ?)",
                (
                    response_id,
                    parent[0] if parent else None,
                    new.previous_id,
                    new.chain,
                    parent[1] + 1 if parent else 1,
                    new.base_url,
                    new.model,
                    new.settings.as_json(),
                    now,
                    None if new.input is None else json.dumps(new.input),
                ),
            )
            n = int(cursor.lastrowid or 0)
            before = None
            if new.anew:
                before = self.db.execute(
                    "SELECT id FROM turns WHERE n = (SELECT head FROM chains WHERE name = ?)", (new.chain,)
                ).fetchone()
                self.db.execute(
                    "INSERT INTO chains (name, head, pending, used) VALUES (?1, NULL, ?2, ?3)"
                    " ON CONFLICT (name) DO UPDATE SET head = NULL, pending = ?2, used = ?3",
                    (new.chain, n, now),
                )
            self.db.execute(
                "UPDATE turns SET input = NULL, output = NULL"
                " WHERE created < ? AND (input IS NOT NULL OR output IS NOT NULL)",
                (now - _KEPT_SECONDS,),
            )
            return n, before[0] if before else None

    def finish(
        self,
        n: int,
        *,
        status: str,
        usage: dict[str, Any],
        sequence: int | None,
        output: list[dict[str, Any]] | None,
        good: bool,
        response_id: str = "",
        stood: Stand | None = None,
    ) -> Literal["head", "moved on", "kept"]:
        """Record how a turn ended.

        A good one becomes the head of its chain if the chain still stands where it did: "head". Else another turn came
        in between: "moved on". One that wasn't good is only "kept".
        """
        with self._writing():
            self.db.execute(
                "UPDATE turns SET status = ?, usage = ?, sequence = coalesce(?, sequence),"
                " output = coalesce(?, output), ended = ?, id = coalesce(nullif(?, ''), id) WHERE n = ?",
                (
                    status,
                    json.dumps(usage) if usage else None,
                    sequence,
                    None if output is None else json.dumps(output),
                    time.time(),
                    response_id,  # some servers change it in mid-stream: the last is the one that they keep
                    n,
                ),
            )
            if not good:
                return "kept"
            name, parent = self.db.execute("SELECT chain, parent FROM turns WHERE n = ?", (n,)).fetchone()
            row = self.db.execute("SELECT head, pending FROM chains WHERE name = ?", (name,)).fetchone()
            head, pending = row or (None, None)
            if head == n:
                return "head"
            if row and pending != n and row != stood and (head, pending) != (parent, None):
                return "moved on"
            self.db.execute(
                "INSERT INTO chains (name, head, pending, used) VALUES (?1, ?2, NULL, ?3)"
                " ON CONFLICT (name) DO UPDATE SET head = ?2, pending = NULL, used = ?3",
                (name, n, time.time()),
            )
            return "head"

    # how -----------------------------------------------------------------------------------------------------------

    def _chain_row(self, row: tuple[Any, ...]) -> ChainRow:
        def turn(n: int | None) -> Turn | None:
            found = self.db.execute("SELECT * FROM turns WHERE n = ?", (n,)).fetchone() if n is not None else None
            return _turn(found) if found else None

        return ChainRow(row[0], turn(row[1]), turn(row[2]), row[3])

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """One view of the file, whatever others write meanwhile."""
        try:
            patiently(self.db, "BEGIN", "SELECT 1 FROM sqlite_master")
            try:
                yield
            finally:
                self.db.execute("ROLLBACK")
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise self._unusable("read", error) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            patiently(self.db, "BEGIN IMMEDIATE")
            try:
                yield
                patiently(self.db, "COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._unusable("written", error) from error

    def check_writable(self) -> None:
        """Raises OutputError where nothing could be recorded: `continue` asks before it sends."""
        with self._writing():
            self.db.execute("UPDATE chains SET used = used WHERE 0")  # BEGIN alone succeeds on a read-only file

    def _unusable(self, verb: str, error: Exception) -> OutputError:
        """The error to raise; a file whose damage shows only now is set aside for the next command."""
        message = f"the state file {self.path} can't be {verb}: {error}"
        if "malformed" in str(error) or "not a database" in str(error):
            self.close()
            with suppress(OSError), locked(self.path.parent):
                if file_of(self.path) != self._file:  # another process did, and a good one may stand there
                    return OutputError(f"the state file {self.path} was damaged and has been set aside")
                message = f"the state file was damaged and is kept as {set_aside(self.path)}"
        return OutputError(message)


def _turn(row: tuple[Any, ...]) -> Turn:
    (
        n,
        response_id,
        parent,
        previous,
        chain,
        number,
        url,
        model,
        settings,
        status,
        usage,
        created,
        ended,
        sequence,
        *items,
    ) = row

    def loaded(text: str | None) -> Any:
        return None if text is None else json.loads(text)

    def items_of(text: str | None) -> list[dict[str, Any]] | None:
        items = loaded(text)
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else None

    return Turn(
        n=n,
        id=response_id,
        parent=parent,
        previous_id=previous,
        chain=chain,
        number=number,
        base_url=url,
        model=model,
        settings=Settings(**{name: value for name, value in json.loads(settings).items() if name in Settings._fields}),
        status=status,
        usage=loaded(usage) or {},
        created=created,
        ended=ended,
        sequence=sequence,
        input=items_of(items[0]),
        output=items_of(items[1]),
    )
