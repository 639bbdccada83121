"""`cometresp cancel`: end a background response."""

from contextlib import closing
from typing import TYPE_CHECKING

import typer

from cometresp.errors import CometrespError, OutputError, RequestRefusedError
from cometresp.options.arguments import Json, ResponseId
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime
from cometresp.text import escape_line
from cometresp.turns.lookup import explained, only_shows, recorded, resolve
from cometresp.wire.replies import in_stream_error

if TYPE_CHECKING:
    from cometresp.answer.answer import Answer

app = typer.Typer(add_completion=False)

_STOPPING = ("cancelled", "queued", "in_progress")  # of a response that was told to end


@app.command()
@spread
def cancel(*, response_id: ResponseId, as_json: Json = False, connection: ConnectionOptions) -> None:
    """Cancel a background response."""
    run(Runtime(connection), response_id, as_json=as_json)


def run(runtime: Runtime, given: str, *, as_json: bool) -> None:
    """Raises RequestRefusedError (65) where the response had ended otherwise before."""
    response_id = resolve(given, runtime)
    if only_shows(runtime, "cancel", "POST", response_id, "/cancel"):
        return
    runtime.check_sendable()
    with runtime.client() as client:
        try:
            event = client.cancel(response_id)
        except CometrespError as error:
            raise explained(runtime, error, response_id, "cancel") from error
    from cometresp.answer.answer import Answer

    name = escape_line(response_id)
    response = event.data.get("response")
    if not isinstance(response, dict):  # an error body behind a 200
        reason = event.data.get("error")
        message, said = in_stream_error(reason if isinstance(reason, dict) else event.data)
        raise RequestRefusedError(f"{name} can't be cancelled: {message}", said=said)
    answer = Answer()
    answer.apply(event)
    _record(runtime, response_id, answer)
    if as_json:
        runtime.print_json(response)
    if answer.status not in _STOPPING:
        hint = f"cometresp get {name} fetches it"
        raise RequestRefusedError(f"{name} can't be cancelled: it is {escape_line(answer.status)}", hint=hint)
    runtime.terminal.note(f"{name} is {'cancelled' if answer.status == 'cancelled' else 'being cancelled'}")


def _record(runtime: Runtime, response_id: str, answer: "Answer") -> None:
    """The recorded turn has the status from now on; the text that it has already stays."""
    from cometresp.answer.verdict import is_good
    from cometresp.turns.replay import recorded as kept

    turn = recorded(runtime, response_id)
    if turn is None or runtime.config.record == "none":
        return
    output = kept(answer.output) if answer.output and runtime.config.record == "full" else None
    try:
        if state := runtime.open_state(create=False):
            with closing(state):
                state.finish(
                    turn.n,
                    status=answer.status,
                    usage=answer.usage or turn.usage,
                    sequence=None,
                    output=output,
                    good=is_good(answer, allow_incomplete=False),
                )
    except OutputError as error:
        runtime.terminal.warn(f"that is not recorded: {error.message}")
