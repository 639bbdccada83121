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
from typing import Any, Literal, get_args

from cometresp.errors import DamagedError, OutputError, UsageError
from cometresp.state import retention
from cometresp.state.file import connect, file_of, locked, patiently, prepare, set_aside
from cometresp.state.records import ChainRow, NewTurn, Stand, Turn, settings_columns, turn_of

_KEPT_SECONDS = 90 * 86400

_REMEMBERED_SECONDS = 7 * 86400

# What a base URL may refuse: to go on from a response id, to give a response, to follow one.
Refusal = Literal["no_previous", "no_get", "no_follow"]


@dataclass(slots=True)
class State:
    """An open state file. Make it with `State.open`."""

    path: Path
    db: sqlite3.Connection
    reports: list[str] = field(default_factory=list)
    mend: bool = True
    _file: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self._file = file_of(self.path)

    @classmethod
    def open(cls, directory: Path, *, create: bool = True, mend: bool = True) -> "State | None":
        """Open `state.db`, making it where it isn't; None where it isn't and `create` is false.

        A damaged file is set aside under a dated name, which `reports` then says; without `mend` it stays, and
        DamagedError is raised. Raises OutputError where the file can't be used: no permission, another program's,
        a newer cometresp's.
        """
        path = directory / "state.db"
        if not create and not path.exists():
            return None
        try:
            prepare(directory, path)
            with locked(directory):
                try:
                    return cls(path, connect(path), mend=mend)
                except sqlite3.DatabaseError as error:
                    if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
                        raise
                    if not mend:
                        raise _damaged(path) from error
                    aside = set_aside(path)
                prepare(directory, path)
                return cls(path, connect(path), [_kept(aside)])
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
            return turn_of(row) if row else None

    def turn_at(self, n: int) -> Turn | None:
        with self._reading():
            row = self.db.execute("SELECT * FROM turns WHERE n = ?", (n,)).fetchone()
            return turn_of(row) if row else None

    def turns(self, *, chain: str | None = None, limit: int = -1) -> list[Turn]:
        """Recorded turns, newest first; `chain` takes those of one chain, also abandoned ones."""
        with self._reading():
            rows = self.db.execute(
                "SELECT * FROM turns WHERE ?1 IS NULL OR chain = ?1 ORDER BY n DESC LIMIT ?2", (chain, limit)
            ).fetchall()
            return [turn_of(row) for row in rows]

    def pending_after(self, turn: Turn, chain: str) -> list[Turn]:
        """The turns of a chain that go on from this one and were left to the server, which was still at work.

        One that a command is holding right now hasn't ended, and isn't among them.
        """
        with self._reading():
            rows = self.db.execute(
                "SELECT * FROM turns WHERE n > ?1 AND parent = ?1 AND chain = ?2 AND ended IS NOT NULL"
                " AND status IN ('queued', 'in_progress') ORDER BY n",
                (turn.n, chain),
            ).fetchall()
            return [turn_of(row) for row in rows]

    def lineage(self, turn: Turn) -> list[Turn]:
        """The turns of the conversation up to and with this one, oldest first."""
        with self._reading():
            line = [turn]
            while (parent := line[-1].parent) is not None and parent < line[-1].n:
                row = self.db.execute("SELECT * FROM turns WHERE n = ?", (parent,)).fetchone()
                if row is None:
                    break
                line.append(turn_of(row))
            return line[::-1]

    def began(self, turn: Turn) -> Turn:
        """The first turn of a conversation, as far as it is recorded."""
        with self._reading():
            row = self.db.execute(
                "WITH RECURSIVE line(n) AS (SELECT ? UNION SELECT parent FROM line JOIN turns USING (n))"
                " SELECT * FROM turns WHERE n IN line ORDER BY n LIMIT 1",
                (turn.n,),
            ).fetchone()
            return turn_of(row) if row else turn

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
                "INSERT INTO turns (id, parent, previous_id, chain, number, base_url, model, status, created, input,"
                " settings, instructions, tools) VALUES (?, ?, ?, ?, ?, ?, ?, 'in_progress', ?, ?, ?, ?, ?)",
                (
                    response_id,
                    parent[0] if parent else None,
                    new.previous_id,
                    new.chain,
                    parent[1] + 1 if parent else 1,
                    new.base_url,
                    new.model,
                    now,
                    None if new.input is None else json.dumps(new.input),
                    *settings_columns(new.settings, text=new.input is not None),
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
            else:
                self.db.execute("UPDATE chains SET used = ? WHERE name = ?", (now, new.chain))
            retention.drop_old_text(self.db, now - _KEPT_SECONDS)
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
        in between: "moved on". One that wasn't good is only "kept". Raises OutputError where its chain is gone.
        """
        with self._writing():
            found = self.db.execute("SELECT chain, parent FROM turns WHERE n = ?", (n,)).fetchone()
            if found is None:
                raise OutputError("its chain was removed meanwhile")
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
            return self._moved(n, found[0], found[1], stood) if good else "kept"

    def _moved(self, n: int, name: str, parent: int | None, stood: Stand | None) -> Literal["head", "moved on"]:
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

    # chains ---------------------------------------------------------------------------------------------------------

    def adopt(self, name: str, response_id: str, *, base_url: str, model: str | None) -> str | None:
        """Make a response the head of a chain; returns the head that it had.

        One that isn't recorded gets a turn without text. Raises UsageError for one that is, and didn't end well.
        """
        now = time.time()
        with self._writing():
            turn = self.db.execute(
                "SELECT n, status FROM turns WHERE id = ?1 AND (base_url = ?2 OR status != 'adopted')"
                " ORDER BY base_url = ?2 DESC, n DESC LIMIT 1",
                (response_id, base_url),
            ).fetchone()
            if turn is None:
                n = self.db.execute(
                    "INSERT INTO turns (id, chain, number, base_url, model, settings, status, created)"
                    " VALUES (?, ?, 1, ?, ?, '{}', 'adopted', ?)",
                    (response_id, name, base_url, model, now),
                ).lastrowid
            elif turn[1] in ("completed", "incomplete", "adopted"):
                n = turn[0]
            else:
                raise UsageError(
                    f"{response_id} can't be the head of {name}: it is recorded as {turn[1]}",
                    hint=f"cometresp get {response_id} asks what became of it; continue --from goes on from it anyway",
                )
            before = self.db.execute(
                "SELECT id FROM turns WHERE n = (SELECT head FROM chains WHERE name = ?)", (name,)
            ).fetchone()
            self.db.execute(
                "INSERT INTO chains (name, head, pending, used) VALUES (?1, ?2, NULL, ?3)"
                " ON CONFLICT (name) DO UPDATE SET head = ?2, pending = NULL, used = ?3",
                (name, n, now),
            )
            return before[0] if before else None

    def rename(self, old: str, new: str) -> None:
        """Raises UsageError where there is no such chain, or where the new name is taken."""
        with self._writing():
            names = {name for (name,) in self.db.execute("SELECT name FROM chains WHERE name IN (?, ?)", (old, new))}
            if old not in names:
                raise _unknown([old])
            if new in names and new != old:
                raise UsageError(f"there is a chain {new} already", hint="cometresp chains rm removes it")
            self.db.execute("UPDATE chains SET name = ? WHERE name = ?", (new, old))
            self.db.execute("UPDATE turns SET chain = ? WHERE chain = ?", (new, old))

    def remove(self, names: list[str]) -> list[tuple[int, int]]:
        """Remove chains and their turns: for each, how many went and how many stay, since other chains need them.

        Raises UsageError, and removes nothing, where there is no chain of one of these names.
        """
        with self._writing():
            known = {name for (name,) in self.db.execute("SELECT name FROM chains")}
            if unknown := [name for name in names if name not in known]:
                raise _unknown(unknown)
            return [found for name in names if (found := retention.remove_chain(self.db, name))]

    def prune(self, before: float) -> tuple[int, int]:
        """Remove the chains that were not used since, and older turns that nothing needs: how many of each."""
        with self._writing():
            removed = retention.prune(self.db, before)
        with suppress(sqlite3.OperationalError):  # it only makes the file smaller: what is removed is overwritten
            patiently(self.db, "VACUUM")
        return removed

    # what a server was seen to refuse --------------------------------------------------------------------------------

    def seen_refusing(self, base_url: str, what: Refusal) -> None:
        """Remember that a base URL doesn't take this, or has no such thing."""
        with self._writing():
            self.db.execute(
                f"INSERT INTO servers (base_url, {_column(what)}) VALUES (?1, ?2)"  # noqa: S608 - a known name
                f" ON CONFLICT (base_url) DO UPDATE SET {_column(what)} = ?2",
                (base_url, time.time()),
            )

    def taken_back(self, base_url: str, what: Refusal) -> None:
        """It was seen to take it after all."""
        with self._writing():
            self.db.execute(f"UPDATE servers SET {_column(what)} = NULL WHERE base_url = ?", (base_url,))  # noqa: S608

    def refuses(self, base_url: str, what: Refusal) -> bool:
        """Whether a base URL was seen to refuse this within the last seven days."""
        with self._reading():
            row = self.db.execute(
                f"SELECT {_column(what)} > ? FROM servers WHERE base_url = ?",  # noqa: S608 - a known name
                (time.time() - _REMEMBERED_SECONDS, base_url),
            ).fetchone()
            return bool(row and row[0])

    # how -----------------------------------------------------------------------------------------------------------

    def _chain_row(self, row: tuple[Any, ...]) -> ChainRow:
        def turn(n: int | None) -> Turn | None:
            found = self.db.execute("SELECT * FROM turns WHERE n = ?", (n,)).fetchone() if n is not None else None
            return turn_of(found) if found else None

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
            if not self.mend:
                return _damaged(self.path)
            with suppress(OSError), locked(self.path.parent):
                if file_of(self.path) != self._file:  # another process did, and a good one may stand there
                    return DamagedError(f"the state file {self.path} was damaged and has been set aside")
                return DamagedError(_kept(set_aside(self.path)))
        return OutputError(message)


def _damaged(path: Path) -> DamagedError:
    return DamagedError(f"the state file {path} is damaged")


def _kept(aside: Path) -> str:
    return f"the state file was damaged and is kept as {aside}"


def _unknown(names: list[str]) -> UsageError:
    which = "is no chain" if len(names) == 1 else "are no chains"
    return UsageError(f"there {which} {', '.join(names)}", hint="cometresp chains lists them")


def _column(what: Refusal) -> str:
    if what not in get_args(Refusal):
        raise ValueError(what)
    return what
