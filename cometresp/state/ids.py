"""Response ids as they are typed and shown: the start of one that is unique in the record, as with git's commits.

Where ids differ only in their ends, as those of some gateways, `START...END` is shown, and can be typed.
"""

import sqlite3

_LEAST_TYPED = 4  # characters of a start that is looked for, as in git
_LEAST_SHOWN = 13  # characters: in `resp_67ccd2be…` the time of the response, to the second
_MOST_SHOWN = 24  # characters of a start that is shown
_ENDS = 8  # characters of each end of `START...END`, at least
_DOTS = "..."
_LAST = "\U0010ffff"  # sorts after every character of an id

_BY_START = "FROM turns WHERE id >= :start AND id < :next"
_BY_ENDS = f"{_BY_START} AND length(id) >= :length AND substr(id, -length(:end)) = :end"
# By the index of ends, where that is long enough: the ids of some gateways all begin alike.
_BY_LONG_END = (
    f"FROM turns WHERE substr(id, -{_ENDS}) = substr(:end, -{_ENDS})"
    " AND +id >= :start AND +id < :next AND length(id) >= :length AND substr(id, -length(:end)) = :end"
)


def matching(typed: str) -> tuple[str, dict[str, object]] | None:
    """What finds the ids that were meant, as the end of a statement and its values; None if too little was typed."""
    start, dots, end = typed.partition(_DOTS)
    if len(start) < _LEAST_TYPED:
        return None
    if not (dots and end):
        start, end = typed, ""
    length = len(start) + len(end)
    found = _BY_START if not end else _BY_LONG_END if len(end) >= _ENDS else _BY_ENDS
    return found, {"start": start, "next": start + _LAST, "length": length, "end": end}


def shown(db: sqlite3.Connection, response_id: str) -> str:
    """The id as it is shown: short, and unique in the record. One that isn't recorded is returned whole."""
    if (
        len(response_id) <= _LEAST_SHOWN
        or not db.execute("SELECT 1 FROM turns WHERE id = ?", (response_id,)).fetchone()
    ):
        return response_id
    shared = max(_shared(response_id, other) for other in _neighbours(db, response_id))
    if shared < _MOST_SHOWN:
        return response_id[: max(shared + 1, _LEAST_SHOWN)]
    for length in range(_ENDS, len(response_id) // 2, _ENDS):
        short = f"{response_id[:_ENDS]}{_DOTS}{response_id[-length:]}"
        if _is_unique(db, short):
            return short
    return response_id


def _shared(one: str, other: str) -> int:
    """How many characters two ids share at their start."""
    return next(
        (n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _neighbours(db: sqlite3.Connection, response_id: str) -> list[str]:
    """The recorded ids before and after this one in the order of the alphabet; "" where there is none."""
    rows = (
        db.execute("SELECT id FROM turns WHERE id < ? ORDER BY id DESC LIMIT 1", (response_id,)).fetchone(),
        db.execute("SELECT id FROM turns WHERE id > ? ORDER BY id LIMIT 1", (response_id,)).fetchone(),
    )
    return [row[0] if row and isinstance(row[0], str) else "" for row in rows]


def _is_unique(db: sqlite3.Connection, typed: str) -> bool:
    """Whether one recorded id alone is meant by it."""
    found = matching(typed)
    return found is not None and len(db.execute(f"SELECT DISTINCT id {found[0]} LIMIT 2", found[1]).fetchall()) == 1
