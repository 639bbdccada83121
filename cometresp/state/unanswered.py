"""The last request of each chain, where it got no response id: it is no turn, but can be sent again."""

import json
import time
from typing import Any

from cometresp.errors import RecordError
from cometresp.state.database import Database
from cometresp.state.records import NewTurn, Settings, Turn
from cometresp.text import escape_line
from cometresp.wire.json import Json

UNANSWERED = "unanswered"  # status of a request without a response


class Unanswered:
    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, new: NewTurn) -> None:
        """Record a request in place of the one before; a turn that begins in its chain removes it."""
        settings = new.settings._replace(forgotten=())
        kept = {
            "parent": new.parent.n if new.parent else None,
            "number": new.parent.number + 1 if new.parent else 1,
            "previous_id": new.previous_id,
            "base_url": new.base_url,
            "model": new.model,
            "settings": settings._asdict(),
            "input": new.input,
            "request": new.request,
        }
        with self._database.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO unanswered (chain, turn, created) VALUES (?, ?, ?)",
                (new.chain, json.dumps(kept), time.time()),
            )

    def of(self, chain: str) -> Turn | None:
        """The request of the chain, as a turn without an id. Raises RecordError for what cometresp didn't write."""
        with self._database.reading() as db:
            row = db.execute("SELECT turn, created FROM unanswered WHERE chain = ?", (chain,)).fetchone()
        if row is None:
            return None
        try:
            return _turn(chain, json.loads(row[0]), float(row[1]))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise RecordError(f"the record of the last request of {escape_line(chain, 80)} is damaged") from error


def _turn(chain: str, kept: Json, created: float) -> Turn:
    settings = Settings(**{**kept["settings"], "forgotten": ()})
    given: dict[str, Any] = {
        name: kept[name] for name in ("parent", "number", "previous_id", "base_url", "model", "input", "request")
    }
    if not (
        isinstance(given["input"], list) and isinstance(given["number"], int) and isinstance(given["base_url"], str)
    ):
        raise TypeError
    nothing: dict[str, Any] = dict.fromkeys(("ended", "sequence", "output", "request_id", "deleted", "reason"))
    return Turn(
        n=0,
        id="",
        chain=chain,
        settings=settings,
        status=UNANSWERED,
        usage={},
        created=created,
        outputs=[],
        **given,
        **nothing,
    )
