"""Chains as they are listed: one query reads what is shown of them, and no more."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from cometresp.errors import RecordError
from cometresp.state.records import CHAIN, TURN, UNREADABLE, chain_of, shown_turn, values_of
from cometresp.state.transcript import prompt_in
from cometresp.text import escape_line
from cometresp.tuples import NamedTuple

_LAST = ("id", "number", "base_url", "model", "settings", "status", "asked_model")  # columns of the last turn
_COLUMNS = {name: TURN[name] for name in _LAST}
_IDS = {"head": TURN["previous_id"], "pending": TURN["previous_id"]}  # a response id, or NULL
_READ = (*CHAIN.values(), *_IDS.values(), TURN["n"], *_COLUMNS.values())  # what reads each column of a row
_LISTED = f"""
SELECT chains.name, chains.head, chains.pending, chains.used, chains.before, head.id, pending.id, last.n,
  {", ".join(f"last.{name}" for name in _LAST)}, first.status, first.input
FROM chains
LEFT JOIN turns AS head ON head.n = chains.head
LEFT JOIN turns AS pending ON pending.n = chains.pending
LEFT JOIN turns AS last ON last.n = coalesce(head.n, pending.n)
LEFT JOIN lines ON lines.n = last.n
LEFT JOIN turns AS first ON first.n = lines.first
"""  # noqa: S608 - names of columns
_ALL = f"{_LISTED} ORDER BY chains.used DESC, chains.name"
_BEGINNING = f"{_LISTED} WHERE chains.name >= :start AND chains.name < :next ORDER BY +chains.used DESC, chains.name"
_HIGHEST = "\U0010ffff"  # sorts after every character of a name


class Listed(NamedTuple):
    """A chain as it is listed: its last turn is the head, else the turn that is to become it.

    `head` and `pending` are response ids, `turns` is how many its conversation has, and `words` are the first of its
    first prompt; `model` is the one that was asked for.
    """

    name: str
    used: float
    head: str | None = None
    pending: str | None = None
    turns: int = 0
    status: str = ""
    model: str | None = None
    base_url: str | None = None
    conversation: str | None = None
    words: str = ""


def listed(db: sqlite3.Connection, limit: int, start: str = "") -> Iterator[Listed | RecordError]:
    """The chains whose names begin so, the last used first; in place of a damaged one its error.

    `limit` is of the characters of the first words.
    """
    rows = db.execute(_BEGINNING, {"start": start, "next": start + _HIGHEST}) if start else db.execute(_ALL)
    for row in rows:
        try:
            yield _listed(row, limit)
        except RecordError as error:
            yield error


def _listed(row: tuple[Any, ...], limit: int) -> Listed:
    n, (status, asked) = row[7], row[-2:]
    if n is None:
        chain = chain_of(row[:5])
        return Listed(chain.name, chain.used)
    try:
        values = [value_of(column) for value_of, column in zip(_READ, row, strict=False)]
    except UNREADABLE as error:
        raise _damage(row) from error
    name, _, _, used, _, head, pending, _, _, number, base_url, model, settings, last_status, asked_model = values
    words = _first_words(status, asked, limit)
    model, conversation = asked_model or model, settings.get("conversation")
    return Listed(name, used, head, pending, number, last_status, model, base_url, conversation, words)


def _damage(row: tuple[Any, ...]) -> RecordError:
    """The error of a row that can't be read, which names the field."""
    try:
        chain = chain_of(row[:5])
        values_of(shown_turn(row[7], row[8]), _COLUMNS, row[8:-2])
        values_of(f"chain {escape_line(chain.name, 80)}", _IDS, row[5:7])
    except RecordError as error:
        return error
    return RecordError(f"the record of {shown_turn(row[7], row[8])} is damaged")


def _first_words(status: Any, asked: Any, limit: int) -> str:
    """What a conversation began with, on one line; "" where that record is damaged or gone."""
    try:
        return escape_line(prompt_in(TURN["status"](status), TURN["input"](asked)), limit)
    except (ValueError, TypeError, RecursionError):
        return ""
