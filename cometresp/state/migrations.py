"""The tables of the state file, version by version. Step n takes a file from version n to n + 1; a new one takes all.

A step runs in the transaction that also writes the version, so that a file is of one version or of the next, whatever
happens meanwhile. What was released stays as it is: a change of the tables is a further step.
"""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

_LOWEST = -(2**63)  # number of a row

_FIRST = """
CREATE TABLE turns (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  parent INTEGER,
  previous_id TEXT,
  chain TEXT NOT NULL,
  number INTEGER NOT NULL,
  base_url TEXT NOT NULL,
  model TEXT,
  settings TEXT NOT NULL,
  status TEXT NOT NULL,
  usage TEXT,
  created REAL NOT NULL,
  ended REAL,
  sequence INTEGER,
  input TEXT,
  output TEXT
);
CREATE INDEX turns_by_id ON turns (id);
CREATE INDEX turns_by_time ON turns (created);
CREATE TABLE chains (
  name TEXT PRIMARY KEY,
  head INTEGER,                -- the turn to go on from
  pending INTEGER,             -- a turn that began the chain anew and hasn't completed
  used REAL NOT NULL
);
"""

# Numbers are never used again, since turns can now be removed while others name them. The text of settings stands
# apart, so that it can be dropped: '' says that there was some.
_SECOND = """
CREATE TABLE turns_2 (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  parent INTEGER,              -- the turn it goes on from, where that is recorded
  previous_id TEXT,            -- the response id it went on from
  chain TEXT NOT NULL,
  number INTEGER NOT NULL,     -- which turn of the conversation it is, from 1
  base_url TEXT NOT NULL,
  model TEXT,                  -- as it was asked for
  settings TEXT NOT NULL,      -- store, conversation: what `continue` sends again, but for the next two
  status TEXT NOT NULL,        -- the response's; or cut, interrupted, adopted
  usage TEXT,
  created REAL NOT NULL,
  ended REAL,
  sequence INTEGER,
  input TEXT,                  -- the items this turn added; NULL when not recorded
  output TEXT,
  instructions TEXT,           -- as JSON; NULL: none; '': not recorded, or dropped
  tools TEXT
);
INSERT INTO turns_2 SELECT *, NULL, NULL FROM turns;
"""

_SECOND_NAMES = """
DROP TABLE turns;
ALTER TABLE turns_2 RENAME TO turns;
CREATE INDEX turns_by_id ON turns (id);
CREATE INDEX turns_with_text ON turns (created)
  WHERE (input IS NOT NULL OR output IS NOT NULL) OR (instructions != '' OR tools != '');
UPDATE chains SET used = max(used, coalesce((SELECT max(created) FROM turns WHERE chain = name), 0));
CREATE TABLE servers (         -- when a base URL was last seen to refuse something; NULL: never
  base_url TEXT PRIMARY KEY,
  no_previous REAL,            -- previous_response_id
  no_get REAL,                 -- GET /responses/ID
  no_follow REAL               -- the same as a stream
);
"""

# `outputs` are the items that answer a turn's calls, recorded before they are sent. `request_id` is that of the HTTP
# reply, `deleted` when the response was deleted from its server. `before` is the head that a chain had before it was
# started again.
_THIRD = """
ALTER TABLE turns ADD COLUMN outputs TEXT;
ALTER TABLE turns ADD COLUMN request_id TEXT;
ALTER TABLE turns ADD COLUMN deleted REAL;
ALTER TABLE chains ADD COLUMN before INTEGER
"""


# `reason` is why a response is incomplete.
_FOURTH = """
ALTER TABLE turns ADD COLUMN reason TEXT
"""

# `cost` is what a turn cost in USD, by the price that was known when it ended; `profile` that of the settings.
# `request` has the fields of the request that no other column has, as JSON; NULL: not recorded. `asked_model` is the
# model that was asked for, where another one answered. An unanswered request is the last one of its chain, if it got no
# response id: what it was made of, as JSON.
# A batch is one of a provider's lane; `file` names its input.
# `lines` has the first turn of each turn's conversation, so that it needn't be looked for; triggers keep it, whatever
# adds and removes turns. It is a table of its own since adding a column would write every turn again.
# `looked` is how far `retention` got with the settings of old turns.
_FIFTH = """
ALTER TABLE turns ADD COLUMN cost REAL;
ALTER TABLE turns ADD COLUMN profile TEXT;
ALTER TABLE turns ADD COLUMN request TEXT;
ALTER TABLE turns ADD COLUMN asked_model TEXT;
CREATE TABLE unanswered (
  chain TEXT PRIMARY KEY,
  turn TEXT NOT NULL,
  created REAL NOT NULL
);
CREATE TABLE batches (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  base_url TEXT NOT NULL,
  file TEXT,
  requests INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  done INTEGER NOT NULL,       -- of the requests, the failed ones included
  status TEXT NOT NULL,
  created REAL NOT NULL,
  seen REAL NOT NULL,          -- when the status was last asked for
  UNIQUE (id, base_url)
);
CREATE TABLE lines (
  n INTEGER PRIMARY KEY,
  first INTEGER NOT NULL
);
CREATE TABLE looked (
  created REAL NOT NULL,
  n INTEGER NOT NULL
);
INSERT INTO looked VALUES (0, 0);
DROP INDEX turns_with_text;
CREATE INDEX turns_with_text ON turns (created) WHERE input IS NOT NULL OR output IS NOT NULL;
CREATE INDEX turns_with_settings ON turns (created) WHERE instructions != '' OR tools != '';
CREATE INDEX turns_by_chain ON turns (chain);
CREATE INDEX turns_by_model ON turns (model);
CREATE INDEX turns_by_parent ON turns (parent);
CREATE INDEX turns_pending ON turns (parent, chain) WHERE status IN ('queued', 'in_progress');
CREATE INDEX turns_by_end ON turns (substr(id, -8));
CREATE INDEX chains_by_head ON chains (head);
CREATE INDEX chains_by_pending ON chains (pending);
CREATE INDEX chains_by_use ON chains (used DESC, name);
CREATE INDEX unanswered_by_time ON unanswered (created);
CREATE INDEX batches_by_time ON batches (created, n)
"""

_FIFTH_TRIGGERS = """
CREATE TRIGGER turns_added AFTER INSERT ON turns BEGIN
  INSERT INTO lines SELECT new.n, coalesce((SELECT first FROM lines WHERE n = new.parent AND n < new.n), new.n); END;
CREATE TRIGGER turns_removed AFTER DELETE ON turns BEGIN
  DELETE FROM lines WHERE n = old.n; END
"""


def _first(db: sqlite3.Connection) -> None:
    _run(db, _FIRST)


def _second(db: sqlite3.Connection) -> None:
    _run(db, _SECOND)
    for n, text in db.execute("SELECT n, settings FROM turns"):
        settings = _object(text)
        apart = [settings.pop(name, None) for name in ("instructions", "tools")]
        kept = [None if value is None else json.dumps(value) for value in apart]
        db.execute(
            "UPDATE turns_2 SET settings = ?, instructions = ?, tools = ? WHERE n = ?",
            (json.dumps(settings), *kept, n),
        )
    _run(db, _SECOND_NAMES)


def _third(db: sqlite3.Connection) -> None:
    _run(db, _THIRD)


def _fourth(db: sqlite3.Connection) -> None:
    _run(db, _FOURTH)


def _fifth(db: sqlite3.Connection) -> None:
    _run(db, _FIFTH)
    _fill_lines(db)
    _run(db, _FIFTH_TRIGGERS)


def _fill_lines(db: sqlite3.Connection) -> None:
    """Store with each turn the first one of its conversation: in one pass, since a parent has a lower number."""
    last = _LOWEST
    while rows := db.execute("SELECT n, parent FROM turns WHERE n > ? ORDER BY n LIMIT 1000", (last,)).fetchall():
        for n, parent in rows:
            earlier = isinstance(parent, int) and parent < n
            found = db.execute("SELECT first FROM lines WHERE n = ?", (parent,)).fetchone() if earlier else None
            db.execute("INSERT INTO lines VALUES (?, ?)", (n, found[0] if found else n))
        last = rows[-1][0]


def _run(db: sqlite3.Connection, statements: str) -> None:
    """One by one: `executescript` would commit before it begins. A trigger ends on the line of its last statement."""
    for statement in statements.split(";\n"):
        db.execute(statement)


def _object(text: Any) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first, _second, _third, _fourth, _fifth)
