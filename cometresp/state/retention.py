"""What is removed from the state file: old text, chains, turns that nothing needs.

Each function runs in its caller's transaction. A turn is needed by those that go on from it, so that no conversation
loses its beginning.
"""

import sqlite3

_STEP = 100  # rows that one command looks at, so that none has to make up for many that came before it
_HEADS = "SELECT head FROM chains WHERE head IS NOT NULL UNION SELECT pending FROM chains WHERE pending IS NOT NULL"
_IS_HEAD = "EXISTS (SELECT 1 FROM chains WHERE head = turns.n OR pending = turns.n)"

# Whatever was read is overwritten with NULL.
_DROP_TEXT = """
UPDATE turns SET input = NULL, output = NULL, outputs = NULL, request = NULL WHERE n IN (
  SELECT n FROM turns WHERE created < ? AND (input IS NOT NULL OR output IS NOT NULL) ORDER BY created LIMIT ?
)
"""

_WITH_SETTINGS = f"""
SELECT created, n, {_IS_HEAD} FROM turns
  WHERE created >= :created AND created < :before AND (created > :created OR n > :n)
    AND (instructions != '' OR tools != '')
  ORDER BY created, n LIMIT :most
"""  # noqa: S608 - nothing foreign in it
_DROP_SETTINGS = """
UPDATE turns SET instructions = substr(instructions, 1, 0), tools = substr(tools, 1, 0)  -- what is NULL stays so
  WHERE n = ?
"""

# Turns of the chain, and those before them whose chain was removed; except for turns that others continue.
_REMOVE_TURNS = f"""
DELETE FROM turns WHERE n IN (
  WITH RECURSIVE
    own(n) AS (
      SELECT n FROM turns WHERE chain = :name
      UNION SELECT n FROM turns WHERE n IN (:head, :pending) AND chain NOT IN (SELECT name FROM chains)
      UNION
      SELECT before.n FROM own JOIN turns USING (n) JOIN turns AS before ON before.n = turns.parent
        WHERE before.chain NOT IN (SELECT name FROM chains)
    ),
    needed(n) AS (
      SELECT n FROM own JOIN turns USING (n) WHERE {_IS_HEAD}
      UNION SELECT own.n FROM own JOIN turns AS next ON next.parent = own.n WHERE next.n NOT IN (SELECT n FROM own)
      UNION SELECT parent FROM needed JOIN turns USING (n) WHERE parent IN (SELECT n FROM own)
    )
  SELECT n FROM own EXCEPT SELECT n FROM needed
)
"""  # noqa: S608 - nothing foreign in it

_PRUNE_TURNS = f"""
DELETE FROM turns WHERE created < :before AND n NOT IN (
  WITH RECURSIVE needed(n) AS (
    {_HEADS}
    UNION SELECT n FROM turns WHERE created >= :before
    UNION SELECT parent FROM needed JOIN turns USING (n) WHERE parent IS NOT NULL
  )
  SELECT n FROM needed
)
"""  # noqa: S608 - nothing foreign in it


def drop_old_text(db: sqlite3.Connection, before: float) -> None:
    """Drop the text of turns started before that time; the settings of a chain's head are kept while it is the head.

    The oldest are dropped first, in small steps: what is left is for the commands that follow.
    """
    db.execute(_DROP_TEXT, (before, _STEP))
    _drop_old_settings(db, before)
    for table in ("unanswered", "batches"):
        oldest = f"SELECT rowid FROM {table} WHERE created < ? ORDER BY created LIMIT ?"  # noqa: S608
        db.execute(f"DELETE FROM {table} WHERE rowid IN ({oldest})", (before, _STEP))  # noqa: S608


def _drop_old_settings(db: sqlite3.Connection, before: float) -> None:
    """Each step goes on where the last one ended, at the end from the beginning: a head may be none any more."""
    created, n = db.execute("SELECT created, n FROM looked").fetchone() or (0.0, 0)
    values = {"created": created, "n": n, "before": before, "most": _STEP}
    rows = db.execute(_WITH_SETTINGS, values).fetchall()
    db.executemany(_DROP_SETTINGS, [(row[1],) for row in rows if not row[2]])
    last = rows[-1][:2] if len(rows) == _STEP else (0.0, 0)
    if last != (created, n):
        db.execute("UPDATE looked SET created = ?, n = ?", last)


def remove_chain(db: sqlite3.Connection, name: str) -> tuple[int, int] | None:
    """Remove a chain: how many turns were removed, and how many others need; None where there is no such chain."""
    row = db.execute("SELECT head, pending FROM chains WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    db.execute("DELETE FROM chains WHERE name = ?", (name,))
    db.execute("DELETE FROM unanswered WHERE chain = ?", (name,))
    removed = db.execute(_REMOVE_TURNS, {"name": name, "head": row[0], "pending": row[1]}).rowcount
    kept: int = db.execute("SELECT count(*) FROM turns WHERE chain = ?", (name,)).fetchone()[0]
    return removed, kept


def prune(db: sqlite3.Connection, before: float) -> tuple[int, int]:
    """Remove the chains not used since, then the older turns that nothing needs; returns how many of each."""
    chains = db.execute("DELETE FROM chains WHERE used < ?", (before,)).rowcount
    db.execute("DELETE FROM unanswered WHERE created < ?", (before,))
    db.execute("DELETE FROM batches WHERE created < ?", (before,))
    return chains, db.execute(_PRUNE_TURNS, {"before": before}).rowcount
