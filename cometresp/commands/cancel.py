"""`cometresp cancel`: end a background response."""

from typing import TYPE_CHECKING

import typer

from cometresp.errors import Next, OutputError, RequestRefusedError
from cometresp.help.command import Command
from cometresp.options.arguments import ReplyAsJson, ResponseId
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime, telling
from cometresp.state.records import Ending
from cometresp.text import escape_line, shell_arguments
from cometresp.tuples import NamedTuple
from cometresp.turns.dry_run import shown_only
from cometresp.turns.lookup import client_for, recorded_turn, resolve, shown_id
from cometresp.wire import endpoints
from cometresp.wire.error_bodies import explain
from cometresp.wire.events import CANCELLED, may_go_on
from cometresp.wire.ids import abridged_id

if TYPE_CHECKING:
    from cometresp.answer.answer import Answer

app = typer.Typer(add_completion=False)


class Cancellation(NamedTuple):
    id: str
    as_json: bool


@app.command(cls=Command)
@spread
def cancel(*, response_id: ResponseId, as_json: ReplyAsJson = False, connection: ConnectionOptions) -> None:
    """Cancel a background response."""
    run(Cancellation(response_id, as_json), Runtime(connection))


@telling
def run(options: Cancellation, runtime: Runtime) -> None:
    """Raises RequestRefusedError (65) where the response had ended otherwise before."""
    response_id = resolve(options.id, runtime)
    if shown_only(runtime, endpoints.cancel(response_id)):
        return
    with client_for(runtime, response_id, "cancel") as client:
        event = client.cancel(response_id)
    from cometresp.answer.answer import Answer

    name = abridged_id(response_id)
    if not event.response:  # an error body in a 200 reply
        message, details = explain(event.error or event.data)
        raise RequestRefusedError(f"{name} can't be cancelled: {message}", details=details)
    answer = Answer()
    answer.apply(event)
    if options.as_json:
        runtime.terminal.print_json(event.response)
    _record(runtime, response_id, answer)
    cancelled = answer.status in CANCELLED
    if not cancelled and not may_go_on(answer.status):
        hint = (Next("get", (shell_arguments(shown_id(runtime, response_id)),)), " fetches it")
        raise RequestRefusedError(f"{name} can't be cancelled: it is {escape_line(answer.status)}", hint=hint)
    runtime.terminal.note(f"{name} is {'cancelled' if cancelled else 'being cancelled'}")


def _record(runtime: Runtime, response_id: str, answer: "Answer") -> None:
    """Record the status; text that is recorded already is kept."""
    from cometresp.answer.verdict import is_good
    from cometresp.turns.replay import recorded_items

    turn = recorded_turn(runtime, response_id)
    if turn is None or runtime.config.record == "none":
        return
    output = recorded_items(answer.output) if answer.output and runtime.config.record == "full" else None
    try:
        if state := runtime.open_state(create=False):
            with state:
                ending = Ending(answer.status, answer.usage or turn.usage, output)
                state.turns.finish(turn.n, ending, good=is_good(answer, allow_incomplete=False))
    except OutputError as error:
        runtime.terminal.warn(f"that is not recorded: {error.message}")
