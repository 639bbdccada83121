"""A batch is made once: where it isn't known whether a try made one, it is looked for in the server's list."""

import time
from typing import TYPE_CHECKING

from cometresp.batch.submitted import recorded
from cometresp.deadline import backoff
from cometresp.errors import (
    CometrespError,
    Hint,
    Next,
    ProtocolError,
    RateLimitedError,
    StoppedError,
    UnreachableError,
)
from cometresp.options.values import retries_of
from cometresp.runtime import Runtime
from cometresp.text import shell_arguments
from cometresp.wire.batches import offers_no_batches
from cometresp.wire.json import Json, listed, text
from cometresp.wire.replies import bare_message

if TYPE_CHECKING:
    from cometresp.client.client import Client

_PAGE = 20  # batches in which one that may have been made is looked for
_SERVER_FAILED = 500


def created(client: "Client", body: Json, runtime: Runtime, *, is_uploaded: bool = False) -> Json:
    """The new batch. One that a try without a whole reply may have made is looked for: a second would be paid, too.

    `is_uploaded`: the input was uploaded just now, which the hint of an error says.
    """
    tries = 0
    while True:
        try:
            return client.create_batch(body)
        except StoppedError as stopped:
            raise stopped.with_hint(_look(body)) from None
        except (UnreachableError, RateLimitedError, ProtocolError) as error:
            if _may_have_made(client, error) and (found := _made_before(client, body, error, runtime)):
                return found
            if not error.passing or tries >= retries_of(runtime.connection):
                if is_uploaded:
                    error.and_hint(_again(body))
                raise
            wait = client.retry_after if client.retry_after is not None else backoff(tries)
            if client.left is not None and wait >= client.left:
                raise
            runtime.terminal.note(f"{error.message}; trying again in {wait:.1f} s")
            time.sleep(wait)
            tries += 1
        except CometrespError as error:
            if is_uploaded:
                error.and_hint(_again(body))
            raise


def _may_have_made(client: "Client", error: CometrespError) -> bool:
    """Whether the server may have made a batch before the error: its reply was lost, or isn't one of its own."""
    if client.lost:
        return True
    status = error.details.status or 0
    if isinstance(error, ProtocolError):
        return status < 300  # noqa: PLR2004 - other statuses refuse
    return status >= _SERVER_FAILED and not offers_no_batches(error)


def _made_before(client: "Client", body: Json, error: CometrespError, runtime: Runtime) -> Json | None:
    """The batch of this input; None where the server has none. Raises an error where that can't be known.

    One that is recorded was made by an earlier run: a file may be submitted twice on purpose.
    """
    file_id = body.get("input_file_id")
    if file_id is None:
        raise _unknown(error, body)
    try:
        found = listed(client.batches(_PAGE)["data"])
    except CometrespError as failed:
        if isinstance(error, ProtocolError) and offers_no_batches(failed):
            raise error from failed
        raise _unknown(error, body) from failed
    error.cause = None  # the server has such endpoints
    made = [batch for batch in found if batch.get("input_file_id") == file_id and text(batch.get("id"))]
    return next((batch for batch in made if recorded(runtime, text(batch.get("id"))) is None), None)


def _unknown(error: CometrespError, body: Json) -> CometrespError:
    """The error where a batch may have been made, and none can be looked for."""
    reason = bare_message(error)
    return type(error)(f"the batch may have been made, but {reason}", hint=_look(body), details=error.details)


def _look(body: Json) -> Hint:
    """What to do where a batch may have been made: to look, before another one is made and paid."""
    shows: tuple[str | Next, ...] = (Next("batch list"), " shows whether the batch was made")
    if file_id := text(body.get("input_file_id")):
        shows = (*shows, "; if not, ", Next("batch submit", (shell_arguments(file_id),)), " makes it")
    return shows


def _again(body: Json) -> Hint:
    file_id = text(body.get("input_file_id"))
    again = Next("batch submit", (shell_arguments(file_id),))
    return f"the input is uploaded as {file_id}: ", again, " tries again without uploading it"
