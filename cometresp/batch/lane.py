"""The provider's lane (API 13): the status of batches, their end, and what a server that offers none is told as."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from cometresp.batch.looked import Looked
from cometresp.batch.submitted import keep, recent
from cometresp.errors import CometrespError, ExitCode, Next, ProtocolError, RequestRefusedError, TurnError
from cometresp.runtime import Runtime
from cometresp.text import escape_line, shell_arguments, to_bytes
from cometresp.wire.batches import (
    Counts,
    counts_of,
    has_ended,
    offers_no_batches,
    problems_of,
    status_of,
    was_cancelled,
)
from cometresp.wire.events import may_go_on
from cometresp.wire.ids import abridged_id
from cometresp.wire.json import Json, listed, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cometresp.client.client import Client
    from cometresp.state.batches import Submitted

_MOST_PROBLEMS = 20  # of an input, that are listed
_PAGE = 100  # batches in a page of the server's list (API 1, #19)
_ENDED_BEFORE = (400, 409)  # what a cancel of a batch that has ended is refused with
_MOST_ASKED = 10  # recorded batches whose status is asked for


def show_status(options: Looked, runtime: Runtime) -> None:
    """Print the status of a batch. Raises the error that its end amounts to, or that it hasn't ended (7)."""
    assert options.id is not None
    with client_for(runtime, options.id) as client:
        batch = client.batch(options.id)
        if options.wait and not has_ended(batch):
            from cometresp.batch.waiting import until_ended

            batch = until_ended(client, batch, runtime)
    keep(runtime, batch)
    if options.as_json:
        runtime.terminal.print_json(batch)
    else:
        runtime.terminal.write(to_bytes(status_line(batch) + "\n"))
    if error := verdict_of(batch):
        raise error


def show_recent(options: Looked, runtime: Runtime) -> None:
    """Print the last batches that are recorded. The server is asked for those that hadn't ended."""
    found = recent(runtime, options.number)
    unended = [batch.id for batch in found if may_go_on(batch.status)][:_MOST_ASKED]
    if unended:
        with client_for(runtime) as client:
            for batch_id in unended:
                try:
                    keep(runtime, client.batch(batch_id))
                except RequestRefusedError as error:  # deleted there, or of another key
                    runtime.terminal.warn(f"{abridged_id(batch_id)}: {error.message}")
        found = recent(runtime, options.number)
    if options.as_json:
        runtime.terminal.print_json([batch._asdict() for batch in found])
        return
    if not found:
        runtime.terminal.note("no batch is recorded" + runtime.hint("; ", Next("batch submit", "FILE"), " submits one"))
    rows = [_recorded_row(batch) for batch in found]
    _print_table(runtime, ("ID", "STATUS", "DONE", "FAILED", "SUBMITTED", "FILE"), rows, [b.created for b in found])


def list_batches(options: Looked, runtime: Runtime) -> None:
    """Print the batches of the server, the newest first."""
    found: list[Json] = []
    after = None
    with client_for(runtime) as client:
        while len(found) < options.number:
            page = client.batches(min(_PAGE, options.number - len(found)), after)
            new = listed(page["data"])
            found += new
            last = text(new[-1].get("id")) if new else ""
            if not page.get("has_more") or not last or last == after:
                break
            after = last
    found = found[: options.number]
    if options.as_json:
        runtime.terminal.print_json(found)
        return
    if not found:
        runtime.terminal.note("the server has no batches")
    rows = [_listed_row(batch) for batch in found]
    made = [float(at) if isinstance(at := batch.get("created_at"), int) else 0.0 for batch in found]
    _print_table(runtime, ("ID", "STATUS", "DONE", "FAILED", "SUBMITTED", "INPUT"), rows, made)


def cancel(options: Looked, runtime: Runtime) -> None:
    """Cancel a batch. Raises RequestRefusedError (65) where it had ended before."""
    assert options.id is not None
    with client_for(runtime, options.id) as client:
        try:
            batch = client.cancel_batch(options.id)
        except RequestRefusedError as error:
            if error.details.status in _ENDED_BEFORE:
                fetching = (Next("batch status", (shell_arguments(options.id),)), " shows what became of it")
                error.with_message(f"{abridged_id(options.id)} can't be cancelled: {error.message}", fetching)
            raise
    keep(runtime, batch)
    if options.as_json:
        runtime.terminal.print_json(batch)
    name = name_of(batch)
    if has_ended(batch) and not was_cancelled(batch):
        raise RequestRefusedError(f"{name} can't be cancelled: it is {status_words(batch)}", hint=_fetching(batch))
    what = "cancelled" if was_cancelled(batch) else "being cancelled"
    runtime.terminal.note(f"{name} is {what}" + runtime.hint("; when it has ended: ", _fetching(batch)[0]))


# one batch in words ------------------------------------------------------------------------------------------------


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
    hint = read.hint if read else _fetching(batch)
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


def _fetching(batch: Json) -> tuple[Next, str]:
    words = shell_arguments(text(batch.get("id")))
    return Next("batch fetch", (words, "-o OUT")), " fetches what was answered"


# what servers say ---------------------------------------------------------------------------------------------------


@contextmanager
def client_for(runtime: Runtime, batch_id: str = "") -> Iterator["Client"]:
    """The client for requests about batches. Its errors say whether the server offers none, or not this one."""
    runtime.check_sendable()
    with runtime.client() as client:
        try:
            yield client
        except CometrespError as error:
            raise explained(error, batch_id) from error


def explained(error: CometrespError, batch_id: str = "") -> CometrespError:
    """The error, as a ProtocolError (76) where the server offers no batches."""
    if offers_no_batches(error, names_one=bool(batch_id)):
        reason = error.message.removeprefix("not the Responses API: ")
        return ProtocolError(
            f"the server offers no batches: {reason}",
            hint=(Next("batch", "FILE -o OUT"), " sends the requests from here"),
            details=error.details,
            cause=error.cause,
        )
    if batch_id and error.details.status == 404:  # noqa: PLR2004
        name = abridged_id(batch_id)
        hint = (Next("batch list"), " lists the batches of the server")
        return error.with_message(f"the server doesn't know {name}: {error.message}", hint)
    return error


# lists --------------------------------------------------------------------------------------------------------------


def _recorded_row(batch: "Submitted") -> list[str]:
    total = f"{batch.done}/{batch.requests}" if batch.requests else ""
    return [batch.id, batch.status, total, str(batch.failed or ""), batch.file or ""]


def _listed_row(batch: Json) -> list[str]:
    counts = counts_of(batch)
    total = f"{counts.done}/{counts.total}" if counts.total else ""
    given = text(batch.get("input_file_id"))
    return [text(batch.get("id")), status_of(batch), total, str(counts.failed or ""), given]


def _print_table(
    runtime: Runtime, heads: "Sequence[str]", rows: "Sequence[Sequence[str]]", made: "Sequence[float]"
) -> None:
    """A table on a terminal, tab-separated cells into a pipe; the time of each row comes before its last cell."""
    import time

    terminal = runtime.terminal
    if not terminal.stdout_tty:
        for row, moment in zip(rows, made, strict=True):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(moment))
            cells = [*row[:-1], stamp, row[-1]]
            terminal.write(to_bytes("\t".join(escape_line(cell) for cell in cells) + "\n"))
        return
    if not rows:
        return
    from cometresp.render.tables import Column, ago, table

    columns = [
        Column(heads[0], "whole"),
        Column(heads[1], "whole"),
        Column(heads[2], "whole", right=True),
        Column(heads[3], "whole", 1, right=True),
        Column(heads[4], "whole", 2),
        Column(heads[5], "rest"),
    ]
    shown = [
        [*(escape_line(cell, 60) for cell in row[:-1]), ago(moment), escape_line(row[-1], 200)]
        for row, moment in zip(rows, made, strict=True)
    ]
    terminal.write(to_bytes(table(columns, shown, terminal)))
