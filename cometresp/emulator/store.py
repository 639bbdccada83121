"""The stored responses: in one SQLite file that several processes may share, or in this process's memory."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cometresp.emulator.rules import Json

_TABLES = """
CREATE TABLE IF NOT EXISTS responses (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    conversation TEXT,
    cancelled REAL,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS conversations ON responses (conversation) WHERE conversation IS NOT NULL;
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
    conversation: str | None = None
    cancelled: float | None = None

    @property
    def id(self) -> str:
        return str(self.response["id"])

    @property
    def background(self) -> bool:
        return bool(self.response["background"])


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
    def _query(self, sql: str, *values: Any) -> Iterator[sqlite3.Cursor]:
        with self._lock:
            cursor = self._db.execute(sql, values)
            try:
                yield cursor
            finally:
                cursor.close()

    def add(self, record: Record) -> None:
        # ASCII, since SQLite's text can't hold the lone surrogates that JSON can.
        text = json.dumps(asdict(record))
        with self._query(
            "INSERT INTO responses (id, conversation, record) VALUES (?, ?, ?)", record.id, record.conversation, text
        ):
            pass

    def get(self, response_id: str) -> Record | None:
        with self._query("SELECT record, cancelled FROM responses WHERE id = ?", response_id) as cursor:
            row = cursor.fetchone()
        return None if row is None else _record(row)

    def in_conversation(self, conversation: str) -> list[Record]:
        """The responses of a conversation, oldest first."""
        with self._query(
            "SELECT record, cancelled FROM responses WHERE conversation = ? ORDER BY number", conversation
        ) as cursor:
            rows = cursor.fetchall()
        return [_record(row) for row in rows]

    def cancel(self, response_id: str, moment: float) -> None:
        """Cancel a response. Only the first cancel counts; another process may have been faster."""
        with self._query("UPDATE responses SET cancelled = ? WHERE id = ? AND cancelled IS NULL", moment, response_id):
            pass

    def is_running(self, response_id: str) -> bool:
        """Whether the response is stored and not cancelled."""
        with self._query("SELECT 1 FROM responses WHERE id = ? AND cancelled IS NULL", response_id) as cursor:
            return cursor.fetchone() is not None

    def delete(self, response_id: str) -> bool:
        with self._query("DELETE FROM responses WHERE id = ?", response_id) as cursor:
            return cursor.rowcount > 0


def _record(row: tuple[str, float | None]) -> Record:
    text, cancelled = row
    return Record(**{**json.loads(text), "cancelled": cancelled})
