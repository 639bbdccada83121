"""The batches that were submitted to providers: their ids, and what was last seen of them."""

from collections.abc import Sequence
from typing import Any

from cometresp.state.database import Database
from cometresp.tuples import NamedTuple

_COLUMNS = "id, base_url, file, requests, failed, done, status, created, seen"


class Submitted(NamedTuple):
    """A batch of a server. `file` is the name of its input, None where that isn't recorded.

    `requests` is how many it has, of which `done` were answered or failed, and `failed` failed, when it was last
    `seen`. `created` and `seen` are in seconds since 1970.
    """

    id: str
    base_url: str
    file: str | None
    requests: int
    failed: int
    done: int
    status: str
    created: float
    seen: float


class Batches:
    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, batch: Submitted) -> None:
        """Record a batch; of one that is recorded already, what was seen of it."""
        with self._database.writing() as db:
            db.execute(
                f"INSERT INTO batches ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - names of columns
                " ON CONFLICT (id, base_url) DO UPDATE SET requests = max(requests, excluded.requests),"
                " failed = excluded.failed, done = excluded.done, status = excluded.status, seen = excluded.seen",
                batch,
            )

    def newest(self, base_url: str | None, limit: int) -> list[Submitted]:
        """The batches of a server, or of all, the newest first."""
        return self._found(
            "WHERE base_url = ?1 OR ?1 IS NULL ORDER BY created DESC, n DESC LIMIT ?2", (base_url, limit)
        )

    def beginning(self, base_url: str, start: str, limit: int) -> list[Submitted]:
        """Those whose ids begin so; the one that has this id alone, if there is one."""
        found = self._found(
            "WHERE base_url = ? AND id >= ? AND id < ? ORDER BY id = ? DESC, created DESC LIMIT ?",
            (base_url, start, start + "\U0010ffff", start, limit),
        )
        return found[:1] if found and found[0].id == start else found

    def _found(self, sql: str, values: Sequence[object]) -> list[Submitted]:
        with self._database.reading() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM batches {sql}", values).fetchall()  # noqa: S608
        return [found for row in rows if (found := _read(row)) is not None]


def _read(row: Sequence[Any]) -> Submitted | None:
    """A row as it was written; None for one that isn't cometresp's."""
    given = dict(zip(Submitted._fields, row, strict=True))
    texts, counts = ("id", "base_url", "status"), ("requests", "failed", "done")
    good = (
        all(isinstance(given[name], str) and given[name].isprintable() for name in texts)
        and isinstance(given["file"], str | None)
        and all(type(given[name]) is int and given[name] >= 0 for name in counts)
        and all(isinstance(given[name], int | float) for name in ("created", "seen"))
    )
    return Submitted(**given) if good else None
