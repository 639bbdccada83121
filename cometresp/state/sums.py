"""What the recorded turns used in all, by day, model, chain or profile. SQLite sums it: that is fast for many turns."""

import sqlite3
from typing import Literal

from cometresp.tuples import NamedTuple

By = Literal["day", "model", "chain", "profile"]


class Group(NamedTuple):
    """The turns of one `key` with one model of one server; the key is None where the record has none.

    Of the turns, `unpriced` have tokens but no recorded cost, and `unknown` have neither. Numbers of tokens that the
    server didn't report are left out. Cached tokens are among the input, reasoning tokens among the output.
    """

    key: str | None
    base_url: str | None
    model: str | None
    turns: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost: float  # that is recorded, in USD
    unpriced: int
    unpriced_input: int
    unpriced_cached: int
    unpriced_output: int
    unknown: int


def _text(column: str) -> str:
    return f"CASE typeof({column}) WHEN 'text' THEN {column} END"


def _reported(name: str) -> str:
    """A number of tokens; NULL where the server didn't report it, or it can't be one."""
    return f"CASE WHEN typeof({name}) = 'integer' AND {name} BETWEEN 0 AND 999999999999 THEN {name} END AS {name}"


_KEYS: dict[By, str] = {
    "day": "date(created, 'unixepoch', 'localtime')",
    "model": _text("model"),
    "chain": _text("chain"),
    "profile": _text("profile"),
}
_SUMS = f"""
WITH
  chosen AS MATERIALIZED (
    SELECT {{key}} AS key, {_text("base_url")} AS url, {_text("model")} AS model,
      CASE WHEN typeof(usage) = 'text' AND json_valid(usage) THEN usage ELSE '{{{{}}}}' END AS usage,
      CASE WHEN typeof(cost) IN ('real', 'integer') AND cost BETWEEN 0 AND 1e12 THEN cost END AS cost
    FROM turns WHERE created >= :since
  ),
  extracted AS MATERIALIZED (
    SELECT key, url, model, cost,
      json_extract(usage, '$.input_tokens') AS input,
      json_extract(usage, '$.input_tokens_details.cached_tokens') AS cached,
      json_extract(usage, '$.output_tokens') AS output,
      json_extract(usage, '$.output_tokens_details.reasoning_tokens') AS reasoning
    FROM chosen
  ),
  counted AS (
    SELECT key, url, model, cost, {_reported("input")}, {_reported("cached")}, {_reported("output")},
      {_reported("reasoning")}
    FROM extracted
  )
SELECT key, url, model, count(*),
  total(input), total(min(cached, input)), total(output), total(reasoning), total(cost),
  count(*) FILTER (WHERE {{unpriced}}),
  total(input) FILTER (WHERE {{unpriced}}),
  total(min(cached, input)) FILTER (WHERE {{unpriced}}),
  total(output) FILTER (WHERE {{unpriced}}),
  count(*) FILTER (WHERE cost IS NULL AND (input IS NULL OR output IS NULL))
FROM counted GROUP BY key, url, model ORDER BY key
"""  # noqa: S608 - nothing foreign in it
_UNPRICED = "cost IS NULL AND input IS NOT NULL AND output IS NOT NULL"


def sums(db: sqlite3.Connection, by: By, since: float) -> list[Group]:
    """The sums of the turns that were started since then, ordered by their key."""
    rows = db.execute(_SUMS.format(key=_KEYS[by], unpriced=_UNPRICED), {"since": since})
    return [Group._make([*row[:3], *map(int, row[3:8]), row[8], *map(int, row[9:])]) for row in rows]
