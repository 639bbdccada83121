"""The batches that were submitted from here: which one an argument names, and what is recorded of it."""

import os
import time

from cometresp.errors import CometrespError, DamagedError, Next, OutputError, UsageError
from cometresp.runtime import Runtime
from cometresp.state.batches import Submitted
from cometresp.text import escape_line
from cometresp.wire.batches import counts_of, status_of
from cometresp.wire.ids import is_plain_id, refusal_of
from cometresp.wire.json import Json, text

_MOST_LISTED = 10  # ids that begin with what was typed
_LEAST_TYPED = 4  # characters of the start of an id


def resolve(given: str, runtime: Runtime) -> str:
    """The id that an argument names: itself, its start if that is unique in the record, or `last`.

    An id that isn't recorded is returned as it is: the server may know it. Raises UsageError.
    """
    if given == "last":
        found = recent(runtime, 1)
        if not found:
            raise UsageError("ID: no batch is recorded", hint=(Next("batch list"), " lists those of the server"))
        return found[0].id
    if not is_plain_id(given):
        raise UsageError(f"ID: {refusal_of(given)}")
    found = _beginning(given, runtime) if len(given) >= _LEAST_TYPED else []
    if len(found) > 1:
        rows = [f"  {escape_line(batch.id)}  {escape_line(batch.file or '', 40)}".rstrip() for batch in found]
        raise UsageError("\n".join([f"ID: {escape_line(given)} is the start of several recorded ids", *rows]))
    return found[0].id if found else given


def recent(runtime: Runtime, limit: int) -> list[Submitted]:
    """The last batches of this server, the newest first."""
    state = runtime.open_state(create=False)
    if state is None:
        return []
    with state:
        return state.batches.newest(runtime.base_url, limit)


def keep(runtime: Runtime, batch: Json, *, file: str | None = None, requests: int = 0) -> None:
    """Record what is known of a batch. `file` is its input, of which only `record = full` keeps the name."""
    how_much = runtime.config.record
    if how_much == "none":
        return
    now, counts = time.time(), counts_of(batch)
    made = batch.get("created_at")
    seen = Submitted(
        id=text(batch.get("id")),
        base_url=runtime.base_url,
        file=file if how_much == "full" else None,
        requests=max(counts.total, requests),
        failed=counts.failed,
        done=counts.done,
        status=status_of(batch),
        created=float(made) if file is None and isinstance(made, int) and not isinstance(made, bool) else now,
        seen=now,
    )
    try:
        if state := runtime.open_state():
            with state:
                state.batches.keep(seen)
    except OutputError as error:
        runtime.terminal.warn(f"{escape_line(seen.id)} is not recorded: {error.message}")


def recorded(runtime: Runtime, batch_id: str) -> Submitted | None:
    """What is recorded of a batch; None where it wasn't submitted to this server from here."""
    return next((batch for batch in _beginning(batch_id, runtime) if batch.id == batch_id), None)


def input_of(runtime: Runtime, batch_id: str) -> str:
    """The file that a batch was made of, as it was typed; "" where that isn't recorded, or isn't a file here."""
    found = [batch.file for batch in _beginning(batch_id, runtime) if batch.id == batch_id]
    return found[0] if found and found[0] and os.path.isfile(found[0]) else ""  # noqa: PTH113


def _beginning(start: str, runtime: Runtime) -> list[Submitted]:
    try:
        with runtime.patience.briefly():  # the record is no condition here
            state = runtime.open_state(create=False)
            if state is None:
                return []
            with state:
                return state.batches.beginning(runtime.base_url, start, _MOST_LISTED)
    except DamagedError as error:
        runtime.terminal.warn(error.message)
    except CometrespError:  # whatever needs the record will say so
        pass
    return []
