"""The stored responses and conversations: in one SQLite file that several processes may share, or in memory."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cometresp.emulator.rules import Json

# An item belongs to a stored response, to a conversation, or to both. It is part of the conversation from `due` on.
# The index is one of version 0.1.0, which had conversations in the table of the responses.
_TABLES = """
DROP INDEX IF EXISTS conversations;
CREATE TABLE IF NOT EXISTS responses (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    cancelled REAL,
    record TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY,
    created REAL NOT NULL,
    metadata TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    response TEXT,
    conversation TEXT,
    due REAL NOT NULL,
    item TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    facts TEXT NOT NULL,
    content BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS batches (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    polls INTEGER NOT NULL,
    cancelled INTEGER,
    times TEXT NOT NULL,
    facts TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS items_by_id ON items (id);
CREATE INDEX IF NOT EXISTS items_by_response ON items (response);
CREATE INDEX IF NOT EXISTS items_by_conversation ON items (conversation, due);
"""
_LOCK_TIMEOUT = 30.0  # seconds to wait for another process's write


@dataclass(frozen=True, slots=True)
class Record:
    """A response with all that its earlier states and its events are computed from.

    `response` is the response in its final state, `items` the input of its turn. `created` and `cancelled` are times in
    seconds since 1970; `duration` (of a background response) and `pace` (between deltas) are seconds.
    """

    response: Json
    items: list[Json]
    created: float
    duration: float
    pace: float
    streamed: bool
    obfuscated: bool
    error_event: bool
    cancelled: float | None = None

    @property
    def id(self) -> str:
        return str(self.response["id"])

    @property
    def background(self) -> bool:
        return bool(self.response["background"])


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its items; `created` is in seconds since 1970."""

    id: str
    created: float
    metadata: Json


@dataclass(frozen=True, slots=True)
class File:
    """A file without its content; `created` is in seconds since 1970, `size` in bytes."""

    id: str
    name: str
    purpose: str
    created: int
    size: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch with all its results, `polls`: how often it was asked for, also when it was `cancelled`."""

    id: str
    created: int
    word: str
    facts: Json
    inline: bool
    problems: list[Json]
    results: list[Json]
    model: str
    polls: int = 0
    cancelled: int | None = None


class Store:
    """The records. Raises OSError where the file can't be used. Safe for many threads."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        if path is not None:
            path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # the mode is the last folder's
            path.parent.mkdir(mode=0o700, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        name = ":memory:" if path is None else str(path)
        self._db = sqlite3.connect(name, timeout=_LOCK_TIMEOUT, isolation_level=None, check_same_thread=False)
        try:
            # Only a crash of the whole machine could lose data, and these answers aren't worth a wait for the disk.
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.executescript(_TABLES)
        except sqlite3.Error as error:
            self._db.close()
            raise OSError(f"can't keep the emulator's memory in {name}: {error}") from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            with self._db:
                yield self._db

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def add(self, record: Record, due: float, *, stored: bool, conversation: str | None) -> None:
        """Keep a response if it is `stored`, and its items, which join the conversation at the time `due`."""
        response = record.id if stored else None
        with self._writing() as db:
            if stored:
                db.execute("INSERT INTO responses (id, record) VALUES (?, ?)", (record.id, _dump(asdict(record))))
            _insert(db, record.items + record.response["output"], response, conversation, due)

    def get(self, response_id: str) -> Record | None:
        rows = self._rows("SELECT record, cancelled FROM responses WHERE id = ?", _key(response_id))
        return _record(*rows[0]) if rows else None

    def cancel(self, response_id: str, moment: float) -> None:
        """Cancel a response. Only the first cancel counts; another process may have been faster."""
        sql = "UPDATE responses SET cancelled = ? WHERE id = ? AND cancelled IS NULL"
        with self._writing() as db:
            if db.execute(sql, (moment, response_id)).rowcount:
                sql = "UPDATE items SET conversation = NULL WHERE response = ? AND due > ?"
                db.execute(sql, (response_id, moment))

    def is_running(self, response_id: str) -> bool:
        """Whether the response is stored and not cancelled."""
        return bool(self._rows("SELECT 1 FROM responses WHERE id = ? AND cancelled IS NULL", response_id))

    def delete(self, response_id: str, moment: float) -> None:
        """Delete a response. Its items stay in their conversation, if they are part of it by now."""
        with self._writing() as db:
            db.execute("DELETE FROM responses WHERE id = ?", (response_id,))
            sql = "DELETE FROM items WHERE response = ? AND (conversation IS NULL OR due > ?)"
            db.execute(sql, (response_id, moment))
            db.execute("UPDATE items SET response = NULL WHERE response = ?", (response_id,))

    def item(self, item_id: str, now: float) -> Json | None:
        """An item of a stored response or of a conversation, by its id alone."""
        rows = self._rows(
            "SELECT item FROM items WHERE id = ? AND due <= ? ORDER BY number LIMIT 1", _key(item_id), now
        )
        return json.loads(rows[0][0]) if rows else None

    def add_conversation(self, conversation: Conversation, items: Iterable[Json]) -> None:
        values = (conversation.id, conversation.created, _dump(conversation.metadata))
        with self._writing() as db:
            db.execute("INSERT INTO conversations (id, created, metadata) VALUES (?, ?, ?)", values)
            _insert(db, items, None, conversation.id, conversation.created)

    def conversation(self, conversation_id: str) -> Conversation | None:
        rows = self._rows("SELECT id, created, metadata FROM conversations WHERE id = ?", _key(conversation_id))
        return Conversation(rows[0][0], rows[0][1], json.loads(rows[0][2])) if rows else None

    def set_metadata(self, conversation_id: str, metadata: Json) -> None:
        with self._writing() as db:
            db.execute("UPDATE conversations SET metadata = ? WHERE id = ?", (_dump(metadata), conversation_id))

    def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation. Its items stay, for references to them."""
        with self._writing() as db:
            db.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def add_items(self, conversation_id: str, items: Iterable[Json], now: float) -> None:
        with self._writing() as db:
            _insert(db, items, None, conversation_id, now)

    def items_of(self, conversation_id: str, now: float) -> list[Json]:
        """The items of a conversation, oldest first."""
        sql = "SELECT item FROM items WHERE conversation = ? AND due <= ? ORDER BY due, number"
        return [json.loads(item) for (item,) in self._rows(sql, conversation_id, now)]

    def delete_item(self, conversation_id: str, item_id: str) -> None:
        """Take an item out of a conversation. If it is part of a stored response, it stays there."""
        place = (conversation_id, _key(item_id))
        with self._writing() as db:
            db.execute("DELETE FROM items WHERE conversation = ? AND id = ? AND response IS NULL", place)
            db.execute("UPDATE items SET conversation = NULL WHERE conversation = ? AND id = ?", place)

    def add_file(self, file: File, content: bytes) -> None:
        """Keep a file; one of the same id stays as it is."""
        sql = "INSERT OR IGNORE INTO files (id, facts, content) VALUES (?, ?, ?)"
        with self._writing() as db:
            db.execute(sql, (file.id, _dump(asdict(file)), content))

    def file(self, file_id: str) -> File | None:
        rows = self._rows("SELECT facts FROM files WHERE id = ?", _key(file_id))
        return File(**json.loads(rows[0][0])) if rows else None

    def files(self) -> list[File]:
        """All files, oldest first."""
        return [File(**json.loads(facts)) for (facts,) in self._rows("SELECT facts FROM files ORDER BY number")]

    def content(self, file_id: str) -> bytes:
        rows = self._rows("SELECT content FROM files WHERE id = ?", _key(file_id))
        return rows[0][0] if rows else b""

    def delete_file(self, file_id: str) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM files WHERE id = ?", (file_id,))

    def add_batch(self, batch: Batch) -> None:
        sql = "INSERT INTO batches (id, polls, times, facts) VALUES (?, 0, '{}', ?)"
        with self._writing() as db:
            db.execute(sql, (batch.id, _dump(asdict(batch))))

    def batch(self, batch_id: str) -> Batch | None:
        rows = self._rows("SELECT facts, polls, cancelled FROM batches WHERE id = ?", _key(batch_id))
        return _batch(*rows[0]) if rows else None

    def batches(self, limit: int, after: str | None) -> list[Batch]:
        """Batches, the newest first; those before the one of the id `after`."""
        sql = (
            "SELECT facts, polls, cancelled FROM batches"
            " WHERE ?1 IS NULL OR number < (SELECT number FROM batches WHERE id = ?1) ORDER BY number DESC LIMIT ?2"
        )
        return [_batch(*row) for row in self._rows(sql, None if after is None else _key(after), limit)]

    def poll_batch(self, batch_id: str) -> Batch:
        """A batch that exists, after it was asked for once more."""
        return self._changed_batch("UPDATE batches SET polls = polls + 1 WHERE id = ?", batch_id)

    def cancel_batch(self, batch_id: str) -> Batch:
        """A batch that exists, cancelled as of now."""
        return self._changed_batch("UPDATE batches SET cancelled = coalesce(cancelled, polls) WHERE id = ?", batch_id)

    def _changed_batch(self, sql: str, batch_id: str) -> Batch:
        with self._writing() as db:
            db.execute(sql, (batch_id,))
            sql = "SELECT facts, polls, cancelled FROM batches WHERE id = ?"
            return _batch(*db.execute(sql, (batch_id,)).fetchone())

    def note_batch(self, batch_id: str, status: str, now: int) -> dict[str, int]:
        """When a batch was first seen in each status, this one included."""
        with self._writing() as db:
            row = db.execute("SELECT times FROM batches WHERE id = ?", (batch_id,)).fetchone()
            times: dict[str, int] = {status: now, **json.loads(row[0])}
            db.execute("UPDATE batches SET times = ? WHERE id = ?", (_dump(times), batch_id))
        return times


def _batch(facts: str, polls: int, cancelled: int | None) -> Batch:
    return Batch(**{**json.loads(facts), "polls": polls, "cancelled": cancelled})


def _insert(
    db: sqlite3.Connection, items: Iterable[Json], response: str | None, conversation: str | None, due: float
) -> None:
    sql = "INSERT INTO items (id, response, conversation, due, item) VALUES (?, ?, ?, ?, ?)"
    db.executemany(sql, ((_key(item["id"]), response, conversation, due, _dump(item)) for item in items))


def _key(given: str) -> str:
    """An id that a client gave, as text that SQLite can hold: without lone surrogates."""
    return given.encode("ascii", "backslashreplace").decode()


def _dump(value: Any) -> str:
    # ASCII, since SQLite's text can't hold the lone surrogates that JSON can.
    return json.dumps(value)


_FIELDS = frozenset(field.name for field in fields(Record))


def _record(text: str, cancelled: float | None) -> Record:
    known = {key: value for key, value in json.loads(text).items() if key in _FIELDS}  # older files have more
    return Record(**{**known, "cancelled": cancelled})
