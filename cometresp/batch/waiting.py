"""A batch that is waited for: asked for with growing pauses, through errors that pass, while its progress is shown."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cometresp.batch.standing import name_of, status_words
from cometresp.deadline import Pauses
from cometresp.errors import (
    CometrespError,
    Next,
    ProtocolError,
    RateLimitedError,
    RequestRefusedError,
    StoppedError,
    UnreachableError,
)
from cometresp.runtime import Runtime
from cometresp.text import escape_line
from cometresp.wire.batches import counts_of, has_ended, status_of
from cometresp.wire.json import Json, text
from cometresp.wire.replies import bare_message

if TYPE_CHECKING:
    from cometresp.client.client import Client
    from cometresp.render.status import StatusLine

_MOST_FAILURES = 30  # in a row: a wait of a day outlasts an outage of an hour
_MOST_STRANGE = 10  # in a row, of replies that aren't the server's own: a page of a proxy, or no JSON
_NOT_FOUND = 404
_SAID_EVERY = 60.0  # seconds between lines where nothing can be redrawn
_BAR = 10
_SHOWN, _LONGEST_SHOWN = 14, 20  # characters of an id


def until_ended(client: "Client", batch: Json, runtime: Runtime, again: Next) -> Json:
    """The batch when it has ended, or as it was last when --max-time leaves no time for another look.

    Pauses of 5 s grow to 2 min, unless the server asks for others. Errors that may pass are waited out. `again` is the
    command that comes back to the wait, for the error of a signal.
    """
    with _shown(runtime) as progress:
        try:
            return _Wait(client, batch, runtime, progress, again).until_ended()
        except StoppedError as stopped:
            raise stopped.with_hint(("the batch goes on; to come back: ", again)) from None


class _Wait:
    def __init__(self, client: "Client", batch: Json, runtime: Runtime, progress: "_Progress", again: Next) -> None:
        self._client = client
        self._batch = batch
        self._runtime = runtime
        self._progress = progress
        self._again = again
        self._pauses = Pauses(5.0, 120.0, 1.3, longest_asked=600.0)

    def until_ended(self) -> Json:
        problem, failures = "", 0
        while not has_ended(self._batch):
            seconds = self._pauses.next(asked=self._client.retry_after, left=self._client.left)
            if seconds is None:
                return self._batch
            self._progress.show(self._batch, seconds, problem)
            time.sleep(seconds)
            try:
                self._batch = self._client.batch(text(self._batch.get("id")), retries=0)
            except (UnreachableError, RateLimitedError, ProtocolError, RequestRefusedError) as error:
                if self._client.left is not None and self._client.left <= 0:
                    return self._batch
                failures += 1
                if failures > self._most_failures(error):
                    raise self._named(error) from error
                problem = bare_message(error)
            else:
                problem, failures = "", 0
        return self._batch

    def _most_failures(self, error: CometrespError) -> int:
        """How many failed looks in a row are waited through where this is the last one."""
        if isinstance(error, RateLimitedError) and self._client.retry_after is not None:
            return _MOST_FAILURES  # also for longer than a single request waits
        if error.passing:
            return _MOST_FAILURES
        is_strange = isinstance(error, ProtocolError) or error.details.status == _NOT_FOUND
        return _MOST_STRANGE if is_strange else 0

    def _named(self, error: CometrespError) -> CometrespError:
        """The error that ends the wait: it names the batch, which was made, and how to come back to it."""
        reason = bare_message(error)
        return error.with_message(f"{name_of(self._batch)}: {reason}", ("to wait again: ", self._again))


# what is shown ------------------------------------------------------------------------------------------------------


class _Progress:
    """Shows how far a batch is: in a status line, else by a line for each change, and off a terminal once a minute."""

    def __init__(self, runtime: Runtime, line: "StatusLine | None") -> None:
        self._terminal = runtime.terminal
        self._line = line
        self._said_at = time.monotonic()
        self._before = ""
        self._problem = ""

    def show(self, batch: Json, seconds: float, problem: str) -> None:
        counts = counts_of(batch)
        words = " · ".join(filter(None, (f"{name_of(batch)} is {status_words(batch)}", counts.words())))
        if problem and problem != self._problem:
            self._terminal.note(escape_line(f"{problem}; the batch goes on"))
        self._problem = problem
        if self._line is not None:
            share = counts.done / counts.total if counts.total and status_of(batch) != "validating" else 0
            bar = "━" * round(_BAR * share) + "╌" * (_BAR - round(_BAR * share))
            named = [_short(text(batch.get("id"))), status_words(batch)]
            named += [bar] if counts.total and self._terminal.encoding == "utf-8" else []
            self._line.text = " · ".join(
                filter(None, (" ".join(named), counts.words(), f"next look in {seconds:.0f} s"))
            )
        elif self._terminal.stderr_tty or self._terminal.verbose:
            if words != self._before:
                self._terminal.note(words)
        elif time.monotonic() - self._said_at >= _SAID_EVERY:
            self._said_at = time.monotonic()
            self._terminal.tell_waiting(words)
        self._before = words


def _short(batch_id: str) -> str:
    """An id that leaves room on the line: `batch_67ccd2be`."""
    return escape_line(batch_id if len(batch_id) <= _LONGEST_SHOWN else f"{batch_id[:_SHOWN]}…")


@contextmanager
def _shown(runtime: Runtime) -> Iterator[_Progress]:
    with status_shown(runtime) as line:
        yield _Progress(runtime, line)


@contextmanager
def status_shown(runtime: Runtime) -> Iterator["StatusLine | None"]:
    """A status line for as long as the block lasts; None where nothing is redrawn."""
    terminal = runtime.terminal
    if not terminal.stderr_tty or terminal.quiet or not terminal.redraws or runtime.plain or terminal.is_shared:
        yield None
        return
    from cometresp.render.status import StatusLine

    with StatusLine(terminal) as line:
        yield line
