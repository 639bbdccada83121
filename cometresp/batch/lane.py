"""The provider's lane (API 13): status, list, cancel; what a server that offers none is told as."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cometresp.batch.looked import Looked
from cometresp.batch.standing import fetching, name_of, status_line, status_words, verdict_of
from cometresp.batch.submitted import keep, recent, recorded
from cometresp.batch.waiting import until_ended
from cometresp.errors import CometrespError, Next, ProtocolError, RequestRefusedError
from cometresp.runtime import Runtime
from cometresp.text import escape_line, shell_arguments, to_bytes
from cometresp.wire.batches import (
    counts_of,
    has_ended,
    offers_no_batches,
    status_of,
    was_cancelled,
)
from cometresp.wire.events import may_go_on
from cometresp.wire.ids import abridged_id
from cometresp.wire.json import Json, listed, text
from cometresp.wire.replies import bare_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cometresp.client.client import Client
    from cometresp.state.batches import Submitted

_PAGE = 100  # batches in a page of the server's list (API 1, #19)
_ENDED_BEFORE = (400, 409)  # what a cancel of a batch that has ended is refused with
_MOST_ASKED = 10  # recorded batches whose status is asked for


def show_status(options: Looked, runtime: Runtime) -> None:
    """Print the status of a batch. Raises the error that its end amounts to, or that it hasn't ended (7)."""
    assert options.id is not None
    with opened_client(runtime) as client:
        batch = first_look(client, options.id, runtime, wait=options.wait)
        if options.wait and not has_ended(batch):
            again = Next("batch status", (shell_arguments(options.id), "--wait"))
            batch = until_ended(client, batch, runtime, again)
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
        with opened_client(runtime) as client:
            for batch_id in unended:
                try:
                    with explaining(batch_id, known=True):
                        keep(runtime, client.batch(batch_id))
                except RequestRefusedError as error:  # deleted there, or of another key
                    name = abridged_id(batch_id)
                    runtime.terminal.warn(error.message if name in error.message else f"{name}: {error.message}")
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
                look = (Next("batch status", (shell_arguments(options.id),)), " shows what became of it")
                error.with_message(f"{abridged_id(options.id)} can't be cancelled: {error.message}", look)
            raise
    keep(runtime, batch)
    if options.as_json:
        runtime.terminal.print_json(batch)
    name = name_of(batch)
    if has_ended(batch) and not was_cancelled(batch):
        raise RequestRefusedError(f"{name} can't be cancelled: it is {status_words(batch)}", hint=fetching(batch))
    what = "cancelled" if was_cancelled(batch) else "being cancelled"
    runtime.terminal.note(f"{name} is {what}" + runtime.hint("; when it has ended: ", fetching(batch)[0]))


# what servers say ---------------------------------------------------------------------------------------------------


@contextmanager
def opened_client(runtime: Runtime) -> Iterator["Client"]:
    """The client for requests about batches, whose errors are as they come."""
    runtime.check_sendable()
    with runtime.client() as client:
        yield client


@contextmanager
def explaining(batch_id: str = "", *, known: bool = False, again: Next | None = None) -> Iterator[None]:
    """A block whose errors say whether the server offers no batches, or not this one.

    `known`: the server has had this one, which `again` asks for again.
    """
    try:
        yield
    except CometrespError as error:
        raise (_of_known(error, batch_id, again) if known else explained(error, batch_id)) from error


@contextmanager
def client_for(runtime: Runtime, batch_id: str = "") -> Iterator["Client"]:
    """The client for requests about batches. Its errors say whether the server offers none, or not this one."""
    known = bool(batch_id) and recorded(runtime, batch_id) is not None
    with opened_client(runtime) as client, explaining(batch_id, known=known):
        yield client


def _of_known(error: CometrespError, batch_id: str, again: Next | None) -> CometrespError:
    """The error of a request about a batch that the server has had: it names the batch, and how to get its results."""
    reason = bare_message(error)
    if not offers_no_batches(error, names_one=True) and reason == error.message:
        return explained(error, batch_id)
    again = again or Next("batch fetch", (shell_arguments(batch_id), "--wait -o OUT"))
    return ProtocolError(f"{abridged_id(batch_id)}: {reason}", hint=(again, " tries again"), details=error.details)


def explained(error: CometrespError, batch_id: str = "") -> CometrespError:
    """The error, as a ProtocolError (76) where the server offers no batches."""
    if offers_no_batches(error, names_one=bool(batch_id)):
        reason = bare_message(error)
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


def first_look(client: "Client", batch_id: str, runtime: Runtime, *, wait: bool) -> Json:
    """The batch as it is now. Its errors say whether the server offers no batches, or not this one.

    If `wait`, a batch that is recorded is as it was last seen where the reply isn't the server's own: the next may be.
    """
    seen = recorded(runtime, batch_id)
    try:
        with explaining(batch_id, known=seen is not None):
            return client.batch(batch_id)
    except ProtocolError:
        if not wait or seen is None or not may_go_on(seen.status):
            raise
        return {"id": batch_id, "status": seen.status}


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
