"""A batch of the provider's lane in words: its status, and the error that its end amounts to (API 13.3)."""

from cometresp.errors import ExitCode, Next, TurnError
from cometresp.text import escape_line, shell_arguments
from cometresp.tuples import NamedTuple
from cometresp.wire.batches import Counts, counts_of, has_ended, problems_of, status_of, was_cancelled
from cometresp.wire.ids import abridged_id
from cometresp.wire.json import Json, text

_MOST_PROBLEMS = 20  # of an input, that are listed


def name_of(batch: Json) -> str:
    return abridged_id(text(batch.get("id")))


def status_words(batch: Json) -> str:
    return escape_line(status_of(batch).replace("_", " "), 40)


def status_line(batch: Json) -> str:
    """`batch_ab12  in_progress  3/10 done, 1 failed`."""
    words = (escape_line(text(batch.get("id"))), escape_line(status_of(batch), 40), counts_of(batch).words())
    return "  ".join(word for word in words if word)


class Read(NamedTuple):
    """What was read of the results: how many are good, `kinds` of failures in words, and what to do about those."""

    counts: Counts
    kinds: str
    hint: tuple[str | Next, ...]

    def words(self) -> str:
        answered = (
            f"{self.counts.completed} of {self.counts.total} requests have an answer" if self.counts.total else ""
        )
        return ": ".join(word for word in (answered, self.kinds) if word)


def verdict_of(batch: Json, read: Read | None = None) -> TurnError | None:
    """The error that the status of a batch amounts to; None for one that completed without failures."""
    name, counts = name_of(batch), read.counts if read else counts_of(batch)
    words = read.words() if read else counts.words()
    done = f": {words}" if words else ""
    hint = read.hint if read else fetching(batch)
    if not has_ended(batch):
        waiting = Next("batch status", (shell_arguments(text(batch.get("id"))), "--wait"))
        return TurnError(ExitCode.PENDING, f"{name} is still {status_words(batch)}{done}", hint=waiting)
    if was_cancelled(batch):
        return TurnError(ExitCode.CANCELLED, f"{name} was cancelled{done}", hint=hint)
    if status_of(batch) == "failed":
        return _invalid(batch, name)
    if status_of(batch) != "completed":
        return TurnError(ExitCode.FAILED, f"{name} ended as {status_words(batch)}{done}", hint=hint)
    if counts.failed:
        kinds = f": {read.kinds}" if read and read.kinds else ""
        return TurnError(ExitCode.FAILED, f"{name}: {counts.failed} of {counts.total} failed{kinds}", hint=hint)
    return None


def _invalid(batch: Json, name: str) -> TurnError:
    """The error of a batch whose input isn't valid, with its problems."""
    problems = [escape_line(problem, 200) for problem in problems_of(batch)]
    if not problems:
        return TurnError(ExitCode.FAILED, f"{name} failed, and the server doesn't say why")
    left = len(problems) - _MOST_PROBLEMS
    rows = [f"  {problem}" for problem in problems[:_MOST_PROBLEMS]] + ([f"  … and {left} more"] if left > 0 else [])
    return TurnError(ExitCode.FAILED, "\n".join([f"{name} failed: the server refused its input", *rows]))


def fetching(batch: Json) -> tuple[Next, str]:
    words = shell_arguments(text(batch.get("id")))
    return Next("batch fetch", (words, "-o OUT")), " fetches what was answered"
