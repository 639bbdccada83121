"""The recorded turns: one row each, since some servers give every response the same id.

A response id names the newest turn that has it.
"""

import gc
import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from cometresp.errors import OutputError, RecordError
from cometresp.state import ids, retention
from cometresp.state.chains import Head, set_heads, take_head
from cometresp.state.database import Database
from cometresp.state.records import TURN_COLUMNS, Ending, Heads, NewTurn, Turn, settings_columns, turn_of
from cometresp.wire.ids import LONG_ID, is_plain_id
from cometresp.wire.items import id_answered, id_of_call
from cometresp.wire.json import Json, listed

if TYPE_CHECKING:
    from cometresp.state.sums import By, Group

_KEPT_SECONDS = 90 * 86400

# The turns from one on to the first of its conversation, as many as are asked for: -1 is all.
_LINE = """
WITH RECURSIVE line(n, parent) AS (
  SELECT n, parent FROM turns WHERE n = :n
  UNION ALL SELECT turns.n, turns.parent FROM line JOIN turns ON turns.n = line.parent AND turns.n < line.n
  LIMIT :most
)
"""
_ITEMS = f"{_LINE} SELECT output, outputs, input FROM turns WHERE n IN (SELECT n FROM line)"  # noqa: S608
_FEW = 4
# The names of models, each found from the one before it.
_MODELS = """
WITH RECURSIVE used(model) AS (
  SELECT min(model) FROM turns WHERE model > ''
  UNION ALL SELECT (SELECT min(model) FROM turns WHERE model > used.model) FROM used WHERE used.model IS NOT NULL
)
SELECT model, (SELECT max(n) FROM turns WHERE turns.model = used.model) AS last FROM used
  WHERE typeof(model) = 'text' ORDER BY last DESC LIMIT ?
"""


class Turns:
    def __init__(self, database: Database) -> None:
        self._database = database

    # reading --------------------------------------------------------------------------------------------------------

    def get(self, response_id: str, *, base_url: str | None = None) -> Turn | None:
        """The newest turn that has this response id, of any server or of one."""
        with self._database.reading() as db:
            return _one(
                db,
                "WHERE id = :id AND (:url IS NULL OR base_url = :url) ORDER BY n DESC LIMIT 1",
                {"id": response_id, "url": base_url},
            )

    def meant(self, typed: str, *, limit: int) -> list[Turn]:
        """The newest turn of each response whose id begins with what was typed (see `state.ids`), newest first.

        Those whose record is damaged are left out.
        """
        found = ids.matching(typed)
        if found is None:
            return []
        chosen = f"WHERE n IN (SELECT max(n) {found[0]} GROUP BY id) ORDER BY n DESC LIMIT :most"
        with self._database.reading() as db:
            return _all(db, chosen, {**found[1], "most": limit}, [])

    def shown_id(self, response_id: str) -> str:
        """The id as it is shown: short, and unique in the record. One that isn't recorded is returned whole."""
        with self._database.reading() as db:
            return ids.shown(db, response_id)

    def shown_if_long(self, response_id: str) -> str:
        """The whole id; the short one of an id that is as long as those of some gateways."""
        return response_id if len(response_id) <= LONG_ID else self.shown_id(response_id)

    def at(self, n: int) -> Turn | None:
        with self._database.reading() as db:
            return _one(db, "WHERE n = :n", {"n": n})

    def newest(
        self, *, chain: str | None = None, limit: int = -1, skipped: list[str] | None = None, words: Sequence[str] = ()
    ) -> list[Turn]:
        """Recorded turns, newest first; `chain` takes those of one chain, also those that are no longer part of it.

        `words` takes those whose prompt or answer has all of them, in any case. Those whose record is damaged are left
        out if there is a list for what is `skipped`, which gets a sentence each. Raises RecordError if there is none.
        """
        if words:
            return list(islice(self._having(words, chain, skipped), None if limit < 0 else limit))
        of_chain = "" if chain is None else "WHERE chain = :chain"
        with self._database.reading() as db:
            rest = f"{of_chain} ORDER BY n DESC LIMIT :most"
            return _all(db, rest, {"chain": chain, "most": limit}, skipped)

    def _having(self, words: Sequence[str], chain: str | None, skipped: list[str] | None) -> Iterator[Turn]:
        """The turns with these words, read page by page, so that no other process waits long."""
        from cometresp.state.search import HIGHEST, Search

        last: int | None = HIGHEST
        search = Search(words)
        while last is not None:
            with self._database.reading() as db:
                numbers, last = search.page(db, last, chain)
                turns = [_all(db, "WHERE n = :n", {"n": n}, skipped) for n in numbers]
            yield from (turn for found in turns for turn in found)

    def recent(self, start: str, limit: int, *, among: int) -> list[Turn]:
        """The newest turns whose response ids begin so, of so many, the newest first; none of a damaged record."""
        with self._database.reading() as db:
            rows = db.execute("SELECT n, id FROM turns ORDER BY n DESC LIMIT ?", (among,)).fetchall()
            fitting = (n for n, name in rows if isinstance(name, str) and name.startswith(start) and is_plain_id(name))
            turns = (turn for n in fitting for turn in _all(db, "WHERE n = :n", {"n": n}, []))
            return list(islice(turns, limit))

    def models(self, limit: int = 100) -> list[str]:
        """The models of recorded turns, the last used first."""
        with self._database.reading() as db:
            return [row[0] for row in db.execute(_MODELS, (limit,))]

    def sums(self, by: "By", since: float = 0.0) -> "list[Group]":
        """What the turns started since then used, by day, model, chain or profile."""
        from cometresp.state.sums import sums

        with self._database.reading() as db:
            return sums(db, by, since)

    def pending_after(self, turn: Turn, chain: str) -> list[Turn]:
        """The turns of a chain that continue this one and were left to the server, which was still at work.

        A turn that a command is still receiving isn't among them, nor one whose record is damaged.
        """
        with self._database.reading() as db:
            return _all(
                db,
                "WHERE parent = :n AND chain = :chain AND status IN ('queued', 'in_progress')"
                " AND n > :n AND ended IS NOT NULL ORDER BY n",
                {"n": turn.n, "chain": chain},
                [],
            )

    def lineage(self, turn: Turn, limit: int = -1) -> list[Turn]:
        """The turns of the conversation up to and with this one, oldest first; those before it up to a limit."""
        with self._database.reading() as db:
            rest = f"WHERE n IN ({_LINE} SELECT n FROM line) ORDER BY n"  # noqa: S608 - nothing foreign in it
            return [*_all(db, rest, {"n": _before(turn), "most": limit}, None), turn]

    def back(self, turn: Turn, count: int) -> tuple[Turn | None, int]:
        """The turn that is so many before this one, None where fewer are recorded; and how far back it was looked."""
        if count == 0:
            return turn, 0
        with self._database.reading() as db:
            found = f"{_LINE} SELECT count(*), min(n) FROM line"  # noqa: S608
            reached, n = db.execute(found, {"n": _before(turn), "most": count}).fetchone()
            return _one(db, "WHERE n = :n", {"n": n}) if reached == count else None, reached

    def was_deleted(self, turn: Turn) -> bool:
        """Whether the response, or one before it in the conversation, was deleted from its server."""
        if turn.deleted is not None:
            return True
        deleted = f"{_LINE} SELECT 1 FROM line JOIN turns USING (n) WHERE deleted IS NOT NULL LIMIT 1"  # noqa: S608
        with self._database.reading() as db:
            return db.execute(deleted, {"n": _before(turn), "most": -1}).fetchone() is not None

    def answers_to(self, turn: Turn, call_ids: Collection[str]) -> list[Json]:
        """The calls with these ids in the conversation up to and with this turn, and the items that answer them."""
        wanted = frozenset(call_ids)
        # Few ids are looked for as JSON strings, many among the items of every turn.
        strings = [json.dumps(call_id) for call_id in wanted] if len(wanted) <= _FEW else ['"']
        mentioned = " OR ".join(
            f"instr({column}, :id{n})" for n in range(len(strings)) for column in ("output", "outputs", "input")
        )
        found: list[Json] = []
        with self._database.reading() as db:
            values = {f"id{n}": string for n, string in enumerate(strings)} | {"n": turn.n, "most": -1}
            for row in db.execute(f"{_ITEMS} AND ({mentioned or 0}) ORDER BY n", values):
                items = (item for column in row if column for item in listed(json.loads(column)))
                found += [item for item in items if id_of_call(item) in wanted or id_answered(item) in wanted]
        return found

    # writing --------------------------------------------------------------------------------------------------------

    def begin(self, new: NewTurn, response_id: str) -> tuple[int, Head | None]:
        """Record a turn when its response id is known; returns the row's number.

        A turn that restarts its chain takes the head away until it completes: that head is returned too.
        """
        now = time.time()
        with self._database.writing() as db:
            parent = db.execute(
                "SELECT n, CAST(number AS INTEGER) FROM turns WHERE n = :n OR (:n IS NULL AND id = :id)"
                " ORDER BY n DESC LIMIT 1",
                {"n": new.parent.n if new.parent else None, "id": new.previous_id},
            ).fetchone()
            cursor = db.execute(
                "INSERT INTO turns (id, parent, previous_id, chain, number, base_url, model, status, created, input,"
                " profile, request, asked_model, settings, instructions, tools)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 'in_progress', ?, ?, ?, ?, ?, ?, ?, ?)",
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
                    new.profile,
                    None if new.input is None or new.request is None else json.dumps(new.request),
                    new.asked_model,
                    *settings_columns(new.settings, with_text=new.input is not None),
                ),
            )
            n = int(cursor.lastrowid or 0)
            db.execute("DELETE FROM unanswered WHERE chain = ?", (new.chain,))
            before = None
            if new.restarts:
                before = take_head(db, new.chain, n, now)
            else:
                db.execute("UPDATE chains SET used = ? WHERE name = ?", (now, new.chain))
            retention.drop_old_text(db, now - _KEPT_SECONDS)
            return n, before

    def finish(
        self, n: int, ending: Ending, *, good: bool, expected: Heads | None = None
    ) -> Literal["head", "moved on", "kept"]:
        """Record how a turn ended.

        A good one becomes the head of its chain if the chain's heads are still the expected ones: "head". Otherwise
        another turn came in between: "moved on". One that wasn't good is only "kept". Raises OutputError where its
        chain is gone.

        What a turn cost stays as it was when it ended: fetched again, it has the same usage, but maybe another price.
        """
        usage = json.dumps(ending.usage) if ending.usage else None
        with self._database.writing() as db:
            found = db.execute("SELECT chain, parent FROM turns WHERE n = ?", (n,)).fetchone()
            if found is None:
                raise OutputError("its chain was removed meanwhile")
            db.execute(
                "UPDATE turns SET status = ?, usage = ?, sequence = coalesce(?, sequence),"
                " output = coalesce(?, output), ended = ?, id = coalesce(nullif(?, ''), id),"
                " request_id = coalesce(request_id, ?), reason = ?,"
                " cost = CASE WHEN usage IS ? THEN coalesce(cost, ?) ELSE ? END WHERE n = ?",
                (
                    ending.status,
                    usage,
                    ending.sequence,
                    None if ending.output is None else json.dumps(ending.output),
                    time.time(),
                    ending.response_id,  # some servers change it in mid-stream: the last is the one that they keep
                    ending.request_id,  # that of the request which made the response, if it is known
                    ending.reason,
                    usage,
                    ending.cost,
                    ending.cost,
                    n,
                ),
            )
            return _move_head(db, n, found[0], found[1], expected) if good else "kept"

    def keep_output(self, n: int, item: Json) -> None:
        """Record an item that answers a call of a turn, before it is sent; it replaces one that answers the same."""
        with self._database.writing() as db:
            turn = _one(db, "WHERE n = :n", {"n": n})
            if turn is None:
                raise OutputError("its chain was removed meanwhile")
            kept = [output for output in turn.outputs if id_answered(output) != id_answered(item)]
            db.execute("UPDATE turns SET outputs = ? WHERE n = ?", (json.dumps([*kept, item]), n))

    def mark_deleted(self, response_id: str, base_url: str) -> None:
        """Record that a response was deleted from its server."""
        with self._database.writing() as db:
            db.execute(
                "UPDATE turns SET deleted = ? WHERE id = ? AND base_url = ?", (time.time(), response_id, base_url)
            )


def _move_head(
    db: sqlite3.Connection, n: int, chain: str, parent: int | None, expected: Heads | None
) -> Literal["head", "moved on"]:
    row = db.execute("SELECT head, pending FROM chains WHERE name = ?", (chain,)).fetchone()
    head, pending = row or (None, None)
    if head == n:
        return "head"
    if row and pending != n and row != expected and (head, pending) != (parent, None):
        return "moved on"
    set_heads(db, chain, (n, None), time.time())
    return "head"


def _before(turn: Turn) -> int | None:
    """The number of the turn before; a damaged one may name a later turn, or itself."""
    return turn.parent if turn.parent is not None and turn.parent < turn.n else None


def _one(db: sqlite3.Connection, rest: str, values: Mapping[str, object]) -> Turn | None:
    row = db.execute(f"SELECT {TURN_COLUMNS} FROM turns {rest}", values).fetchone()  # noqa: S608 - nothing foreign in it
    return turn_of(row) if row else None


def _all(db: sqlite3.Connection, rest: str, values: Mapping[str, object], skipped: list[str] | None) -> list[Turn]:
    with _no_search_for_garbage():
        return list(_turns_of(db.execute(f"SELECT {TURN_COLUMNS} FROM turns {rest}", values), skipped))  # noqa: S608


@contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """What is read from JSON has no cycles: it needn't be searched again and again while many turns are read."""
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()


def _turns_of(rows: Iterable[tuple[Any, ...]], skipped: list[str] | None) -> Iterator[Turn]:
    for row in rows:
        try:
            yield turn_of(row)
        except RecordError as error:
            if skipped is None:
                raise
            skipped.append(error.message)
