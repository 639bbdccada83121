"""`cometresp delete`: have the server forget a response. The record here stays."""

import typer

from cometresp.errors import CometrespError
from cometresp.options.arguments import Json, ResponseId
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime
from cometresp.text import escape_line
from cometresp.turns.lookup import explained, only_shows, resolve

app = typer.Typer(add_completion=False)


@app.command()
@spread
def delete(*, response_id: ResponseId, as_json: Json = False, connection: ConnectionOptions) -> None:
    """Delete a response from the server; what is recorded here stays."""
    run(Runtime(connection), response_id, as_json=as_json)


def run(runtime: Runtime, given: str, *, as_json: bool) -> None:
    response_id = resolve(given, runtime)
    if only_shows(runtime, "delete", "DELETE", response_id):
        return
    runtime.check_sendable()
    with runtime.client() as client:
        try:
            said = client.delete(response_id)
        except CometrespError as error:
            raise explained(runtime, error, response_id, "delete") from error
    if as_json:
        runtime.print_json(said)
    runtime.terminal.note(f"{escape_line(response_id)} is deleted from the server")
