"""Whether the state file is sound, without changing it."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from cometresp.state.file import is_damage, is_locked, version_of
from cometresp.tuples import NamedTuple

_SECONDS = 2.0  # for which another process that writes is waited for


class Soundness(NamedTuple):
    """The state file: its size in bytes, None where there is none, and how much is in it. `fault` is what is wrong."""

    path: Path
    size: int | None = None
    turns: int = 0
    chains: int = 0
    fault: str = ""


def examine(directory: Path) -> Soundness:
    """Read the whole of `state.db` in a directory. A damaged file is left where it is."""
    found = Soundness(directory / "state.db")
    try:
        found = found._replace(size=found.path.stat().st_size)
    except FileNotFoundError:
        return found
    except OSError as error:
        return found._replace(fault=error.strerror or str(error))
    address = f"file:{quote(os.fsencode(found.path), safe='')}?mode=rw"
    try:
        with closing(sqlite3.connect(address, timeout=_SECONDS, uri=True)) as db:
            if not version_of(db, found.path):
                return found
            [fault] = db.execute("PRAGMA quick_check(1)").fetchone()
            [turns] = db.execute("SELECT count(*) FROM turns").fetchone()
            [chains] = db.execute("SELECT count(*) FROM chains").fetchone()
    except (sqlite3.Error, OSError, ValueError) as error:
        return found._replace(fault=_fault_of(error))
    return found._replace(turns=turns, chains=chains, fault="" if fault == "ok" else "it is damaged")


def _fault_of(error: Exception) -> str:
    if is_locked(error):
        return "another process holds it"
    if is_damage(error):
        return "it is damaged"
    return getattr(error, "strerror", None) or str(error)
