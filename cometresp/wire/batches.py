"""Reading the JSON of batches (API 13), and what a server says that offers none. Pure."""

import re

from cometresp.errors import Cause, CometrespError, ProtocolError
from cometresp.tuples import NamedTuple
from cometresp.wire.error_bodies import read_error
from cometresp.wire.events import CANCELLED, may_go_on
from cometresp.wire.json import Json, listed, obj, text

MOST_LINES, MOST_BYTES = 50_000, 200_000_000  # of an input (API 13.2)
_NO_PATH = re.compile(r"/(v1/)?(batches|files)\b|invalid url|no such (route|path|endpoint)", re.IGNORECASE)
_BAD, _NOT_FOUND, _NO_METHOD = 400, 404, (405, 410, 501)
_NOT_BUILT = re.compile(r"not[ _]implemented|api[ _]not[ _]supported", re.IGNORECASE)


class Counts(NamedTuple):
    """How many requests a batch has, and what became of them."""

    total: int = 0
    completed: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        return self.completed + self.failed

    def words(self) -> str:
        """`3/10 done, 1 failed`; "" where the server counts nothing."""
        if not self.total:
            return ""
        return f"{self.done}/{self.total} done" + (f", {self.failed} failed" if self.failed else "")


def counts_of(batch: Json) -> Counts:
    given = obj(batch.get("request_counts"))
    total, completed, failed = (
        value if isinstance(value := given.get(name), int) and value >= 0 else 0 for name in Counts._fields
    )
    return Counts(max(total, completed + failed), completed, failed)


def status_of(batch: Json) -> str:
    return text(batch.get("status"))


def has_ended(batch: Json) -> bool:
    """Whether nothing more comes (API 13.3)."""
    return not may_go_on(status_of(batch))


def was_cancelled(batch: Json) -> bool:
    return status_of(batch) in CANCELLED


def problems_of(batch: Json) -> list[str]:
    """What was wrong with the input, as in `line 2: duplicate_custom_id: The custom_id …`."""
    errors = batch.get("errors")
    found = listed(errors.get("data") if isinstance(errors, dict) else errors)
    return [_problem(problem) for problem in found]


def _problem(problem: Json) -> str:
    line = problem.get("line")
    words = (f"line {line}" if isinstance(line, int) else "", text(problem.get("code")), text(problem.get("message")))
    return ": ".join(word for word in words if word) or "an unknown problem"


def results_of(batch: Json) -> list[Json] | None:
    """The lines of the output that are in the batch itself: the inline dialect (API 13.4); None where they aren't."""
    found = batch.get("results")
    return listed(found) if isinstance(found, list) else None


def files_of(batch: Json) -> list[str]:
    """The ids of the files with the output: the good lines, then those of requests that failed."""
    return [file_id for name in ("output_file_id", "error_file_id") if (file_id := text(batch.get(name)))]


def offers_no_batches(error: CometrespError, *, names_one: bool = False) -> bool:
    """Whether a gateway has no such endpoint (API 13.1). `names_one`: the path names a batch that may be unknown."""
    status, param = error.details.status or 0, error.details.param
    if isinstance(error, ProtocolError):
        return error.cause is Cause.PATH
    if status == _NOT_FOUND:
        return bool(_NO_PATH.search(error.message)) or not (names_one or param)
    names = read_error(error.details.body).names
    return status in _NO_METHOD or (status >= _BAD and any(map(_NOT_BUILT.search, (*names, error.message))))
