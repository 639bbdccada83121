"""`cometresp delete`: delete a response or a conversation from the server. What is recorded here is kept."""

import typer

from cometresp.errors import OutputError
from cometresp.help.command import Command
from cometresp.options.arguments import ReplyAsJson, StoredId
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime, telling
from cometresp.tuples import NamedTuple
from cometresp.turns.dry_run import shown_only
from cometresp.turns.lookup import client_for, resolve
from cometresp.wire import endpoints
from cometresp.wire.ids import abridged_id

app = typer.Typer(add_completion=False)


class Deletion(NamedTuple):
    id: str
    as_json: bool


@app.command(cls=Command, short_help="Delete a response or a conversation.")
@spread
def delete(*, stored_id: StoredId, as_json: ReplyAsJson = False, connection: ConnectionOptions) -> None:
    """Delete a response or a conversation from the server; what is recorded here is kept."""
    run(Deletion(stored_id, as_json), Runtime(connection))


@telling
def run(options: Deletion, runtime: Runtime) -> None:
    stored_id = resolve(options.id, runtime, conversations=True)
    if shown_only(runtime, endpoints.delete(stored_id)):
        return
    with client_for(runtime, stored_id, "delete") as client:
        reply = client.delete(stored_id)
    if options.as_json:
        runtime.terminal.print_json(reply)
    _record(runtime, stored_id)
    runtime.terminal.note(f"{abridged_id(stored_id)} is deleted from the server")


def _record(runtime: Runtime, stored_id: str) -> None:
    """Record that the server no longer has it: that its id is refused then says nothing about the server."""
    if runtime.config.record == "none":
        return
    try:
        if state := runtime.open_state(create=False):
            with state:
                state.turns.mark_deleted(stored_id, runtime.base_url)
    except OutputError as error:
        runtime.terminal.warn(f"that is not recorded: {error.message}")
