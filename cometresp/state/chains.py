"""The chains: which turn each of them continues from."""

import sqlite3
import time
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from cometresp.errors import Next, RecordError, UsageError
from cometresp.state import ids, retention
from cometresp.state.database import Database
from cometresp.state.records import CHAIN_COLUMNS, COMPACTED, TURN_COLUMNS, Chain, Heads, Turn, chain_of, turn_of
from cometresp.text import escape_line, shell_arguments, shell_flag
from cometresp.tuples import NamedTuple
from cometresp.wire.events import GOOD
from cometresp.wire.ids import abridged_id

if TYPE_CHECKING:
    from cometresp.state.listing import Listed


class Head(NamedTuple):
    """The head that a chain had: the response id, and which turn of its conversation it is, from 1."""

    id: str
    number: int


class Chains:
    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> Chain | None:
        with self._database.reading() as db:
            row = db.execute(f"SELECT {CHAIN_COLUMNS} FROM chains WHERE name = ?", (name,)).fetchone()  # noqa: S608
            return _chain(db, row) if row else None

    def listed(self, skipped: list[str], *, words: int) -> "list[Listed]":
        """Every chain, the last used first, with the first words of its prompt up to that length.

        Those whose record is damaged are left out: `skipped` gets a sentence each.
        """
        from cometresp.state.listing import listed

        found = []
        with self._database.reading() as db:
            for chain in listed(db, words):
                if isinstance(chain, RecordError):
                    skipped.append(chain.message)
                else:
                    found.append(chain)
        return found

    def beginning(self, start: str, limit: int, *, words: int) -> "list[Listed]":
        """The chains whose names begin so and can be typed, the last used first; none of a damaged record."""
        from cometresp.state.listing import Listed, listed

        with self._database.reading() as db:
            good = (chain for chain in listed(db, words, start) if isinstance(chain, Listed))
            return list(islice((chain for chain in good if escape_line(chain.name) == chain.name), limit))

    def set_head(self, name: str, response_id: str, *, base_url: str, model: str | None) -> str | None:
        """Make a response the head of a chain; returns the id of the head that it had.

        One that isn't recorded gets a turn without text. Raises UsageError for one that is, and has no answer.
        """
        now = time.time()
        with self._database.writing() as db:
            turn = db.execute(
                "SELECT n, status FROM turns WHERE id = :id AND (base_url = :url OR status != 'adopted')"
                " ORDER BY base_url = :url DESC, n DESC LIMIT 1",
                {"id": response_id, "url": base_url},
            ).fetchone()
            if turn is None:
                n = db.execute(
                    "INSERT INTO turns (id, chain, number, base_url, model, settings, status, created)"
                    " VALUES (?, ?, 1, ?, ?, '{}', 'adopted', ?)",
                    (response_id, name, base_url, model, now),
                ).lastrowid
            elif turn[1] in (*GOOD, COMPACTED, "adopted"):
                n = turn[0]
            else:
                typed = ids.shown(db, response_id)
                fetch = Next("get", (shell_arguments(typed),))
                go_on = Next("continue", (shell_flag("--from", typed),))
                raise UsageError(
                    f"{abridged_id(response_id)} can't be the head of {name}: it is recorded as {turn[1]}",
                    hint=(fetch, " asks for its status; ", go_on, " continues it anyway"),
                )
            before = head_of(db, name)
            set_heads(db, name, (n, None), now)
            return before.id if before else None

    def restart(self, name: str) -> str | None:
        """Take the head away from a chain whose new start failed; returns the id of the head that it had.

        A chain that isn't recorded stays so.
        """
        with self._database.writing() as db:
            if db.execute("SELECT 1 FROM chains WHERE name = ?", (name,)).fetchone() is None:
                return None
            before = take_head(db, name, None, time.time())
            return before.id if before else None

    def rename(self, old: str, new: str) -> None:
        """Give a chain another name. Raises UsageError where there is no such chain, or where the new name is taken."""
        with self._database.writing() as db:
            names = {name for (name,) in db.execute("SELECT name FROM chains WHERE name IN (?, ?)", (old, new))}
            if old not in names:
                raise _unknown([old])
            if new in names and new != old:
                raise UsageError(f"there is a chain {new} already", hint=(Next("chains rm"), " removes it"))
            db.execute("UPDATE chains SET name = ? WHERE name = ?", (new, old))
            db.execute("UPDATE turns SET chain = ? WHERE chain = ?", (new, old))
            db.execute("UPDATE OR REPLACE unanswered SET chain = ? WHERE chain = ?", (new, old))

    def remove(self, names: list[str]) -> list[tuple[int, int]]:
        """Remove chains and their turns: for each, how many were removed and how many other chains still need.

        Raises UsageError, and removes nothing, where there is no chain of one of these names.
        """
        with self._database.writing() as db:
            is_chain = "SELECT 1 FROM chains WHERE name = ?"
            if unknown := [name for name in names if not db.execute(is_chain, (name,)).fetchone()]:
                raise _unknown(unknown)
            return [found for name in names if (found := retention.remove_chain(db, name))]

    def prune(self, before: float) -> tuple[int, int]:
        """Remove the chains not used since, and older turns that no chain needs: how many of each."""
        with self._database.writing() as db:
            removed = retention.prune(db, before)
        self._database.shrink()
        return removed


def head_of(db: sqlite3.Connection, name: str) -> Head | None:
    """A chain's head; None also where its record is damaged."""
    row = db.execute(
        "SELECT id, CAST(number AS INTEGER) FROM turns WHERE n = (SELECT head FROM chains WHERE name = ?)", (name,)
    ).fetchone()
    return Head(*row) if row and isinstance(row[0], str) else None


def take_head(db: sqlite3.Connection, name: str, pending: int | None, now: float) -> Head | None:
    """Start a chain again, with a `pending` turn if there is one; returns the head that it had."""
    before = head_of(db, name)
    db.execute("UPDATE chains SET before = coalesce(head, before) WHERE name = ?", (name,))
    set_heads(db, name, (None, pending), now)
    return before


def set_heads(db: sqlite3.Connection, name: str, heads: Heads, now: float) -> None:
    """Set head and pending turn of a chain, which is made where it isn't."""
    db.execute(
        "INSERT INTO chains (name, head, pending, used) VALUES (:name, :head, :pending, :now)"
        " ON CONFLICT (name) DO UPDATE SET head = :head, pending = :pending, used = :now",
        {"name": name, "head": heads[0], "pending": heads[1], "now": now},
    )


def _chain(db: sqlite3.Connection, row: tuple[Any, ...]) -> Chain:
    name, head, pending, used, before = chain_of(row)
    earlier = None
    with suppress(RecordError):  # it is only for a hint
        earlier = _turn(db, before)
    return Chain(name, _turn(db, head), _turn(db, pending), used, earlier)


def _turn(db: sqlite3.Connection, n: int | None) -> Turn | None:
    row = db.execute(f"SELECT {TURN_COLUMNS} FROM turns WHERE n = ?", (n,)).fetchone()  # noqa: S608 - nothing foreign in it
    return turn_of(row) if row else None


def _unknown(names: list[str]) -> UsageError:
    which = "is no chain" if len(names) == 1 else "are no chains"
    return UsageError(f"there {which} {', '.join(names)}", hint=(Next("chains"), " lists them"))
